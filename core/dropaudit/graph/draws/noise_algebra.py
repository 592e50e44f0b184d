"""The algebra of tensors that depend on one random draw, on constants, and on at most one tensor of data.

A dropout, however it is spelled, is a draw that decides between two lines: a kept element becomes slope * x + shift, a
dropped one a constant. `Less(u, 0.8)` is a draw of two values, 1 with probability 0.8 and 0 otherwise; `Cast` keeps
them, `Not` exchanges them, `Div` by 0.8 makes them 1.25 and 0; `Mul` with data makes them the lines 1.25 * x and 0.
Following values and lines through the operators gives the law whatever the spelling.
"""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace


class Fill(msgspec.Struct, frozen=True):
    """A constant that is the same in all elements."""

    value: float


class Data(msgspec.Struct, frozen=True):
    """Any other tensor, by name."""

    name: str


class Uniform(msgspec.Struct, frozen=True):
    """A uniform draw on [low, high)."""

    draw: str
    low: float
    high: float

    def share_below(self, threshold: float) -> float:
        """Return the probability that the draw is below `threshold`."""
        return min(1.0, max(0.0, (threshold - self.low) / (self.high - self.low)))

    @property
    def mean(self) -> float:
        """Expected value."""
        return (self.low + self.high) / 2


class Normal(msgspec.Struct, frozen=True):
    """A normal draw."""

    draw: str
    mean: float
    sd: float


class TwoPoint(msgspec.Struct, frozen=True):
    """A draw that is `hit` with probability `chance` and `miss` otherwise."""

    draw: str
    chance: float
    hit: float = 1.0
    miss: float = 0.0

    @property
    def mean(self) -> float:
        """Expected value."""
        return self.chance * self.hit + (1 - self.chance) * self.miss


class Line(msgspec.Struct, frozen=True):
    """slope * data + shift."""

    slope: float
    shift: float

    def plus(self, other: Line) -> Line:
        """Add two lines over the same data."""
        return Line(self.slope + other.slope, self.shift + other.shift)

    def times(self, factor: float) -> Line:
        """Multiply by a number."""
        return Line(self.slope * factor, self.shift * factor)


class Masked(msgspec.Struct, frozen=True):
    """Data under a draw of two values: the line `hit` with probability `chance`, the line `miss` otherwise."""

    draw: str
    chance: float
    source: str
    hit: Line
    miss: Line

    @property
    def is_dropout(self) -> bool:
        """Whether one of the two lines forgets the data and the other does not."""
        return (self.hit.slope == 0) != (self.miss.slope == 0) and 0 < self.chance < 1

    @property
    def keep_prob(self) -> float:
        """Probability of the line that keeps the data."""
        return self.chance if self.hit.slope else 1 - self.chance

    @property
    def kept(self) -> Line:
        """The line of kept elements."""
        return self.hit if self.hit.slope else self.miss

    @property
    def dropped(self) -> float:
        """The value of dropped elements."""
        return self.miss.shift if self.hit.slope else self.hit.shift


class Jittered(msgspec.Struct, frozen=True):
    """Data times a normal draw."""

    draw: str
    source: str
    mean: float
    sd: float

    @property
    def is_dropout(self) -> bool:
        """Whether the data survives on average; noise around zero, as in sampling, forgets it."""
        return self.mean != 0 and self.sd > 0

    @property
    def keep_prob(self) -> float:
        """The q whose Gaussian dropout N(1, p/q) has this spread (Srivastava et al. 2014, section 10)."""
        return 1 / (1 + (self.sd / self.mean) ** 2)


class Blend(msgspec.Struct, frozen=True):
    """One draw that chooses between two tensors of data, as in zoneout."""

    draw: str
    chance: float


Noise = Uniform | Normal | TwoPoint
Mixed = Masked | Jittered
Value = Fill | Data | Noise | Mixed | Blend

# Operators that only move elements, or change their type.
MOVES = frozenset({"Cast", "Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Flatten", "CastLike"})
# Operators that take a part of their first input, whose elements are then draws of their own.
PARTS = frozenset({"Slice", "Gather", "Split", "Tile", "Concat"})
_COMPARISONS = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
_SUMS = {"Add": 1.0, "Sub": -1.0}


def step(op_type: str, operands: tuple[Value, ...]) -> Value | None:
    """Follow one operator of one result; None when that is plain data, or noise of another kind.

    Args:
        op_type: the ONNX operator.
        operands: what its inputs are.
    """
    first = operands[0]
    if op_type in MOVES:
        return _moved(op_type, first)
    if op_type == "Where" and len(operands) == 3:
        return _where(*operands)
    if op_type == "Not" and isinstance(first, TwoPoint):
        return replace(first, hit=float(not first.hit), miss=float(not first.miss))
    if op_type in ("Floor", "Ceil") and isinstance(first, Uniform):
        return _rounded(op_type, first)
    if op_type == "Neg":
        return _multiply(first, Fill(-1.0))
    if len(operands) != 2:
        return None
    return _binary(op_type, first, operands[1])


def _binary(op_type: str, left: Value, right: Value) -> Value | None:
    if op_type in _COMPARISONS:
        return _compare(op_type, left, right)
    if op_type in _SUMS:
        return _add(left, right, _SUMS[op_type])
    if op_type == "Mul":
        return _multiply(left, right)
    if op_type == "Div" and isinstance(right, Fill) and right.value:
        return _multiply(left, Fill(1 / right.value))
    return None


def _moved(op_type: str, first: Value) -> Value | None:
    if isinstance(first, Fill | Uniform | Normal | TwoPoint):
        return first
    return first if op_type in ("Identity", "Cast") and isinstance(first, Masked | Jittered) else None


