"""TensorFlow's LSTM step by step in numpy, with masks given; and models run as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from dropaudit_models.lstm.gate_weights import LSTMWeights
from dropaudit_models.lstm.parameters import Parameters

Floats = NDArray[np.float64]
WRITTEN = ("EliminateDropout", "CommonSubexpressionElimination")


@dataclass(frozen=True)
class Masks:
    """Factors at each place of one layer; shapes must broadcast."""

    input: Floats | float = 1.0
    output: Floats | float = 1.0
    h: Floats | float = 1.0
    c: Floats | float = 1.0
    recurrent: Floats | float = 1.0


@dataclass(frozen=True)
class ByHand:
    """A stack of layers, each the cell below in one or two directions, x of shape (batch, time, features)."""

    weights: Parameters
    masks: Mapping[int, Masks] = field(default_factory=dict)

    def __call__(self, x: NDArray[Any]) -> Floats:
        """Return what the model must return on x, batch first."""
        values: Floats = x.astype(float) if self.weights.table is None else self.weights.table[x]
        for layer, directions in enumerate(self.weights.layers):
            masks = self.masks.get(layer, Masks())
            values = both_directions(directions, values * masks.input, masks) * masks.output
        return values if self.weights.head is None else values @ self.weights.head


def both_directions(directions: Sequence[LSTMWeights], x: Floats, masks: Masks) -> Floats:
    """Run forwards, and with a second set of weights backwards; units side by side."""
    results = [cell_by_hand(directions[0], x, masks)]
    if len(directions) == 2:
        results.append(cell_by_hand(directions[1], x[:, ::-1], masks)[:, ::-1])
    return np.concatenate(results, axis=2)


def cell_by_hand(weights: LSTMWeights, x: Floats, masks: Masks | None = None) -> Floats:
    """[x, h] @ kernel + bias = i, j, f, o; c = sigmoid(f + forget bias) c + sigmoid(i) tanh(j); h = sigmoid(o) tanh(c).

    The masks on h and c hit the state that goes to the next step, not the output of this one.
    """
    masks = masks or Masks()
    batch, steps, size = x.shape
    h = c = np.zeros((batch, weights.units))
    outputs = []
    for step in range(steps):
        read = x[:, step] @ weights.kernel[:size] + h @ (weights.kernel[size:] * masks.recurrent) + weights.bias
        i, j, f, o = (read[:, k * weights.units : (k + 1) * weights.units] for k in range(4))
        c = sigmoid(f + weights.forget_bias) * c + sigmoid(i) * np.tanh(j)
        output = sigmoid(o) * np.tanh(c)
        h, c = output * masks.h, c * masks.c
        outputs.append(output)
    return np.stack(outputs, axis=1)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    result: Floats = 1 / (1 + np.exp(-x))
    return result


def run(model: onnx.ModelProto, x: NDArray[Any], disabled: Sequence[str] = WRITTEN) -> NDArray[Any]:
    """Run a model of one input and one output on the CPU, its dropout on and equal draws not merged."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"], disabled_optimizers=list(disabled)
    )
    (given,) = session.get_inputs()
    (result,) = session.run(None, {given.name: x})
    found: NDArray[Any] = result
    return found


def synthesized(model: onnx.ModelProto, batch: int = 8, steps: int = 16, seed: int = 0) -> NDArray[Any]:
    """Make an input from a model's signature: standard normal, or ids below 24."""
    value = model.graph.input[0]
    dims = [dim.dim_value or {"batch": batch, "time": steps}[dim.dim_param] for dim in value.type.tensor_type.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    rng = np.random.default_rng(seed)
    if dtype == np.int64:
        return rng.integers(0, 24, dims)
    return rng.standard_normal(dims).astype(dtype)
