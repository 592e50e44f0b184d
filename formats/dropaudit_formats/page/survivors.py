"""Train mode over inference, element by element: how many lie where, with 1 and 1/q marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from dropaudit.report import Histogram, Interval, Scale
from dropaudit_formats.page import axes, svg

HEIGHT = 180.0
_TOP = 34.0


class Bar(msgspec.Struct, frozen=True):
    """A bar between two values; `share` of all elements lies there."""

    low: float
    high: float
    share: float
    has_dropped: bool


def survivors_of_histogram(
    histogram: Histogram, expected: Sequence[float], *, has_dropped: bool = True
) -> Markup | None:
    """Draw a histogram; nothing where it has no counts, or edges that are not finite.

    `has_dropped` says whether what lies around zero was dropped.
    """
    everything = sum(histogram.counts) + histogram.below + histogram.above
    edges = histogram.edges
    if not sum(histogram.counts) or len(edges) != len(histogram.counts) + 1 or not all(map(math.isfinite, edges)):
        return None
    bars = [
        Bar(low, high, count / everything, has_dropped and low <= 0 <= high)
        for low, high, count in zip(edges, edges[1:], histogram.counts, strict=False)
        if count
    ]
    outside = [_share_outside(histogram.below, everything), _share_outside(histogram.above, everything)]
    return _drawn(bars, (edges[0], edges[-1]), expected, outside)


def survivors_of_factor(keep_prob: Interval, scale: Scale) -> Markup | None:
    """Draw what a mask with one factor does: a share is dropped, the rest multiplied."""
    if not (math.isfinite(scale.median) and scale.median):
        return None
    wanted = [] if scale.expected is None else [scale.expected]
    low, high = min(0.0, scale.median), max(1.0, scale.median, *wanted)
    room, half = 0.08 * (high - low), 0.015 * (high - low)
    bars = [
        Bar(-half, half, 1 - keep_prob.estimate, has_dropped=True),
        Bar(scale.median - half, scale.median + half, keep_prob.estimate, has_dropped=False),
    ]
    return _drawn(bars, (low - room, high + room), wanted, ["", ""])


def _share_outside(count: int, everything: int) -> str:
    return f"{count / everything:.1%} outside" if count else ""


def _drawn(bars: Sequence[Bar], ends: tuple[float, float], expected: Sequence[float], outside: list[str]) -> Markup:
    along = axes.across(*ends)
    tallest = max(bar.share for bar in bars)
    up = axes.Axis(0.0, tallest * 1.04, HEIGHT - axes.BOTTOM, _TOP)
    shares = [(value, f"{value:.0%}" if tallest > 0.05 else f"{value:.1%}") for value in axes.ticks(0, up.high, 4)]
    return svg.picture(
        _told(bars, expected, outside),
        HEIGHT,
        *_marks(along, expected),
        *(_bar(bar, along, up) for bar in bars),
        axes.left_axis(up, "share of elements", shares),
        axes.bottom_axis(along, HEIGHT, "train output ÷ inference output (0: dropped)"),
        _beyond(axes.LEFT + 4, outside[0] and f"← {outside[0]}", "start"),
        _beyond(along.end, outside[1] and f"{outside[1]} →", "end"),
    )


def _beyond(x: float, words: str, anchor: str) -> Markup:
    return svg.text(x, _TOP + 8, words, text_anchor=anchor, class_="note") if words else Markup("")


def _bar(bar: Bar, along: axes.Axis, up: axes.Axis) -> Markup:
    x, y = along.at(bar.low), up.at(bar.share)
    width = max(along.at(bar.high) - x - 0.5, 1.0)
    kind = "dropped" if bar.has_dropped else "kept"
    told = svg.element("title", f"{bar.low:.3g} to {bar.high:.3g}: {bar.share:.2%}")
    return svg.element("rect", told, x=x, y=y, width=width, height=max(up.start - y, 0.5), class_=kind)


def _marks(along: axes.Axis, expected: Sequence[float]) -> list[Markup]:
    """Mark 1, and what inverted dropout multiplies by; labels that would meet stand in two rows."""
    values = [(1.0, "1"), *((value, f"1/q = {value:.3g}") for value in expected if abs(value - 1) > 1e-3)]
    parts, last, row = [], -math.inf, 0
    for value, words in sorted(each for each in values if along.holds(each[0])):
        x = along.at(value)
        row = 1 - row if x - last < 52 else 0
        last = x
        anchor = "end" if x > svg.WIDTH - 40 else "middle"
        parts += [
            svg.line(x, 30, x, HEIGHT - axes.BOTTOM, "expected"),
            svg.text(x, 26 - 11 * row, words, text_anchor=anchor, class_="note"),
        ]
    return parts


def _told(bars: Sequence[Bar], expected: Sequence[float], outside: Sequence[str]) -> str:
    dropped = sum(bar.share for bar in bars if bar.has_dropped)
    highest = max((bar for bar in bars if not bar.has_dropped), key=lambda bar: bar.share, default=None)
    most = "" if highest is None else f"; most survivors lie near {(highest.low + highest.high) / 2:.3g}"
    wanted = "".join(f", 1/q is {value:.3g}" for value in expected)
    beyond = "".join(f", {words} the range" for words in outside if words)
    return f"Train output over inference output: {dropped:.0%} near zero{most}{wanted}{beyond}"
