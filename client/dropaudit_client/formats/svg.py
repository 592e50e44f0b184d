"""Small drawings for the page: an interval on an axis, and a histogram."""

from __future__ import annotations

import math
from html import escape

from dropaudit.report import Histogram, Interval

WIDTH, HEIGHT = 220, 22
_MARGIN = 6


def interval_svg(interval: Interval, expected: float | None, low: float, high: float) -> str:
    """Draw an interval with its estimate, and a mark where it is expected, on an axis from `low` to `high`.

    Returns nothing where a number is not finite.
    """
    numbers = [interval.lower, interval.estimate, interval.upper, low, high]
    if not all(map(math.isfinite, numbers)) or low >= high:
        return ""

    def at(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 2)

    middle = HEIGHT / 2
    start, end = at(interval.lower), at(interval.upper)
    told = str(interval) if expected is None else f"{interval}, expected {expected:.4g}"
    mark = (
        "" if expected is None else f'<line class="expected" x1="{at(expected)}" x2="{at(expected)}" y1="2" y2="20"/>'
    )
    return (
        f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
        f"<title>{escape(told)}</title>"
        f'<line class="axis" x1="{_MARGIN}" x2="{WIDTH - _MARGIN}" y1="{middle}" y2="{middle}"/>{mark}'
        f'<rect class="range" x="{start}" y="{middle - 4}" width="{max(end - start, 1.5):.2f}" height="8"/>'
        f'<circle class="estimate" cx="{at(interval.estimate)}" cy="{middle}" r="3"/></svg>'
    )


def around(interval: Interval, expected: float) -> tuple[float, float]:
    """Return the ends of an axis that shows an interval and its expected value with room on both sides."""
    low, high = min(interval.lower, expected), max(interval.upper, expected)
    room = max((high - low) * 0.25, 0.02 * abs(expected), 1e-9)
    return low - room, high + room


def histogram_svg(histogram: Histogram, width: int = 320, height: int = 80) -> str:
    """Draw counts as bars, with the outer edges below; nothing where there are no counts."""
    most = max(histogram.counts, default=0)
    if most == 0 or not all(map(math.isfinite, histogram.edges)):
        return ""
    step = width / len(histogram.counts)
    bars = "".join(
        f'<rect x="{number * step:.2f}" y="{height - tall:.2f}" width="{max(step - 1, 0.5):.2f}" height="{tall:.2f}">'
        f"<title>{histogram.edges[number]:.4g} to {histogram.edges[number + 1]:.4g}: {count}</title></rect>"
        for number, count in enumerate(histogram.counts)
        if (tall := height * count / most) > 0
    )
    low, high = (f"{edge:.3g}" for edge in (histogram.edges[0], histogram.edges[-1]))
    return (
        f'<svg class="histogram" viewBox="0 0 {width} {height + 16}" width="{width}" height="{height + 16}" role="img">'
        f"<title>Train output over inference output</title>{bars}"
        f'<text x="0" y="{height + 13}">{low}</text>'
        f'<text x="{width}" y="{height + 13}" text-anchor="end">{high}</text></svg>'
    )
