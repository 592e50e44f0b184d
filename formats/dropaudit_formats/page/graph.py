"""The operators around a site as a small drawing: data flows down, the mask comes in from the right."""

from __future__ import annotations

from markupsafe import Markup

from dropaudit.report import Operator, Surroundings
from dropaudit_formats.names import cut_middle
from dropaudit_formats.page import svg

_BOX_WIDTH, _BOX_HEIGHT, _STEP = 158.0, 32.0, 46.0
_DATA, _MASK = 0.0, svg.WIDTH - _BOX_WIDTH
_LETTERS = 25


def graph(around: Surroundings, site: str) -> Markup | None:
    """Draw the chain before, through and behind a site; nothing where its operators are not known."""
    if not around.applied:
        return None
    # The mask's last operator stands one row above the first that applies it.
    start = max(len(around.before), len(around.mask))
    data = [*around.before, *around.applied, *around.after]
    first = start - len(around.before)
    parts = [_chain(data, _DATA, first, range(len(around.before), len(around.before) + len(around.applied)))]
    if around.mask:
        parts += [_chain(around.mask, _MASK, start - len(around.mask), range(0)), _elbow(start)]
    else:
        parts.append(_own_mask(start))
    rows = first + len(data)
    more = around.readers - 1 if around.after else 0
    if more > 0:
        parts.append(svg.text(_DATA, rows * _STEP + 2, f"and {more} more that read it", class_="note"))
    return svg.picture(_told(around, site), rows * _STEP + (8 if more > 0 else -10), *parts)


def _chain(operators: tuple[Operator, ...] | list[Operator], x: float, row: int, applied: range) -> Markup:
    parts = []
    for number, operator in enumerate(operators):
        y = (row + number) * _STEP
        if number:
            parts.append(_arrow(x + _BOX_WIDTH / 2, y - _STEP + _BOX_HEIGHT, y))
        parts.append(_box(operator, x, y, "applied" if number in applied else "box"))
    return Markup("").join(parts)


def _box(operator: Operator, x: float, y: float, kind: str) -> Markup:
    shape = kind if operator.type else "end"
    first, second = (operator.type, operator.name) if operator.type else (operator.name, "of the graph")
    return Markup("").join(
        [
            svg.element("rect", x=x + 0.5, y=y + 0.5, width=_BOX_WIDTH - 1, height=_BOX_HEIGHT - 1, rx=5, class_=shape),
            svg.text(x + _BOX_WIDTH / 2, y + 14, cut_middle(first, _LETTERS), text_anchor="middle", class_="operator"),
            svg.text(x + _BOX_WIDTH / 2, y + 26, cut_middle(second, _LETTERS), text_anchor="middle", class_="node"),
        ]
    )


def _arrow(x: float, top: float, bottom: float) -> Markup:
    head = [(x - 3.5, bottom - 6), (x, bottom - 1), (x + 3.5, bottom - 6)]
    return svg.line(x, top, x, bottom - 2, "edge") + svg.path(head, "edge")


def _elbow(start: int) -> Markup:
    """Draw the way from the mask's last operator down and into the one that applies it."""
    x, y = _MASK + _BOX_WIDTH / 2, start * _STEP + _BOX_HEIGHT / 2
    end = _DATA + _BOX_WIDTH
    way = [(x, (start - 1) * _STEP + _BOX_HEIGHT), (x, y), (end + 2, y)]
    return (
        svg.path(way, "edge")
        + svg.path([(end + 7, y - 3.5), (end + 1, y), (end + 7, y + 3.5)], "edge")
        + svg.text(end + 12, y - 4, "mask", class_="note")
    )


def _own_mask(start: int) -> Markup:
    y = start * _STEP + _BOX_HEIGHT / 2
    return svg.text(_DATA + _BOX_WIDTH + 8, y + 4, "← applies its own mask", class_="note")


def _told(around: Surroundings, site: str) -> str:
    def names(operators: tuple[Operator, ...]) -> str:
        return ", ".join(operator.type or cut_middle(operator.name, 40) for operator in operators) or "nothing"

    made = f", mask from {names(around.mask)}" if around.mask else ""
    return (
        f"Around {cut_middle(site, 60)}: {names(around.before)} before it, {names(around.applied)} applies the mask"
        f"{made}, {names(around.after)} after it"
    )
