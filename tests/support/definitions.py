"""Layers as their definitions have them, in double precision numpy and nothing else.

Every function takes a leading axis of replicates where its arguments have one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass(frozen=True, slots=True)
class LSTM:
    """One direction of the ONNX operator, gates in the order i, o, f, c.

    Attributes:
        w: input weights, shape (4 units, inputs).
        r: recurrent weights, shape (4 units, units).
        b: bias, shape (4 units,).
    """

    w: Floats
    r: Floats
    b: Floats

    def run(self, x: Floats, r: Floats | None = None) -> Floats:
        """Return the hidden states of x (…, time, batch, inputs), shape (…, time, batch, units).

        i, o, f = sigmoid(W x + R h + b); c' = f c + i tanh(W x + R h + b); h' = o tanh(c').

        Args:
            x: a sequence, with any leading axes.
            r: recurrent weights in place of the layer's own, with the same leading axes.
        """
        recurrent = self.r if r is None else r
        units = self.r.shape[-1]
        h = c = np.zeros((*x.shape[:-3], x.shape[-2], units))
        states = []
        for step in range(x.shape[-3]):
            gates = x[..., step, :, :] @ self.w.T + h @ np.swapaxes(recurrent, -1, -2) + self.b
            i, o, f, candidate = (gates[..., k * units : (k + 1) * units] for k in range(4))
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return np.stack(states, axis=-3)


def random_lstm(inputs: int, units: int, seed: int, size: float = 0.5) -> LSTM:
    """Return an LSTM of normal weights."""
    rng = np.random.default_rng(seed)
    shapes = ((4 * units, inputs), (4 * units, units), (4 * units,))
    w, r, b = (size * rng.standard_normal(shape).astype(np.float32).astype(np.float64) for shape in shapes)
    return LSTM(w, r, b)


def mask(rng: np.random.Generator, shape: tuple[int, ...], keep_prob: float) -> Floats:
    """Draw zeros and ones, one with the keep probability."""
    return (rng.random(shape) < keep_prob).astype(np.float64)


ALPHA_PRIME = -1.0507009873554805 * 1.6732632423543772
"""Where SELU saturates: -lambda alpha (Klambauer et al. 2017)."""


def alpha_affine(keep_prob: float) -> tuple[float, float]:
    """Return a and b of alpha dropout, which keep mean 0 and variance 1: a (x m + alpha' (1 - m)) + b."""
    q = keep_prob
    a = (q + ALPHA_PRIME**2 * q * (1 - q)) ** -0.5
    return a, -a * (1 - q) * ALPHA_PRIME
