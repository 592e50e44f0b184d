"""Streams of random operators: one for each, or one for two operators that carry the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import helper

from dropaudit_evaluation.spellings.numbers.elementwise import Attributes
from dropaudit_evaluation.spellings.numbers.values import Value, known, shape_of

_UNIFORM, _NORMAL, _BERNOULLI, _DROPOUT, _MULTINOMIAL = "uniform", "normal", "bernoulli", "dropout", "multinomial"
_FLOAT = 1


class Streams:
    """The generators of one Monte Carlo.

    Draws that carry a seed are remembered: an operator of the same kind that draws equally many in the same type and
    carries the same seed draws the same, turn by turn.
    """

    def __init__(self, replicates: int, rng: np.random.Generator) -> None:
        self.replicates = replicates
        self._rng = rng
        self._drawn: dict[tuple[Any, ...], list[Value]] = {}
        self._turns: dict[tuple[str, tuple[Any, ...]], int] = {}

    def run(self, operator: str, node: str, attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        """Return what a random operator gives; `node` names it."""
        if operator == "Dropout":
            return self._dropout(node, attributes, inputs)
        if operator == "Bernoulli":
            return self._bernoulli(node, attributes, inputs)
        if operator == "Multinomial":
            return self._multinomial(node, attributes, inputs)
        shape = tuple(attributes["shape"]) if "shape" in attributes else shape_of(inputs[0])
        dtype = self._dtype(attributes, inputs)
        if "Normal" in operator:
            numbers = self._numbers(_NORMAL, node, attributes, shape, dtype)
            return (_line(numbers, attributes.get("mean", 0.0), attributes.get("scale", 1.0)),)
        numbers = self._numbers(_UNIFORM, node, attributes, shape, dtype)
        low, high = attributes.get("low", 0.0), attributes.get("high", 1.0)
        return (_line(numbers, low, high - low),)

    def _dtype(self, attributes: Attributes, inputs: list[Value]) -> np.dtype[Any]:
        if "dtype" in attributes or not inputs:
            return np.dtype(helper.tensor_dtype_to_np_dtype(attributes.get("dtype", _FLOAT)))
        return inputs[0].dtype

    def _dropout(self, node: str, attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        """x / (1 - ratio) in float32 where the mask keeps; nothing at all where training_mode is not True."""
        data, rate = inputs[0], np.float32(known(inputs[1]))
        if len(inputs) < 3 or not bool(known(inputs[2])):
            return data, np.ones((1, *shape_of(data)), bool)
        numbers = self._numbers(_DROPOUT, node, attributes, shape_of(data), np.dtype(np.float32))
        kept = numbers >= rate
        return np.where(kept, data * (np.float32(1) / (np.float32(1) - rate)), data * 0), kept

    def _bernoulli(self, node: str, attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        """ONNX Runtime draws a 1 where a uniform draw lies above the probability: the standard turned round."""
        numbers = self._numbers(_BERNOULLI, node, attributes, shape_of(inputs[0]), np.dtype(np.float32))
        return ((numbers > inputs[0]).astype(inputs[0].dtype),)

    def _multinomial(self, node: str, attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        """Draw categories of each row, whose numbers are logarithms of chances up to a factor."""
        chances = np.exp(inputs[0].astype(np.float64))
        ends = np.cumsum(chances / chances.sum(axis=-1, keepdims=True), axis=-1)
        shape = (*shape_of(inputs[0])[:-1], attributes["sample_size"])
        numbers = self._numbers(_MULTINOMIAL, node, attributes, shape, np.dtype(np.float64))
        drawn = (numbers[..., None] >= ends[..., None, :-1]).sum(axis=-1)
        return (drawn.astype(helper.tensor_dtype_to_np_dtype(attributes["dtype"])),)

    def _numbers(
        self, kind: str, node: str, attributes: Mapping[str, Any], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Value:
        if "seed" not in attributes:
            return self._fresh(kind, shape, dtype)
        key = (kind, attributes["seed"], shape, dtype)
        turn = self._turns.get((node, key), 0)
        self._turns[node, key] = turn + 1
        drawn = self._drawn.setdefault(key, [])
        if turn == len(drawn):
            drawn.append(self._fresh(kind, shape, dtype))
        return drawn[turn]

    def _fresh(self, kind: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
        size = (self.replicates, *shape)
        wanted: Any = np.float64 if dtype == np.float64 else np.float32
        drawn: Value = self._rng.standard_normal(size, wanted) if kind == _NORMAL else self._rng.random(size, wanted)
        return drawn


def _line(numbers: Value, start: float, slope: float) -> Value:
    line: Value = numbers * numbers.dtype.type(slope) + numbers.dtype.type(start)
    return line
