"""Subjects of audits: an artifact, a pair of artifacts, or recorded outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role

if TYPE_CHECKING:
    # Archives are none of what compares two recordings: it starts sooner without them.
    from dropaudit.files.model_files import ModelContent

Array = NDArray[Any]
Inputs = Mapping[str, Array]


def check_keep_prob(keep_prob: float | None) -> None:
    """Raise InvalidArgument unless `keep_prob` is None or lies in (0, 1]."""
    if keep_prob is not None and not 0 < keep_prob <= 1:
        raise InvalidArgument(f"the keep probability must lie in (0, 1], not {keep_prob}", field="keep_prob")


@dataclass(frozen=True, slots=True)
class ArtifactSubject:
    """One ONNX file; the audit derives the other mode itself.

    Attributes:
        model: content of the file with its external data inside, or the files that the model lies in.
        role: how the file is meant to be used.
        inputs: arrays by input name; None synthesizes them from the signature.
        keep_prob: what the training code declares; None when only the graph declares one.
    """

    model: ModelContent = field(repr=False)
    role: Role = Role.AUTO
    inputs: Inputs | None = field(default=None, repr=False)
    keep_prob: float | None = None

    def __post_init__(self) -> None:
        check_keep_prob(self.keep_prob)


@dataclass(frozen=True, slots=True)
class PairSubject:
    """A train artifact and an inference artifact of the same model."""

    train: ModelContent = field(repr=False)
    inference: ModelContent = field(repr=False)
    inputs: Inputs | None = field(default=None, repr=False)
    keep_prob: float | None = None

    def __post_init__(self) -> None:
        check_keep_prob(self.keep_prob)


@dataclass(frozen=True, slots=True)
class RecordedSubject:
    """Outputs that any framework produced, on the same input.

    Attributes:
        inference: inference-mode output, any shape.
        train: one or more train-mode outputs, each of that shape.
        keep_prob: declared keep probability; read off the scale when None.
    """

    inference: Array = field(repr=False)
    train: tuple[Array, ...] = field(repr=False)
    keep_prob: float | None = None

    def __post_init__(self) -> None:
        check_keep_prob(self.keep_prob)
        if not self.train:
            raise InvalidArgument("a recorded subject needs at least one train-mode output", field="train")


Subject = ArtifactSubject | PairSubject | RecordedSubject


def float_array(array: Array) -> NDArray[np.float64]:
    """Return `array` in double precision, in which all statistics are computed."""
    return np.asarray(array, dtype=np.float64)
