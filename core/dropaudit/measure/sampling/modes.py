"""One session that runs a model in either mode, where Dropout operators alone tell the modes apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.passes.mode_input import MODE, with_mode_input
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session, Tensors


class NamedRuns(Protocol):
    """Runs of a model, as a session makes them."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of all outputs."""
        ...

    def run(self, feeds: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Tensors:
        """Run once and return the named outputs; see Session."""
        ...


class OneMode(msgspec.Struct, frozen=True):
    """Runs of a session whose training mode is an input, in one mode."""

    session: Session
    output_names: tuple[str, ...]
    training: bool

    def run(self, feeds: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Tensors:
        """See NamedRuns."""
        return self.session.run({**feeds, MODE: np.array(self.training)}, names)


class BothModes(msgspec.Struct, frozen=True):
    """Runs with some Dropout operators off, and with them on."""

    silent: OneMode
    train: OneMode


def in_both_modes(
    model: onnx.ModelProto, operators: Collection[str], place: Device, seeds: np.random.Generator
) -> BothModes:
    """Load a model once for both modes of some Dropout operators. Raises InvalidModel; see Session."""
    session = Session(with_mode_input(model, operators), place, seeds)
    names = session.output_names
    return BothModes(OneMode(session, names, training=False), OneMode(session, names, training=True))
