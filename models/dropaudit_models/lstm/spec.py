"""The specification of a reference LSTM."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from dropaudit.errors import InvalidArgument
from dropaudit.report import Axis
from dropaudit_models.lstm.gate_weights import FORGET_BIAS
from dropaudit_models.lstm.recipe import Draw

# Scan bodies use Split with an input, which came with 13.
OPSETS = range(11, 23)
NOTHING: frozenset[Axis] = frozenset()
VARIATIONAL = frozenset({Axis.BATCH, Axis.TIME})
LOCKED = frozenset({Axis.TIME})


def check_keep_prob(keep_prob: float) -> None:
    """Raise InvalidArgument for a keep probability outside (0, 1]."""
    if not 0 < keep_prob <= 1:
        raise InvalidArgument(f"keep probability {keep_prob} is not in (0, 1]", field="keep_prob")


def opsets_of(draw: Draw) -> range:
    """Return the operator sets at which ONNX Runtime's CPU provider runs a draw.

    Dropout has a train mode from opset 12 on, Bernoulli came with 15; of opset 22's random operators only Dropout has
    a kernel.
    """
    if draw is Draw.OPERATOR:
        return range(12, 23)
    return range(15, 22) if draw is Draw.BERNOULLI else range(13, 22)


class Head(StrEnum):
    """The head that follows the last layer."""

    NONE = "none"
    LINEAR = "linear"
    SOFTMAX = "softmax"


class Recurrence(StrEnum):
    """How a layer is written. AUTO takes the operator where it can express the layer and the runtime knows it."""

    AUTO = "auto"
    OPERATOR = "operator"
    SCAN = "scan"


class FloatType(StrEnum):
    """The data type of weights and activations."""

    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """The parameters of tf.compat.v1.nn.rnn_cell.DropoutWrapper, with its meaning.

    Output dropout does not enter the recurrence; state dropout hits h and never c; `variational_recurrent` draws one
    mask for all time steps and all of the batch, of shape (1, features). Gal & Ghahramani 2016.
    """

    input_keep_prob: float = 1.0
    output_keep_prob: float = 1.0
    state_keep_prob: float = 1.0
    variational_recurrent: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        for keep_prob in (self.input_keep_prob, self.output_keep_prob, self.state_keep_prob):
            check_keep_prob(keep_prob)


@dataclass(frozen=True, slots=True)
class Layer:
    """One LSTM layer: `units` in each direction, and the wrapper around its cell."""

    units: int
    wrapper: Wrapper = field(default_factory=Wrapper)


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMSpec:
    """A reference LSTM.

    Attributes:
        input_size: features of the input; of the embedding where `vocabulary` is given.
        vocabulary: number of ids; the input is then integer ids of shape (batch, time).
        classes: outputs of the head.
        embedding_keep_prob: drops whole rows of the embedding table, one mask a run (Merity et al. 2018).
        weight_keep_prob: drops recurrent weights, one mask a run (Wan et al. 2013, Merity et al. 2018).
        draw: how every mask is made.
        shared: axes over which input and output masks are shared; LOCKED is one mask for all time steps.
        per_step: draw input and output masks inside the recurrence, as TensorFlow does; needs Scan.
        seed: of the weights.
        batch, steps: fixed extents of the input, None for free ones.
    """

    input_size: int = 2
    layers: tuple[Layer, ...] = (Layer(10),)
    bidirectional: bool = False
    head: Head = Head.NONE
    classes: int = 3
    vocabulary: int | None = None
    embedding_keep_prob: float = 1.0
    weight_keep_prob: float = 1.0
    draw: Draw = Draw.OPERATOR
    shared: frozenset[Axis] = NOTHING
    per_step: bool = False
    batch_first: bool = True
    recurrence: Recurrence = Recurrence.AUTO
    opset: int = 17
    dtype: FloatType = FloatType.FLOAT32
    forget_bias: float = FORGET_BIAS
    seed: int = 0
    batch: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.opset not in OPSETS:
            raise InvalidArgument(f"opset {self.opset} is not among {OPSETS[0]} to {OPSETS[-1]}", field="opset")
        if not self.layers:
            raise InvalidArgument("a model has at least one layer", field="layers")
        check_keep_prob(self.embedding_keep_prob)
        check_keep_prob(self.weight_keep_prob)
        if self.recurrence is Recurrence.OPERATOR and self.needs_scan:
            raise InvalidArgument("the LSTM operator has no such layer; use Scan", field="recurrence")
        if self.opset < 13 and (self.needs_scan or self.recurrence is Recurrence.SCAN):
            raise InvalidArgument(f"layers written as Scan need opset 13, not {self.opset}", field="opset")

    @property
    def needs_scan(self) -> bool:
        """Whether the operator LSTM cannot express a layer: ONNX Runtime's knows float32 only, and no state dropout."""
        drops_state = any(layer.wrapper.state_keep_prob < 1 for layer in self.layers)
        return drops_state or self.per_step or self.dtype is not FloatType.FLOAT32

    @property
    def numpy_dtype(self) -> np.dtype[np.floating]:
        """The data type as numpy has it."""
        return np.dtype(self.dtype.value)

    @property
    def directions(self) -> int:
        """1, or 2 when bidirectional."""
        return 2 if self.bidirectional else 1
