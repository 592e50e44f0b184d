"""Inference-mode outputs to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dropaudit.errors import InvalidModel, InvalidTensor
from dropaudit.inputs import Feeds, checked_input
from dropaudit.measure.case import Case, Model, switch_feeds
from dropaudit.runtime.provider import Place
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array


@dataclass(frozen=True, slots=True)
class Reference:
    """Inference-mode outputs.

    Attributes:
        outputs: floating-point outputs by name, run twice.
        derived: outputs of the measured model with its sites bypassed; equal to `outputs` but for a pair.
    """

    outputs: Mapping[str, Array]
    repeated: Mapping[str, Array]
    derived: Mapping[str, Array]


def make_reference(case: Case, feeds: Feeds, bypassed: Session, place: Place, seeds: np.random.Generator) -> Reference:
    """Run inference: the inference artifact of a pair, otherwise the model with its sites bypassed.

    Raises:
        InvalidModel: no output holds floating-point numbers.
        InvalidTensor: the artifacts of a pair do not match.
    """
    own = {**feeds.arrays, **switch_feeds(case.model, on=False)}
    derived = _float_outputs(bypassed, own)
    if case.inference is None:
        return Reference(derived, _float_outputs(bypassed, own), derived)
    session = Session(case.inference.proto, place, seeds)
    theirs = {**_renamed(case.inference, feeds), **switch_feeds(case.inference, on=False, override=False)}
    outputs, repeated = (_matched(_float_outputs(session, theirs), derived) for _ in range(2))
    return Reference(outputs, repeated, derived)


def _float_outputs(session: Session, feeds: dict[str, Array]) -> dict[str, Array]:
    found = session.run(feeds, session.output_names)
    floats = {
        name: value
        for name, value in found.items()
        if isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating) and value.size
    }
    if not floats:
        raise InvalidModel("no output of the model holds floating-point numbers, so there is nothing to compare")
    return floats


def _renamed(inference: Model, feeds: Feeds) -> dict[str, Array]:
    """Feed an inference artifact what the train artifact gets: by name, or by position where names differ."""
    wanted = [spec for spec in inference.signature() if spec.name not in inference.switches]
    names = [spec.name for spec in wanted]
    given = feeds.arrays
    if not set(names) <= set(given):
        if len(names) != len(given):
            raise InvalidTensor(
                f"the two artifacts of the pair take different inputs: {sorted(given)} and {sorted(names)}"
            )
        given = dict(zip(names, given.values(), strict=True))
    return {spec.name: checked_input(spec, given[spec.name]) for spec in wanted}


def _matched(outputs: Mapping[str, Array], derived: Mapping[str, Array]) -> dict[str, Array]:
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
