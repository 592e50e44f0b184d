"""Inference-mode outputs to compare with."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidTensor
from dropaudit.graph.draws.random_operators import RandomOperator, random_operators
from dropaudit.graph.passes.derive_mode import (
    is_silent,
    trains_batch_statistics,
    without_batch_statistics,
    without_sites,
)
from dropaudit.graph.passes.noise_at_mean import at_its_mean
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.measure.case import Case, Model
from dropaudit.measure.sampling.excerpt import excerpt
from dropaudit.measure.sampling.modes import NamedRuns
from dropaudit.plan import Role
from dropaudit.report import Implementation
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Axes
from dropaudit.runtime.session import Session
from dropaudit.stats.agreement import agree
from dropaudit.stats.products import norm_squared
from dropaudit.subjects import Array

NO_ELEMENTS = "it has no elements"
REPRODUCIBLE = 1e-5
# Runs that must agree bit for bit before randomness that reaches an output is called without effect.
AGREEING_RUNS = 256

Arrays = dict[str, Array]


class Reference(msgspec.Struct, frozen=True):
    """Inference-mode outputs.

    Attributes:
        outputs: floating-point outputs at inference, by name.
        derived: outputs of the measured model with its sites bypassed; equal to `outputs` where one graph is both.
        left_out: outputs that cannot be compared, with the reason.
        unstable: outputs that differ between two inference-mode runs though every site is bypassed.
        batch_gaps: outputs that batch statistics move, in place of running ones, with their relative distance.
        other: random operators of the measured model that no site is made of, and that reach an output.
        served_other: the same of what is served at inference.
    """

    outputs: Mapping[str, Array]
    derived: Mapping[str, Array]
    unstable: frozenset[str]
    batch_gaps: Mapping[str, float]
    other: tuple[RandomOperator, ...]
    served_other: tuple[RandomOperator, ...]
    left_out: Mapping[str, str] = msgspec.field(default_factory=dict)


def deterministic(proto: onnx.ModelProto, sites: Sequence[GraphSite]) -> onnx.ModelProto:
    """Derive the mode without randomness: sites bypassed, other noise at its mean, running batch statistics."""
    found = at_its_mean(without_sites(proto, sites), sites)
    return without_batch_statistics(found) if trains_batch_statistics(found) else found


def make_reference(
    case: Case, bypassed: NamedRuns, place: Device, seeds: np.random.Generator, left_out: Collection[str] = ()
) -> Reference:
    """Run inference: the inference artifact of a pair, the branch taken at inference, or the model without its sites.

    Args:
        case: the subject.
        bypassed: the measured model with its sites bypassed.
        place: where to run.
        seeds: source of the runtime's seeds.
        left_out: outputs that are not compared.

    Raises:
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
    incomparable = _incomparable(outputs, derived)
    outputs, derived = (
        {name: found[name] for name in outputs if name not in incomparable and name not in left_out}
        for found in (outputs, derived)
    )
    served = case.inference if case.inference is not None else model
    feeds = served.arrays | served.switch_feeds(on=False, override=served.role is not Role.INFERENCE)
    served_other = _other_randomness(served, switched_on=False) if served.role is Role.INFERENCE else ()
    return Reference(
        outputs=outputs,
        derived=derived,
        unstable=_unstable(served, bypassed, derived, feeds, case.feeds.batch_axes, bool(served_other), place, seeds),
        batch_gaps=_batch_gaps(model, case.plain_feeds, derived, place, seeds),
        other=_other_randomness(model, switched_on=True) if model.role is not Role.INFERENCE else (),
        served_other=served_other,
        left_out=incomparable,
    )


def _incomparable(outputs: Mapping[str, Array], derived: Mapping[str, Array]) -> dict[str, str]:
    """Return the outputs of which nothing can be told in the two modes, and why."""
    shapes = {name: (value.shape, derived[name].shape) for name, value in outputs.items()}
    differing = {
        name: f"its shape is {one} at inference, and {other} in train mode with every site bypassed"
        for name, (one, other) in shapes.items()
        if one != other
    }
    return differing | {name: NO_ELEMENTS for name, (one, other) in shapes.items() if one == other and 0 in one}


def _other_randomness(model: Model, *, switched_on: bool) -> tuple[RandomOperator, ...]:
    """Return the random operators that reach an output when every site is bypassed."""
    off = (Switch.OFF, Implementation.DROPOUT_OP)
    drawn = [site for site in model.sites if (site.switch, site.implementation) != off]
    bypassed = without_sites(model.proto, drawn)
    if is_silent(bypassed):
        return ()
    found = random_operators(scopes(bypassed, model.rates), switched_on=switched_on)
    # A mode that the graph computes was settled by running it.
    silent = {site.maker for site in model.sites if (site.switch, site.implementation) == off}
    return tuple(operator for operator in found if operator.outputs and operator.name not in silent)


