"""The same elements in both modes, as maps of their size: what is dropped in train mode is crossed out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from dropaudit.report import Excerpt
from dropaudit_formats.page import svg

_WRITTEN_COLUMNS = 10
_LINE = 17.0
_GAP = 10.0
_STRONGEST = 0.6
_DROPPED = "\N{MULTIPLICATION SIGN}"

Cell = Callable[[int], tuple[str, float, str]]
"""From an element to the class of its cell, how strongly it is filled (0 to 1), and what is written in it."""


def heat(excerpt: Excerpt, scale: float | None = None) -> Markup | None:
    """Draw inference and train outputs, and of few columns their ratio; nothing where the arrays do not fit."""
    count = len(excerpt.inference)
    if not count or len(excerpt.train) != count or excerpt.columns < 1 or count % excerpt.columns:
        return None
    most = max((abs(value) for value in (*excerpt.inference, *excerpt.train) if math.isfinite(value)), default=0.0)
    maps: list[tuple[str, Cell]] = [
        ("at inference", lambda at: _sized(excerpt.inference[at], most)),
        (f"in train mode, {_DROPPED} where dropped", lambda at: _trained(excerpt, at, most)),
    ]
    if excerpt.columns <= _WRITTEN_COLUMNS:
        maps.append(("train ÷ inference", lambda at: _ratio(excerpt, at)))
    parts, top = [], 0.0
    for title, cell in maps:
        drawn, height = _map(title, cell, excerpt.columns, count // excerpt.columns, top)
        parts.append(drawn)
        top += height + _GAP
    return svg.picture(_told(excerpt, scale), top - _GAP, *parts)


def _map(title: str, cell: Cell, columns: int, rows: int, top: float) -> tuple[Markup, float]:
    width = min(svg.WIDTH / columns, 34.0)
    height = 20.0 if columns <= _WRITTEN_COLUMNS else min(width, 20.0)
    parts = [svg.text(0, top + 11, title, class_="title")]
    for at in range(rows * columns):
        x, y = at % columns * width, top + _LINE + at // columns * height
        parts += _cell(cell(at), x, y, width - 1, height - 1, is_written=columns <= _WRITTEN_COLUMNS)
    return Markup("").join(parts), _LINE + rows * height


def _cell(
    told: tuple[str, float, str], x: float, y: float, width: float, height: float, *, is_written: bool
) -> list[Markup]:
    kind, strength, words = told
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"'
    parts = [Markup(f'{box} fill-opacity="{strength:.2f}"/>')]
    if is_written and words:
        parts.append(svg.text(x + width / 2, y + height / 2 + 3.5, words, text_anchor="middle", class_="cell"))
    elif kind == "gone":
        parts.append(svg.path([(x + 3, y + 3), (x + width - 3, y + height - 3)], "cross"))
    return parts


def _sized(value: float, most: float) -> tuple[str, float, str]:
    if not math.isfinite(value):
        return "odd", 1.0, "?"
    strength = _STRONGEST * math.sqrt(abs(value) / most) if most else 0.0
    return "minus" if value < 0 else "plus", strength, _short(value)


def _trained(excerpt: Excerpt, at: int, most: float) -> tuple[str, float, str]:
    value = excerpt.train[at]
    return ("gone", 1.0, _DROPPED) if value == 0 != excerpt.inference[at] else _sized(value, most)


def _ratio(excerpt: Excerpt, at: int) -> tuple[str, float, str]:
    below, value = excerpt.inference[at], excerpt.train[at]
    if not below or not math.isfinite(value) or not math.isfinite(below):
        return "odd", 1.0, ""
    return ("gone", 1.0, "0") if value == 0 else ("ratio", 0.3, _factor(value / below))


def _short(value: float) -> str:
    """Return a number in five characters or so."""
    if abs(value) >= 100 or (value and abs(value) < 0.005):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def _factor(value: float) -> str:
    """Return a ratio in five characters or so."""
    if abs(value) >= 10:
        return f"{value:.0f}" if abs(value) < 10_000 else f"{value:.0e}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2f}"


def _told(excerpt: Excerpt, scale: float | None) -> str:
    rows = len(excerpt.inference) // excerpt.columns
    pairs: Sequence[tuple[float, float]] = list(zip(excerpt.inference, excerpt.train, strict=True))
    dropped = sum(train == 0 != inference for inference, train in pairs)
    factor = "" if scale is None else f"; survivors are {scale:.4g} times the inference value"
    return f"{rows} rows of {excerpt.columns} elements in both modes: {dropped} of {len(pairs)} are dropped{factor}"
