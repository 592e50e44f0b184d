"""The weights of two artifacts, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.reading.scope import main_scope
from dropaudit.stats.products import inner, norm_squared

_FEWEST = 8
_PRECISION = 1e-4


@dataclass(frozen=True, slots=True)
class WeightComparison:
    """How the weights of an inference artifact relate to those of a train artifact.

    Attributes:
        matched: weights that are found in both, equal or times one factor.
        different: names of train weights that have a counterpart of the same name or shape, with other numbers.
        renumbered: those of them whose counterpart has the same name.
        factors: factors other than 1 that were found, each once.
    """

    matched: int
    different: tuple[str, ...]
    renumbered: tuple[str, ...]
    factors: tuple[float, ...]

    @property
    def factor(self) -> float | None:
        """The one factor other than 1, None where there is none or there are several."""
        return self.factors[0] if len(self.factors) == 1 else None


def compare_weights(train: onnx.ModelProto, inference: onnx.ModelProto) -> WeightComparison:
    """Find each weight of the train artifact in the inference artifact: by its name, otherwise by its shape.

    Exporters rename weights, and may transpose them; one that has no counterpart says nothing.
    """
    theirs = _weights(inference)
    matched, different, renumbered, factors = 0, [], [], []
    for name, value in _weights(train).items():
        # One of the same name comes first; exporters number names, so that it may be another weight.
        same = [theirs[name]] if name in theirs and theirs[name].shape == value.shape else []
        candidates = same + [other for other in theirs.values() if other.shape == value.shape]
        found = [ratio for other in candidates if (ratio := _ratio(value, other)) is not None]
        if found:
            matched += 1
            nearest = min(found, key=lambda ratio: abs(ratio - 1))
            factors += [nearest] if abs(nearest - 1) > _PRECISION else []
        elif candidates:
            different.append(name)
            renumbered += [name] if same else []
    distinct = [f for i, f in enumerate(factors) if all(abs(f / g - 1) > _PRECISION for g in factors[:i])]
    return WeightComparison(matched, tuple(different), tuple(renumbered), tuple(distinct))


def _weights(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    scope = main_scope(model)
    return {
        name: value
        for name, value in scope.constants.items()
        if value.dtype.kind == "f" and value.size >= _FEWEST and np.unique(value).size > 2
    }


def _ratio(train: NDArray[Any], inference: NDArray[Any]) -> float | None:
    """Return f where inference = f * train, None where they differ otherwise."""
    x, y = train.astype(np.float64).ravel(), inference.astype(np.float64).ravel()
    norm = norm_squared(x)
    if norm == 0 or not np.all(np.isfinite(y)):
        return None
    factor = float(inner(x, y)) / norm
    return (
        factor
        if factor > 0 and np.allclose(y, factor * x, rtol=_PRECISION, atol=_PRECISION * np.abs(y).max())
        else None
    )
