"""Weights of a pair that have other numbers in one artifact, though the outputs are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnx

from dropaudit.graph.passes.derive_mode import copy_of
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

# Two graphs that fold weights in different ways agree to this.
_ROUNDING = 2e-5


def unnoticed(
    silent: onnx.ModelProto,
    inference: onnx.ModelProto,
    names: Sequence[str],
    feeds: dict[str, Array],
    outputs: Sequence[str],
    place: Device,
    seeds: np.random.Generator,
) -> tuple[str, ...]:
    """Return the weights whose other numbers would change no output of the train artifact on this data.

    Of a weight that does, the outputs are the same for another reason: batch normalization or an adapter was merged
    into it, and is missing in its place.

    Args:
        silent: the train artifact with every site bypassed.
        inference: the other artifact.
        names: weights of both, with other numbers in each.
        feeds: inputs of the train artifact.
        outputs: the outputs to compare.
        place: where to run.
        seeds: source of the runtime's seeds.

    Raises ExecutionFailed or InvalidModel where the artifact does not run.
    """
    if not names:
        return ()
    known = Session(silent, place, seeds).run(feeds, outputs)

    def is_unnoticed(exchanged: onnx.ModelProto) -> bool:
        found = Session(exchanged, place, seeds).run(feeds, outputs)
        return all(agree(value, found[name], _ROUNDING) for name, value in known.items())

    return tuple(
        name for name, exchanged in _exchanged(silent, inference, names) if exchanged is None or is_unnoticed(exchanged)
    )


def _exchanged(
    silent: onnx.ModelProto, inference: onnx.ModelProto, names: Sequence[str]
) -> Iterator[tuple[str, onnx.ModelProto | None]]:
    """Yield each name with the train artifact that has the other's numbers there; None where no initializer has it."""
    theirs = {tensor.name: tensor for tensor in inference.graph.initializer}
    places = {tensor.name: position for position, tensor in enumerate(silent.graph.initializer)}
    for name in names:
        if name not in theirs or name not in places:
            yield name, None
            continue
        changed = copy_of(silent)
        changed.graph.initializer[places[name]].CopyFrom(theirs[name])
        yield name, changed