def float_outputs(session: NamedRuns, feeds: Arrays) -> Arrays:
    """Run and return what holds floating-point numbers: of labels and truth values there is no mean to compare."""
    found = session.run(feeds, session.output_names)
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)
    }


def _inference_outputs(inference: Model, place: Device, seeds: np.random.Generator) -> Arrays:
    session = Session(deterministic(inference.proto, inference.active), place, seeds)
    return float_outputs(session, inference.arrays | inference.switch_feeds(on=False, override=False))


def _unstable(
    served: Model,
    bypassed: NamedRuns,
    known: Arrays,
    feeds: Arrays,
    batch_axes: Sequence[Axes],
    is_random: bool,
    place: Device,
    seeds: np.random.Generator,
) -> frozenset[str]:
    """Return the outputs that runs disagree on; at inference other noise counts, in training it is at its mean.

    Two runs, or as many as it takes where the structure says that they are random. `known` is what the bypassed
    session answers; of a large batch, two runs of its first entries tell as much.
    """
    runs = 1
    if served.role is Role.INFERENCE:
        bypassed = Session(without_sites(served.proto, served.active), place, seeds)
        first, runs = bypassed.run(feeds, bypassed.output_names), AGREEING_RUNS if is_random else 1
    else:
        feeds, first = _of_first_entries(bypassed, known, feeds, batch_axes)
    for _ in range(runs):
        second = bypassed.run(feeds, tuple(first))
        found = frozenset(name for name, value in first.items() if _differ(value, second[name], exactly=is_random))
        if found:
            return found
    return frozenset()


def _of_first_entries(
    session: NamedRuns, known: Arrays, feeds: Arrays, batch_axes: Sequence[Axes]
) -> tuple[Arrays, Arrays]:
    """Return the first entries of a large batch with what a session answers; all of it where that is not one."""
    elements = sum(value.size for value in known.values())
    few = excerpt(feeds, batch_axes[0], elements) if batch_axes else None
    if few is None:
        return feeds, known
    try:
        return few, session.run(few, tuple(known))
    except ExecutionFailed:  # the model wants the whole batch
        return feeds, known


def _differ(first: Array, second: Array, *, exactly: bool) -> bool:
    if not isinstance(first, np.ndarray):
        return False
    if first.shape != second.shape or exactly or first.dtype.kind != "f":
        return not np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return bool(np.all(np.isfinite(first))) and not agree(first, second, REPRODUCIBLE)


def _batch_gaps(
    model: Model, feeds: Arrays, derived: Arrays, place: Device, seeds: np.random.Generator
) -> dict[str, float]:
    if not trains_batch_statistics(model.proto):
        return {}
    session = Session(at_its_mean(without_sites(model.proto, model.sites), model.sites), place, seeds)
    found = float_outputs(session, feeds)
    return {
        name: distance(found[name], value)
        for name, value in derived.items()
        if found[name].shape == value.shape and not agree(found[name], value, REPRODUCIBLE)
    }


def distance(first: Array, second: Array) -> float:
    """Return the distance of two arrays relative to the norm of the second."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return math.sqrt(norm_squared((a - b).ravel()) / (norm_squared(b.ravel()) or 1.0))


def _matched(outputs: Mapping[str, Array], derived: Mapping[str, Array]) -> Arrays:
    """Give the inference artifact's outputs the train artifact's names: by name, by position where counts are equal.

    An output that only one of them has is left out. Raises InvalidTensor where there is none in common, or where
    shapes differ.
    """
    common = {name: outputs[name] for name in derived if name in outputs}
    if not common and len(outputs) == len(derived):
        common = dict(zip(derived, outputs.values(), strict=True))
    if bool(outputs) != bool(derived):
        without, names = ("inference", sorted(derived)) if derived else ("train", sorted(outputs))
        raise InvalidTensor(
            f"the {without} artifact of the pair returns no floating-point numbers that could be compared with {names} "
            "of the other; export both with the outputs before labels or classes are made of them"
        )
    if not common and outputs:
        raise InvalidTensor(
            f"the two artifacts of the pair have no output in common: {sorted(derived)} and {sorted(outputs)}; give "
            "the outputs that should be compared one name"
        )
    for name, value in common.items():
        if value.shape != derived[name].shape:
            raise InvalidTensor(
                f"output {name!r} has shape {derived[name].shape} in the train artifact and {value.shape} in the other"
            )
    return common
