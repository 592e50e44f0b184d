"""How an interval narrowed over the replicates, or where the one interval lies that there is."""

from __future__ import annotations

import math

import msgspec
from markupsafe import Markup

from dropaudit.report import Interval, Trajectory
from dropaudit_formats.page import axes, svg

HEIGHT = 170.0
_LOW_HEIGHT = 78.0
# How many times the last interval's half width the drawing reaches: the first looks are far wider.
_REACH = 6.0
_MOST_DOTS = 12


class Expected(msgspec.Struct, frozen=True):
    """A value that is expected, and how far from it still agrees."""

    value: float
    margin: float = 0.0


def narrowing(
    interval: Interval, trajectory: Trajectory | None, expected: Expected | None, quantity: str
) -> Markup | None:
    """Draw the looks that a trajectory holds, else the interval alone; nothing where a number is not finite."""
    numbers = [interval.lower, interval.estimate, interval.upper]
    if trajectory is not None:
        numbers += [*trajectory.lower, *trajectory.upper]
    if not all(map(math.isfinite, numbers)):
        return None
    if trajectory is None or not _is_whole(trajectory):
        return _alone(interval, expected, quantity)
    return _over_replicates(interval, trajectory, expected, quantity)


def _is_whole(trajectory: Trajectory) -> bool:
    """Whether there are points, and all their numbers: a server may have cut them."""
    lengths = {len(each) for each in (trajectory.lower, trajectory.estimate, trajectory.upper, trajectory.replicates)}
    return len(lengths) == 1 and len(trajectory.replicates) > 1 and min(trajectory.replicates) > 0


def _told(interval: Interval, expected: Expected | None, quantity: str) -> str:
    wanted = "" if expected is None else f", expected {expected.value:.4g}"
    return f"{quantity}: {interval}{wanted}"


def _over_replicates(interval: Interval, trajectory: Trajectory, expected: Expected | None, quantity: str) -> Markup:
    up = axes.upward(*_range(interval, trajectory, expected), HEIGHT)
    first, last = trajectory.replicates[0], trajectory.replicates[-1]
    along = axes.across(math.log(first), math.log(max(last, first + 1)))
    points = list(zip((along.at(math.log(count)) for count in trajectory.replicates), trajectory.estimate, strict=True))
    xs = [x for x, _ in points]
    band = [(x, up.at(high)) for x, high in zip(xs, trajectory.upper, strict=True)]
    band += [(x, up.at(low)) for x, low in zip(reversed(xs), reversed(trajectory.lower), strict=True)]
    return svg.picture(
        _told(interval, expected, quantity),
        HEIGHT,
        *_expected(expected, up, along),
        svg.path(band, "band", closed=True),
        svg.path([(x, up.at(value)) for x, value in points], "curve"),
        *_dots([(x, up.at(value)) for x, value in points]),
        axes.left_axis(up, quantity),
        _replicates(along, trajectory),
    )


def _dots(points: list[tuple[float, float]]) -> list[Markup]:
    """Mark the looks, where there are few."""
    few = points if len(points) <= _MOST_DOTS else []
    return [svg.element("circle", cx=x, cy=y, r=2, class_="dot") for x, y in few]


def _replicates(along: axes.Axis, trajectory: Trajectory) -> Markup:
    """Draw the axis of replicates, whose scale is that of logarithms: its numbers are those of some looks."""
    counts = [trajectory.replicates[0], *trajectory.replicates[1:-1], trajectory.replicates[-1]]
    shown = [counts[0]]
    for count in counts[1:-1]:
        if along.at(math.log(count)) - along.at(math.log(shown[-1])) > 62:
            shown.append(count)
    if len(shown) > 1 and along.end - along.at(math.log(shown[-1])) < 62:
        shown.pop()
    base, parts = HEIGHT - axes.BOTTOM, []
    for count in (*shown, counts[-1]):
        x = along.at(math.log(count))
        parts += [svg.line(x, base, x, base + 3, "axis"), axes.below(x, base + 14, f"{count:,}")]
    return axes.bottom_axis(along, HEIGHT, "replicates drawn", marks=()) + Markup("").join(parts)


def _range(interval: Interval, trajectory: Trajectory, expected: Expected | None) -> tuple[float, float]:
    reach = _REACH * max(interval.upper - interval.lower, 1e-9) / 2
    low = max(min(trajectory.lower), interval.estimate - reach)
    high = min(max(trajectory.upper), interval.estimate + reach)
    values = [low, high, interval.lower, interval.upper]
    if expected is not None:
        values += [expected.value - expected.margin, expected.value + expected.margin]
    return axes.around(values)


def _expected(expected: Expected | None, up: axes.Axis, along: axes.Axis) -> list[Markup]:
    if expected is None:
        return []
    y = up.at(expected.value)
    top, bottom = up.at(expected.value + expected.margin), up.at(expected.value - expected.margin)
    parts = [svg.line(along.start, y, along.end, y, "expected")]
    if bottom > top:
        zone = svg.element(
            "rect", x=along.start, y=top, width=along.end - along.start, height=bottom - top, class_="zone"
        )
        parts.insert(0, zone)
    words = f"expected {expected.value:.4g}"
    return [*parts, svg.text(along.end, 10, words, text_anchor="end", class_="note")]


def _alone(interval: Interval, expected: Expected | None, quantity: str) -> Markup:
    values = [interval.lower, interval.upper, *([] if expected is None else [expected.value])]
    is_share = min(values) >= 0 and max(values) <= 1 and max(values) - min(values) > 0.1
    along = axes.across(*((0.0, 1.0) if is_share else axes.around(values)))
    middle = _LOW_HEIGHT - axes.BOTTOM - 12
    start, end = along.at(interval.lower), along.at(interval.upper)
    parts = [
        svg.element("rect", x=start, y=middle - 5, width=max(end - start, 1.5), height=10, class_="band"),
        svg.element("circle", cx=along.at(interval.estimate), cy=middle, r=3, class_="dot"),
        axes.bottom_axis(along, _LOW_HEIGHT, quantity),
    ]
    if expected is not None:
        x = along.at(expected.value)
        anchor = "end" if x > svg.WIDTH - 60 else "start" if x < 60 else "middle"
        parts += [
            svg.line(x, 14, x, _LOW_HEIGHT - axes.BOTTOM, "expected"),
            svg.text(x, 10, f"expected {expected.value:.4g}", text_anchor=anchor, class_="note"),
        ]
    return svg.picture(_told(interval, expected, quantity), _LOW_HEIGHT, *parts)
