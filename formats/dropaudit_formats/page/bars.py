"""The effect of each of several sites on an output, as bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from dropaudit.report import Attribution
from dropaudit_formats.names import cut_middle
from dropaudit_formats.page import svg

MOST_SITES = 10
_ROW = 46.0
_TOP = 16.0
_NUMBER = 88.0


def strongest(sites: Sequence[Attribution]) -> list[Attribution]:
    """Return the sites that do most, in the order of the report."""
    ranked = sorted(sites, key=lambda each: -(abs(each.mean_gap_alone) + math.sqrt(abs(each.variance_alone))))
    kept = {id(each) for each in ranked[:MOST_SITES]}
    return [each for each in sites if id(each) in kept]


def gap_bars(sites: Sequence[Attribution]) -> Markup | None:
    """Draw how far each site moves the mean: alone, and when all others drop without it."""
    pairs = [(each.site, each.mean_gap_alone, each.mean_gap_without) for each in sites]
    return _bars("Shift of the mean", pairs, lambda value: f"{value:+.1%}")


def variance_bars(sites: Sequence[Attribution]) -> Markup | None:
    """Draw how much each site scatters the output: alone, and when all others drop without it."""
    pairs = [(each.site, each.variance_alone, each.variance_without) for each in sites]
    return _bars("Variance", pairs, lambda value: f"{value:.3g}")


def _bars(title: str, rows: Sequence[tuple[str, float, float]], written: Callable[[float], str]) -> Markup | None:
    values = [value for _, *pair in rows for value in pair]
    if not values or not all(map(math.isfinite, values)):
        return None
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    room = svg.WIDTH - 2 * _NUMBER

    def at(value: float) -> float:
        return _NUMBER + (value - low) / span * room

    parts = []
    for number, (site, alone, without) in enumerate(rows):
        top = _TOP + number * _ROW
        parts.append(svg.text(0, top + 9, cut_middle(site, 52), class_="name"))
        parts.append(svg.line(at(0), top + 12, at(0), top + 39, "axis"))
        parts += _bar(at(0), at(alone), top + 14, written(alone), "alone")
        parts += _bar(at(0), at(without), top + 27, written(without), "without")
    told = "; ".join(f"{cut_middle(site, 40)} alone {written(a)}, without it {written(b)}" for site, a, b in rows)
    return svg.picture(f"{title}: {told}", _TOP + _ROW * len(rows), *parts)


def _bar(zero: float, end: float, top: float, number: str, kind: str) -> list[Markup]:
    left, right = min(zero, end), max(zero, end)
    words = f"{kind} {number}"
    x, anchor = (left - 4, "end") if end < zero else (right + 4, "start")
    return [
        svg.element("rect", x=left, y=top, width=max(right - left, 1), height=10, class_=kind),
        svg.text(x, top + 9, words, text_anchor=anchor, class_="note"),
    ]
