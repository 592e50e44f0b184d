"""Weights of an LSTM in TensorFlow's layout, and the same weights as ONNX wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORGET_BIAS = 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LSTMWeights:
    """Weights as tf.compat.v1.nn.rnn_cell.LSTMCell holds them.

    Attributes:
        kernel: shape (input size + units, 4 * units); columns in the gate order i, j, f, o, rows input before h.
        bias: shape (4 * units,); the forget bias is not inside.
        forget_bias: added to f before its sigmoid.
    """

    kernel: Floats
    bias: Floats
    forget_bias: float = FORGET_BIAS

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.bias.size // 4)

    @property
    def input_size(self) -> int:
        """Number of features of the input."""
        return int(self.kernel.shape[0]) - self.units

    def scaled(self, inputs: float, state: float) -> LSTMWeights:
        """Return these weights with the rows that read the input, and those that read h, times a factor each."""
        factors = np.repeat([inputs, state], [self.input_size, self.units])
        return LSTMWeights(self.kernel * factors[:, None], self.bias, self.forget_bias)


def seeded_weights(input_size: int, units: int, seed: int | Sequence[int]) -> LSTMWeights:
    """Draw a Glorot-uniform kernel with zero bias, TensorFlow's defaults (Glorot & Bengio 2010)."""
    kernel = glorot(np.random.default_rng(seed), (input_size + units, 4 * units))
    return LSTMWeights(kernel=kernel, bias=np.zeros(4 * units))


def glorot(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Draw from U(-l, l), l = sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010)."""
    limit = math.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


@dataclass(frozen=True, slots=True)
class OnnxLSTM:
    """Inputs W, R and B of the ONNX operator LSTM, gate order i, o, f, c.

    Attributes:
        w: shape (directions, 4 * units, input size).
        r: shape (directions, 4 * units, units).
        b: shape (directions, 8 * units): input bias, then zero recurrent bias.
    """

    w: Floats
    r: Floats
    b: Floats


def to_onnx(directions: Sequence[LSTMWeights]) -> OnnxLSTM:
    """Reorder TensorFlow's gates i, j, f, o to ONNX's i, o, f, c and put the forget bias into the bias."""
    parts = [_direction(weights) for weights in directions]
    w, r, b = (np.stack(part) for part in zip(*parts, strict=True))
    return OnnxLSTM(w, r, b)


def _direction(weights: LSTMWeights) -> tuple[Floats, Floats, Floats]:
    i, j, f, o = np.split(weights.kernel, 4, axis=1)
    bi, bj, bf, bo = np.split(weights.bias, 4)
    kernel = np.concatenate([i, o, f, j], axis=1).T
    bias = np.concatenate([bi, bo, bf + weights.forget_bias, bj])
    return kernel[:, : weights.input_size], kernel[:, weights.input_size :], np.concatenate([bias, np.zeros_like(bias)])
