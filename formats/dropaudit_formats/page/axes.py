"""Axes: where values lie on a drawing, and the round numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from dropaudit_formats.page import svg

LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 18.0, 34.0
# Width of a digit, rather more than less.
_LETTER = 7.0


class Axis(msgspec.Struct, frozen=True):
    """A linear scale: `low` lies at `start`, `high` at `end`; what is outside lies on the nearer edge."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value lies; all of an axis of one value lie at its start."""
        if self.high == self.low:
            return self.start
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high


def across(low: float, high: float) -> Axis:
    """Return an axis that runs along the bottom of a drawing."""
    return Axis(*_apart(low, high), LEFT, svg.WIDTH - RIGHT)


def upward(low: float, high: float, height: float) -> Axis:
    """Return an axis that runs up the left side of a drawing of a height."""
    return Axis(*_apart(low, high), height - BOTTOM, TOP)


def around(values: Sequence[float], share: float = 0.08) -> tuple[float, float]:
    """Return a range that holds values with room on both sides."""
    low, high = min(values), max(values)
    room = share * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return the multiples of 1, 2 or 5 times a power of ten that lie within, at most `most` of them."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (power * factor) < most)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def label(value: float) -> str:
    """Return a number of an axis: digits that a person reads, thousands parted."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 and value == round(value) and abs(value) < 1e7 else f"{value:.4g}"


def bottom_axis(axis: Axis, height: float, title: str, marks: Sequence[float] | None = None) -> Markup:
    """Draw an axis along the bottom with its numbers and its title."""
    base = height - BOTTOM
    parts = [svg.line(axis.start, base, axis.end, base, "axis")]
    for value in ticks(axis.low, axis.high) if marks is None else marks:
        x = axis.at(value)
        parts += [svg.line(x, base, x, base + 3, "axis"), below(x, base + 14, label(value))]
    parts.append(svg.text((axis.start + axis.end) / 2, height - 4, title, text_anchor="middle", class_="title"))
    return Markup("").join(parts)


def below(x: float, y: float, words: str) -> Markup:
    """Write a number under its mark; at an edge of the drawing, as far in as it needs."""
    half = _LETTER * len(words) / 2
    if x + half > svg.WIDTH:
        return svg.text(svg.WIDTH, y, words, text_anchor="end")
    return svg.text(x, y, words, text_anchor="middle") if x >= half else svg.text(0, y, words)


def left_axis(axis: Axis, title: str, written: Sequence[tuple[float, str]] | None = None) -> Markup:
    """Draw an axis up the left side with its numbers, and its title above them."""
    numbers = [(value, label(value)) for value in ticks(axis.low, axis.high, 4)] if written is None else written
    parts = [svg.line(LEFT, axis.start, LEFT, axis.end, "axis")]
    for value, words in numbers:
        y = axis.at(value)
        parts += [svg.line(LEFT - 3, y, LEFT, y, "axis"), svg.text(LEFT - 6, y + 4, words, text_anchor="end")]
    parts.append(svg.text(2, 10, title, class_="title"))
    return Markup("").join(parts)


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)
