"""What a tensor that depends on one uniform draw and on constants can be.

A dropout chain turns a uniform draw into a tensor of two values: `Less(u, 0.8)` is 1 with probability 0.8 and 0
otherwise; `Cast` keeps that, `Not` swaps the values, `Div` by 0.8 makes them 1.25 and 0. Following the two values
through the chain gives the declared keep probability whatever the spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Uniform:
    """A uniform draw on [low, high)."""

    low: float
    high: float

    def share_below(self, threshold: float) -> float:
        """Return the probability that the draw is below `threshold`."""
        return min(1.0, max(0.0, (threshold - self.low) / (self.high - self.low)))


@dataclass(frozen=True, slots=True)
class TwoPoint:
    """A tensor that is `hit` with probability `chance` and `miss` otherwise."""

    chance: float
    hit: float = 1.0
    miss: float = 0.0

    @property
    def keep_prob(self) -> float:
        """Probability that the tensor is not zero."""
        return self.chance * (self.hit != 0) + (1 - self.chance) * (self.miss != 0)


Draw = Uniform | TwoPoint

_COMPARISONS = {"Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b if b else float("nan"),
}
# Operators that only move elements, or change their type.
MOVES = frozenset({"Cast", "Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Flatten"})


def step(op_type: str, operands: tuple[Draw | float | None, ...]) -> Draw | None:
    """Follow one operator; None when its result is not of this kind.

    Args:
        op_type: the ONNX operator.
        operands: its inputs: a draw, the value of a scalar constant, or None for anything else.
    """
    first = operands[0]
    if op_type in MOVES:
        return first if not isinstance(first, float) else None
    if op_type == "Not" and isinstance(first, TwoPoint):
        return replace(first, hit=float(not first.hit), miss=float(not first.miss))
    if op_type == "Floor" and isinstance(first, Uniform):
        return _floor(first)
    if len(operands) == 2 and op_type in _COMPARISONS:
        return _compare(op_type, operands[0], operands[1])
    if len(operands) == 2 and op_type in _ARITHMETIC:
        return _compute(op_type, operands[0], operands[1])
    return None


def _floor(draw: Uniform) -> TwoPoint | None:
    """floor(keep + u) is 1 with probability keep."""
    if draw.low < 0 or draw.high > 2:
        return None
    return TwoPoint(chance=1 - draw.share_below(1.0))


def _compare(op_type: str, left: Draw | float | None, right: Draw | float | None) -> TwoPoint | None:
    below = op_type.startswith("Less")
    if isinstance(left, Uniform) and isinstance(right, float):
        share = left.share_below(right)
    elif isinstance(left, float) and isinstance(right, Uniform):
        share, below = right.share_below(left), not below
    else:
        return None
    return TwoPoint(chance=share if below else 1 - share)


def _compute(op_type: str, left: Draw | float | None, right: Draw | float | None) -> Draw | None:
    compute = _ARITHMETIC[op_type]
    if isinstance(left, TwoPoint) and isinstance(right, float):
        return replace(left, hit=compute(left.hit, right), miss=compute(left.miss, right))
    if isinstance(left, float) and isinstance(right, TwoPoint):
        return replace(right, hit=compute(left, right.hit), miss=compute(left, right.miss))
    if isinstance(left, Uniform) and isinstance(right, float) and op_type != "Div":
        ends = sorted((compute(left.low, right), compute(left.high, right)))
        return Uniform(*ends)
    if isinstance(left, float) and isinstance(right, Uniform) and op_type != "Div":
        ends = sorted((compute(left, right.low), compute(left, right.high)))
        return Uniform(*ends)
    return None
