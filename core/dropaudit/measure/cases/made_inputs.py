"""Inputs that the audit makes up, tried on the model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.reading.signature import InputSpec
from dropaudit.graph.sites.deciders import Switches
from dropaudit.inputs import Feeds
from dropaudit.measure.case import switch_feeds
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session, Tensors
from dropaudit.subjects import Array


def with_other_truths(
    model: onnx.ModelProto, specs: tuple[InputSpec, ...], switches: Switches, feeds: Feeds, place: Device
) -> Feeds:
    """Feed False for the truth values that were made up where True gives an output that is not finite, or constant.

    A mask of True everywhere may pad everything: no caller would send it.

    Args:
        model: the model.
        specs: its signature.
        switches: inputs that switch sites, which the caller of the model feeds.
        feeds: its other inputs.
        place: where to run.
    """
    truths = [name for name in feeds.synthesized if feeds.arrays[name].dtype.kind == "b"]
    if not truths:
        return feeds
    other = replace(feeds, arrays=feeds.arrays | {name: ~feeds.arrays[name] for name in truths})
    fixed = switch_feeds(specs, switches, on=False, override=False)
    try:
        session = Session(model, place, np.random.default_rng(0))
    except InvalidModel:
        return feeds
    return (
        other if not _is_usable(session, feeds.arrays | fixed) and _is_usable(session, other.arrays | fixed) else feeds
    )


def _is_usable(session: Session, feeds: Mapping[str, Array]) -> bool:
    try:
        return all(_tells(value) for value in _floats(session.run(feeds, session.output_names)))
    except ExecutionFailed:
        return False


def _floats(found: Tensors) -> list[Array]:
    return [value for value in found.values() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]


def _tells(value: Array) -> bool:
    finite = bool(np.all(np.isfinite(value)))
    return finite and (value.size < 2 or bool(np.any(value != value.reshape(-1)[0])))
