"""The weights of two artifacts, compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.stats.fits import distinct
from dropaudit.stats.products import inner, norm_squared

_FEWEST = 8
_PRECISION = 1e-4
# Weights that were converted to half precision, and how many steps of a quantization a weight may have moved.
_HALF_PRECISION, _STEP = 1e-3, 0.51


_ON_INTEGERS = frozenset({"MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "DynamicQuantizeLSTM"})


class _Weight(msgspec.Struct, frozen=True):
    """A weight, with the step that it was rounded to by quantization; 0 where it was not."""

    values: NDArray[Any]
    step: float

    @property
    def is_rounded(self) -> bool:
        return self.step > 0 or self.values.dtype == np.float16


class WeightComparison(msgspec.Struct, frozen=True):
    """How the weights of an inference artifact relate to those of a train artifact.

    Attributes:
        matched: weights that are found in both, equal or times one factor.
        different: names of train weights that have a counterpart of the same name or shape, with other numbers.
        renumbered: those of them whose counterpart has the same name.
        factors: factors other than 1 that were found, each once.
        rounded: whether one of the two holds weights in half precision or quantized, and the other does not.
    """

    matched: int
    different: tuple[str, ...]
    renumbered: tuple[str, ...]
    factors: tuple[float, ...]
    rounded: bool = False

    @property
    def factor(self) -> float | None:
        """The one factor other than 1, None where there is none or there are several."""
        return self.factors[0] if len(self.factors) == 1 else None


def compare_weights(train: onnx.ModelProto, inference: onnx.ModelProto) -> WeightComparison:
    """Find each weight of the train artifact in the inference artifact: by its name, otherwise by its shape.

    Exporters rename weights, and may transpose them; one that has no counterpart says nothing. What is the same as one
    weight is no counterpart of another.
    """
    ours, theirs = _weights(train), _weights(inference)
    ratios = {name: _ratios(value, theirs) for name, value in ours.items()}
    same_as = {other for found in ratios.values() for other in found}
    matched, different, renumbered, factors = 0, [], [], []
    for name, found in ratios.items():
        # One of the same name comes first; exporters number names, so that it may be another weight.
        named = name in theirs and theirs[name].values.shape == ours[name].values.shape
        if found:
            matched += 1
            nearest = min(found.values(), key=lambda ratio: abs(ratio - 1))
            factors += [nearest] if abs(nearest - 1) > _PRECISION else []
        elif named or _of_shape(ours[name], theirs).keys() - same_as:
            different.append(name)
            renumbered += [name] if named else []
    distinct = [f for i, f in enumerate(factors) if all(abs(f / g - 1) > _PRECISION for g in factors[:i])]
    rounded = _holds_rounded(train, ours) != _holds_rounded(inference, theirs)
    return WeightComparison(matched, tuple(different), tuple(renumbered), tuple(distinct), rounded)


def _of_shape(value: _Weight, others: Mapping[str, _Weight]) -> dict[str, _Weight]:
    return {name: other for name, other in others.items() if other.values.shape == value.values.shape}


def _ratios(value: _Weight, others: Mapping[str, _Weight]) -> dict[str, float]:
    """Return the weights that are one factor times a weight, each with that factor."""
    found = {name: _ratio(value, other) for name, other in _of_shape(value, others).items()}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _weights(model: onnx.ModelProto) -> dict[str, _Weight]:
    scope = main_scope(model)
    return {
        name: _Weight(value, _step(scope, name))
        for name, value in scope.constants.items()
        if value.dtype.kind == "f" and value.size >= _FEWEST and len(distinct(value)) > 2
    }


def _step(scope: Scope, name: str) -> float:
    """Return the largest step of a weight that is held as integers."""
    node = scope.producers.get(name)
    scale = scope.constants.get(node.input[1]) if node is not None and node.op_type == "DequantizeLinear" else None
    return 0.0 if scale is None else float(np.max(np.abs(scale)))


def _holds_rounded(model: onnx.ModelProto, weights: Mapping[str, _Weight]) -> bool:
    return any(each.is_rounded for each in weights.values()) or any(
        node.op_type in _ON_INTEGERS for node in model.graph.node
    )


def _ratio(train: _Weight, inference: _Weight) -> float | None:
    """Return f where inference = f * train, to the precision that both have; None where they differ otherwise."""
    x, y = (each.values.astype(np.float64).ravel() for each in (train, inference))
    norm = norm_squared(x)
    if norm == 0 or not np.all(np.isfinite(y)):
        return None
    factor = float(inner(x, y)) / norm
    precision = _HALF_PRECISION if np.float16 in (train.values.dtype, inference.values.dtype) else _PRECISION
    steps = inference.step + factor * train.step
    # Rounding moves the fitted factor too, by up to a step over the norm.
    moved = precision * np.abs(y).max() + (_STEP + np.abs(x).max() / math.sqrt(norm)) * steps
    if factor <= 0 or not np.allclose(y, factor * x, rtol=precision, atol=moved):
        return None
    # The nearest factor of rounded weights is 1 but for the rounding.
    close = abs(factor - 1) * math.sqrt(norm / x.size) <= moved
    return 1.0 if close and (train.is_rounded or inference.is_rounded) else factor
