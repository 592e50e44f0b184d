"""Laws of draws by their quantiles, and what monotone functions make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

Numbers = float | NDArray[np.float64]
Quantile = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tensor of independent draws.

    Attributes:
        name: of the tensor.
        quantile: value that a draw is below with a given probability; continued in a straight line outside 0 to 1.
        support: where draws lie, to a probability that no audit sees the difference of.
        is_uniform: whether the law is that of a uniform draw.
        middle: what the law is symmetric about; None where it is not.
    """

    name: str
    quantile: Quantile
    support: tuple[float, float]
    is_uniform: bool = False
    middle: float | None = None


def uniform(name: str, low: float, high: float) -> Drawn:
    """Return the law of a uniform draw."""
    return Drawn(name, lambda part: low + (high - low) * part, (low, high), True, (low + high) / 2)


def normal(name: str, mean: float, deviation: float) -> Drawn:
    """Return the law of a normal draw; beyond 0 and 1 its quantile lies where no draw comes."""

    def quantile(part: Any) -> Any:
        return mean + deviation * np.where(part >= 1, 9.0, np.where(part <= 0, -9.0, ndtri(np.clip(part, 0, 1))))

    return Drawn(name, quantile, (mean - 9 * deviation, mean + 9 * deviation), False, mean)


@dataclass(frozen=True, slots=True)
class Monotone:
    """A function that keeps or turns round the order of draws.

    Attributes:
        operator: ONNX's, of one input.
        function: the same in numpy.
        within: the support that it can be used on without losing digits.
        rises: whether it keeps the order.
        single: whether the runtime has it in float32 alone.
    """

    operator: str
    function: Callable[[Any], Any]
    within: tuple[float, float]
    rises: bool = True
    single: bool = False

    def of(self, drawn: Drawn, name: str) -> Drawn:
        """Return the law of the function's result."""

        ends = sorted(float(self.function(end)) for end in drawn.support)

        def quantile(part: Any) -> Any:
            # Beyond 0 and 1, where no draw comes, the function may have no value: there it goes on in a straight line.
            inside = np.clip(part, 0, 1)
            value = self.function(drawn.quantile(inside if self.rises else 1 - inside))
            return value + (part - inside) * (ends[1] - ends[0])

        return Drawn(name, quantile, (ends[0], ends[1]))


MONOTONE = {
    "neg": Monotone("Neg", np.negative, (-1e3, 1e3), rises=False),
    "sigmoid": Monotone("Sigmoid", expit, (-4, 4)),
    "exp": Monotone("Exp", np.exp, (-4, 4)),
    "tanh": Monotone("Tanh", np.tanh, (-2, 2)),
    "log": Monotone("Log", np.log, (0.5, 300)),
    "sqrt": Monotone("Sqrt", np.sqrt, (0.5, 300)),
    "reciprocal": Monotone("Reciprocal", np.reciprocal, (0.5, 20), rises=False),
    "softplus": Monotone("Softplus", lambda x: np.log1p(np.exp(x)), (-4, 8), single=True),
    "atan": Monotone("Atan", np.arctan, (-4, 4), single=True),
    "softsign": Monotone("Softsign", lambda x: x / (1 + np.abs(x)), (-8, 8), single=True),
}
