"""A member over the last runs, small enough for a line of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from dropaudit.changes import Point, Series
from dropaudit.report import Interval
from dropaudit_formats.names import cut_middle
from dropaudit_formats.page import svg
from dropaudit_formats.page.axes import Axis, around
from dropaudit_formats.results import Result
from dropaudit_formats.runs.report import QUANTITIES

WIDTH, LINE_HEIGHT, _SQUARE = 150.0, 26.0, 9.0
_TOP = 3.0
_LONGEST = 60
# Wider than the largest estimate lies from the smallest, an interval tells nothing in so small a drawing.
_REACH = 3.0


def trend(result: Result) -> Markup:
    """Draw a square for the word of each run, and above them the measure that tells most; nothing of one run."""
    if len(result.history) < 2:
        return Markup("")
    along = Axis(0, len(result.history) - 1, _SQUARE, WIDTH - _SQUARE)
    drawn = informative(result.series)
    top = 1.0 if drawn is None else LINE_HEIGHT
    parts = [_square(along.at(place), top, word) for place, (_, word) in enumerate(result.history)]
    if drawn is not None:
        parts.insert(0, _line(drawn, along, [run for run, _ in result.history]))
    box = f"0 0 {WIDTH:g} {top + _SQUARE + 1:g}"
    return svg.element("svg", *parts, class_="trend", viewBox=box, role="img", aria_label=_told(result))


def measure_words(result: Result) -> str:
    """Return what the line of the drawing shows, with its first and its last value; empty without a line."""
    drawn = informative(result.series) if len(result.history) > 1 else None
    return "" if drawn is None else series_words(drawn)


def _told(result: Result) -> str:
    words = f"{len(result.history)} runs, oldest first: {', '.join(word for _, word in result.history)}"
    return "; ".join(filter(None, (words, measure_words(result))))


def series_words(series: Series) -> str:
    """Return a measure's first and last value in words."""
    first, last = series.points[0].value.estimate, series.points[-1].value.estimate
    return f"{QUANTITIES[series.quantity]} of {cut_middle(series.subject, _LONGEST)}: {first:.4g} to {last:.4g}"


def informative(series: Sequence[Series]) -> Series | None:
    """Return the measure to draw: one that moved, of these the one whose estimate went furthest.

    Where none moved, it is the one whose estimate went furthest all the same; of measures that stayed, none.
    """
    known = [each for each in series if len(each.points) > 1 and all(_is_finite(point.value) for point in each.points)]
    found = max(known, key=lambda each: (_has_moved(each), _span(each.points)), default=None)
    return found if found is not None and (_has_moved(found) or _span(found.points) > 0) else None


def _has_moved(series: Series) -> bool:
    return any(point.moved for point in series.points)


def _span(points: Sequence[Point]) -> float:
    found = [point.value.estimate for point in points]
    # Differences that nobody would see do not decide.
    return round((max(found) - min(found)) / (abs(found[-1]) or 1.0), 2)


def _line(series: Series, along: Axis, runs: Sequence[str]) -> Markup:
    low, high = _range(series.points)
    up = Axis(low, high, LINE_HEIGHT - 4, _TOP)
    places = {run: along.at(number) for number, run in enumerate(runs)}
    points = [(places[point.label], point) for point in series.points if point.label in places]
    band = [(x, up.at(point.value.upper)) for x, point in points]
    band += [(x, up.at(point.value.lower)) for x, point in reversed(points)]
    drawn = [svg.path(band, "band", closed=True), svg.path([(x, up.at(p.value.estimate)) for x, p in points], "curve")]
    drawn += [_dot(x, up.at(point.value.estimate)) for x, point in points if point.moved]
    return Markup("").join(drawn)


def _range(points: Sequence[Point]) -> tuple[float, float]:
    """Return what the drawing spans: all estimates, and of intervals what is near them."""
    estimates = [point.value.estimate for point in points]
    low, high = min(estimates), max(estimates)
    reach = _REACH * (high - low) or max(point.value.upper - point.value.lower for point in points)
    bounds = [max(low - reach, min(point.value.lower for point in points)), low]
    bounds += [min(high + reach, max(point.value.upper for point in points)), high]
    return around(bounds)


def _square(x: float, y: float, word: str) -> Markup:
    kind = word.replace(" ", "-")
    return svg.element("rect", x=x - _SQUARE / 2, y=y, width=_SQUARE, height=_SQUARE, rx=1.5, class_=f"run {kind}")


def _dot(x: float, y: float) -> Markup:
    return svg.element("circle", cx=x, cy=y, r=2.6, class_="dot")


def _is_finite(interval: Interval) -> bool:
    return all(map(math.isfinite, (interval.lower, interval.estimate, interval.upper)))
