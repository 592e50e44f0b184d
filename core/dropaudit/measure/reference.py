"""Inference-mode outputs to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from dropaudit.errors import InvalidModel, InvalidTensor
from dropaudit.graph.other_noise import at_its_mean
from dropaudit.graph.rewrite import trains_batch_statistics, without_batch_statistics, without_sites
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case, Model
from dropaudit.plan import Role
from dropaudit.runtime.provider import Place
from dropaudit.runtime.session import Session
from dropaudit.stats.agreement import agree
from dropaudit.stats.products import norm_squared
from dropaudit.subjects import Array

REPRODUCIBLE = 1e-5
_RUNS_AS_SERVED = 8

Arrays = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Reference:
    """Inference-mode outputs.

    Attributes:
        outputs: floating-point outputs at inference, by name.
        derived: outputs of the measured model with its sites bypassed; equal to `outputs` where one graph is both.
        unstable: outputs that differ between two inference-mode runs though every site is bypassed.
        batch_gaps: outputs that batch statistics move, in place of running ones, with their relative distance.
        served_as_bypassed: whether an artifact meant for inference answers as if its sites were bypassed.
    """

    outputs: Mapping[str, Array]
    derived: Mapping[str, Array]
    unstable: frozenset[str]
    batch_gaps: Mapping[str, float]
    served_as_bypassed: bool


def deterministic(proto: onnx.ModelProto, sites: Sequence[GraphSite]) -> onnx.ModelProto:
    """Derive the mode without randomness: sites bypassed, other noise at its mean, running batch statistics."""
    found = at_its_mean(without_sites(proto, sites), sites)
    return without_batch_statistics(found) if trains_batch_statistics(found) else found


def make_reference(case: Case, bypassed: Session, place: Place, seeds: np.random.Generator) -> Reference:
    """Run inference: the inference artifact of a pair, the branch taken at inference, or the model without its sites.

    Args:
        case: the subject.
        bypassed: the measured model with its sites bypassed.
        place: where to run.
        seeds: source of the runtime's seeds.

    Raises:
        InvalidModel: no output holds floating-point numbers.
        InvalidTensor: the artifacts of a pair do not match.
    """
    model = case.model
    derived = float_outputs(bypassed, case.plain_feeds)
    outputs = derived
    if case.inference is not None:
        outputs = _matched(_inference_outputs(case.inference, place, seeds), derived)
    elif model.plain is not model.proto:
        session = Session(deterministic(model.plain, model.plain_sites), place, seeds)
        outputs = float_outputs(session, case.plain_feeds)
    served = case.inference if case.inference is not None else model
    feeds = served.arrays | served.switch_feeds(on=False, override=served.role is not Role.INFERENCE)
    return Reference(
        outputs=outputs,
        derived=derived,
        unstable=_unstable(served, bypassed, derived if served is model else None, feeds, place, seeds),
        batch_gaps=_batch_gaps(model, case.plain_feeds, derived, place, seeds),
        served_as_bypassed=_served_as_bypassed(served, feeds, place, seeds),
    )


def float_outputs(session: Session, feeds: Arrays) -> Arrays:
    """Run and return what holds floating-point numbers. Raises InvalidModel when nothing does."""
    found = session.run(feeds, session.output_names)
    floats = {
        name: value
        for name, value in found.items()
        if isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating) and value.size
    }
    if not floats:
        raise InvalidModel("no output of the model holds floating-point numbers, so there is nothing to compare")
    return floats


def _inference_outputs(inference: Model, place: Place, seeds: np.random.Generator) -> Arrays:
    session = Session(deterministic(inference.proto, inference.active), place, seeds)
    return float_outputs(session, inference.arrays | inference.switch_feeds(on=False, override=False))


def _unstable(
    served: Model,
    bypassed: Session,
    known: Arrays | None,
    feeds: Arrays,
    place: Place,
    seeds: np.random.Generator,
) -> frozenset[str]:
    """Return the outputs that two runs disagree on; at inference other noise counts, in training it is at its mean.

    `known` is what the bypassed session has answered to the same feeds, where it has.
    """
    if served.role is Role.INFERENCE:
        bypassed, known = Session(without_sites(served.proto, served.active), place, seeds), None
    first = float_outputs(bypassed, feeds) if known is None else known
    second = float_outputs(bypassed, feeds)
    return frozenset(
        name
        for name, value in first.items()
        if np.all(np.isfinite(value)) and not agree(value, second[name], REPRODUCIBLE)
    )


def _batch_gaps(
    model: Model, feeds: Arrays, derived: Arrays, place: Place, seeds: np.random.Generator
) -> dict[str, float]:
    if not trains_batch_statistics(model.proto):
        return {}
    session = Session(at_its_mean(without_sites(model.proto, model.sites), model.sites), place, seeds)
    found = float_outputs(session, feeds)
    return {
        name: distance(found[name], value)
        for name, value in derived.items()
        if not agree(found[name], value, REPRODUCIBLE)
    }


def distance(first: Array, second: Array) -> float:
    """Return the distance of two arrays relative to the norm of the second."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return math.sqrt(norm_squared((a - b).ravel()) / (norm_squared(b.ravel()) or 1.0))


def _served_as_bypassed(served: Model, feeds: Arrays, place: Place, seeds: np.random.Generator) -> bool:
    """Run an inference artifact as it is, a few times, and see whether its sites do anything."""
    if served.role is not Role.INFERENCE or not served.active:
        return True
    untouched = Session(served.proto, place, seeds)
    silent = float_outputs(Session(without_sites(served.proto, served.active), place, seeds), feeds)
    for _ in range(_RUNS_AS_SERVED):
        found = float_outputs(untouched, feeds)
        if any(not agree(found[name], value, REPRODUCIBLE) for name, value in silent.items()):
            return False
    return True


def _matched(outputs: Mapping[str, Array], derived: Mapping[str, Array]) -> Arrays:
    """Give the inference artifact's outputs the train artifact's names. Raises InvalidTensor when they do not match."""
    if set(outputs) != set(derived):
        if len(outputs) != len(derived):
            raise InvalidTensor(
                f"the two artifacts of the pair return different outputs: {sorted(derived)} and {sorted(outputs)}"
            )
        outputs = dict(zip(derived, outputs.values(), strict=True))
    for name, value in outputs.items():
        if value.shape != derived[name].shape:
            raise InvalidTensor(
                f"output {name!r} has shape {derived[name].shape} in the train artifact and {value.shape} in the other"
            )
    return dict(outputs)
