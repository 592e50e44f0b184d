"""Where an audit is made, and why there."""

from __future__ import annotations

import msgspec
import numpy as np

from dropaudit.errors import AuditError
from dropaudit.graph.facts.compute_estimate import Work, work_of
from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.reading.signature import signature
from dropaudit.inputs import make_feeds
from dropaudit.measure.case import read
from dropaudit.plan import Plan, Provider
from dropaudit.runtime.device_costs import predicted
from dropaudit.runtime.provider import Device, choose, cores
from dropaudit.subjects import ArtifactSubject, PairSubject

_ASKED = "asked for"


class Placed(msgspec.Struct, frozen=True):
    """Places to audit on, best first, and why the first is the best."""

    places: tuple[Device, ...]
    reason: str


def place_of(subject: ArtifactSubject | PairSubject, plan: Plan) -> Placed:
    """Choose where to audit. Where nothing is asked for and a CUDA device answers, the sooner of the two.

    The same model, inputs and number of cores are always placed alike.

    Raises:
        ProviderUnavailable: CUDA is asked for and there is none.
    """
    place = choose(plan.provider)
    if plan.provider is Provider.CPU:
        return Placed((place,), _ASKED)
    cpu = choose(Provider.CPU)
    if plan.provider is Provider.CUDA:
        return Placed((place, cpu), _ASKED)
    if place.provider is Provider.CPU:
        return Placed((place,), "no CUDA device answers")
    try:
        work = work_of_subject(subject, plan)
    except AuditError:  # whoever makes the case says what is wrong with it
        return Placed((cpu,), "what the model does is not known")
    return sooner(work, place, cpu, cores())


def sooner(work: Work, cuda: Device, cpu: Device, count: int) -> Placed:
    """Return both places, first the one where an audit is predicted to be done sooner.

    Args:
        work: of one run.
        cuda: the device.
        cpu: the cores beside it.
        count: how many they are.
    """
    seconds = predicted(work, count)
    told = (
        f"predicted to take {seconds[Provider.CPU]:.2g} s on {count} cores and {seconds[Provider.CUDA]:.2g} s on CUDA"
    )
    return Placed((cuda, cpu) if seconds[Provider.CUDA] < seconds[Provider.CPU] else (cpu, cuda), told)


def work_of_subject(subject: ArtifactSubject | PairSubject, plan: Plan) -> Work:
    """Return what one run of a subject's model does. Raises InvalidModel or InvalidTensor."""
    draft = read(subject.train if isinstance(subject, PairSubject) else subject.model)
    rng = np.random.default_rng(plan.seed)
    feeds = make_feeds(signature(main_scope(draft.proto)), subject.inputs, frozenset(), {}, rng, batch=draft.batch)
    return work_of(draft.proto, {name: value.shape for name, value in feeds.arrays.items()})