def _rounded(op_type: str, draw: Uniform) -> TwoPoint | None:
    """floor(keep + u) is 1 with probability keep; ceil(u - drop) is 1 with probability keep."""
    edge = 1.0 if op_type == "Floor" else 0.0
    if draw.low < edge - 1 or draw.high > edge + 1:
        return None
    return TwoPoint(draw.draw, chance=1 - draw.share_below(edge))


def _compare(op_type: str, left: Value, right: Value) -> TwoPoint | None:
    below = op_type.startswith("Less")
    if isinstance(left, Uniform) and isinstance(right, Fill):
        draw, share = left.draw, left.share_below(right.value)
    elif isinstance(left, Fill) and isinstance(right, Uniform):
        draw, share, below = right.draw, right.share_below(left.value), not below
    else:
        return None
    return TwoPoint(draw, chance=share if below else 1 - share)


class _Forked(msgspec.Struct, frozen=True):
    """An operand as two lines over one tensor of data, either of which may be missing."""

    draw: str | None
    chance: float
    source: str | None
    hit: Line
    miss: Line


def _forked(value: Value) -> _Forked | None:
    match value:
        case Fill(value=number):
            return _Forked(None, 1.0, None, Line(0.0, number), Line(0.0, number))
        case Data(name=name):
            return _Forked(None, 1.0, name, Line(1.0, 0.0), Line(1.0, 0.0))
        case TwoPoint(draw=draw, chance=chance, hit=hit, miss=miss):
            return _Forked(draw, chance, None, Line(0.0, hit), Line(0.0, miss))
        case Masked(draw=draw, chance=chance, source=source, hit=above, miss=below):
            return _Forked(draw, chance, source, above, below)
    return None


def _add(left: Value, right: Value, sign: float) -> Value | None:
    if isinstance(left, Uniform | Normal | Jittered) or isinstance(right, Uniform | Normal | Jittered):
        return _add_continuous(left, right, sign)
    a, b = _forked(left), _forked(right)
    if a is None or b is None or not _one_draw(a, b):
        return None
    if a.source and b.source and a.source != b.source:
        return _blended(a, b)
    return _value(a, b, a.hit.plus(b.hit.times(sign)), a.miss.plus(b.miss.times(sign)))


def _blended(a: _Forked, b: _Forked) -> Blend | None:
    """m * x + (1 - m) * y chooses between two tensors; x + m * y does not."""
    complementary = (a.hit.slope == 0) == (b.miss.slope == 0) and (a.miss.slope == 0) == (b.hit.slope == 0)
    if a.draw is None or b.draw is None or not complementary:
        return None
    return Blend(a.draw, a.chance)


def _add_continuous(left: Value, right: Value, sign: float) -> Value | None:
    if isinstance(right, Uniform | Normal | Jittered) and not isinstance(left, Uniform | Normal | Jittered):
        scaled = _multiply(right, Fill(sign))
        return None if scaled is None else _shifted(scaled, left)
    return _shifted(left, right if sign > 0 else _multiply(right, Fill(-1.0)))


def _shifted(draw: Value, by: Value | None) -> Value | None:
    match draw, by:
        case Uniform(), Fill(value=number):
            return replace(draw, low=draw.low + number, high=draw.high + number)
        case Normal(), Fill(value=number):
            return replace(draw, mean=draw.mean + number)
        case Jittered(), Data(name=name) if name == draw.source:
            return replace(draw, mean=draw.mean + 1.0)
    return None


def _multiply(left: Value, right: Value) -> Value | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Uniform | Normal | Jittered):
            return _multiply_continuous(one, other)
    a, b = _forked(left), _forked(right)
    if a is None or b is None or (a.source and b.source) or not _one_draw(a, b):
        return None
    lines, numbers = (a, b) if a.source else (b, a)
    return _value(a, b, lines.hit.times(numbers.hit.shift), lines.miss.times(numbers.miss.shift))


def _multiply_continuous(draw: Value, by: Value) -> Value | None:
    match draw, by:
        case Uniform(), Fill(value=number):
            low, high = sorted((draw.low * number, draw.high * number))
            return replace(draw, low=low, high=high)
        case Normal(), Fill(value=number):
            return replace(draw, mean=draw.mean * number, sd=draw.sd * abs(number))
        case Normal(), Data(name=name):
            return Jittered(draw.draw, name, draw.mean, draw.sd)
        case Jittered(), Fill(value=number):
            return replace(draw, mean=draw.mean * number, sd=draw.sd * abs(number))
    return None


def _where(condition: Value, taken: Value, other: Value) -> Value | None:
    if not isinstance(condition, TwoPoint):
        return None
    a, b = _forked(taken), _forked(other)
    if a is None or b is None:
        return None
    chooser = _Forked(condition.draw, condition.chance, None, Line(0.0, 0.0), Line(0.0, 0.0))
    if not (_one_draw(a, b) and _one_draw(a, chooser) and _one_draw(b, chooser)):
        return None
    if a.source and b.source and a.source != b.source:
        return Blend(condition.draw, condition.chance if condition.hit else 1 - condition.chance)
    hit = a.hit if condition.hit else b.hit
    miss = a.miss if condition.miss else b.miss
    return _value(replace(chooser, source=a.source), b, hit, miss)


def _one_draw(a: _Forked, b: _Forked) -> bool:
    return a.draw is None or b.draw is None or (a.draw == b.draw and math.isclose(a.chance, b.chance))


def _value(a: _Forked, b: _Forked, hit: Line, miss: Line) -> Value | None:
    draw, source = a.draw or b.draw, a.source or b.source
    if draw is None:
        return None if source else Fill(hit.shift)
    chance = a.chance if a.draw else b.chance
    return Masked(draw, chance, source, hit, miss) if source else TwoPoint(draw, chance, hit.shift, miss.shift)
