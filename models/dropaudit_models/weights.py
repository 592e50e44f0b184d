"""Weights of an LSTM in TensorFlow's layout, and the same weights as ONNX wants them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORGET_BIAS = 1.0


@dataclass(frozen=True, slots=True)
class LSTMWeights:
    """What tf.compat.v1.nn.rnn_cell.LSTMCell holds.

    Attributes:
        kernel: shape (input size + units, 4 * units); columns in the gate order i, j, f, o, rows input before h.
        bias: shape (4 * units,); the forget bias is not inside.
        forget_bias: added to f before its sigmoid.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    forget_bias: float = FORGET_BIAS

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.bias.size // 4)

    @property
    def input_size(self) -> int:
        """Number of features of the input."""
        return int(self.kernel.shape[0]) - self.units


def seeded_weights(input_size: int, units: int, seed: int) -> LSTMWeights:
    """Draw a Glorot-uniform kernel with zero bias, TensorFlow's defaults (Glorot & Bengio 2010)."""
    rng = np.random.default_rng(seed)
    shape = (input_size + units, 4 * units)
    limit = math.sqrt(6 / sum(shape))
    return LSTMWeights(
        kernel=rng.uniform(-limit, limit, shape).astype(np.float32),
        bias=np.zeros(4 * units, dtype=np.float32),
    )


@dataclass(frozen=True, slots=True)
class OnnxLSTM:
    """Inputs W, R and B of the ONNX operator LSTM, one direction, gate order i, o, f, c.

    Attributes:
        w: shape (1, 4 * units, input size).
        r: shape (1, 4 * units, units).
        b: shape (1, 8 * units): input bias, then zero recurrent bias.
    """

    w: NDArray[np.float32]
    r: NDArray[np.float32]
    b: NDArray[np.float32]


def to_onnx(weights: LSTMWeights) -> OnnxLSTM:
    """Reorder TensorFlow's gates i, j, f, o to ONNX's i, o, f, c and put the forget bias into the bias."""
    i, j, f, o = np.split(weights.kernel, 4, axis=1)
    bi, bj, bf, bo = np.split(weights.bias, 4)
    kernel = np.concatenate([i, o, f, j], axis=1).T
    bias = np.concatenate([bi, bo, bf + np.float32(weights.forget_bias), bj])
    return OnnxLSTM(
        w=np.ascontiguousarray(kernel[None, :, : weights.input_size]),
        r=np.ascontiguousarray(kernel[None, :, weights.input_size :]),
        b=np.concatenate([bias, np.zeros_like(bias)])[None],
    )
