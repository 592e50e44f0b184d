"""Productions of a draw: which operator, of which law and range, in which type, and what is done to it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropaudit_evaluation.spellings.grammar.laws import MONOTONE, Drawn, Monotone, normal, uniform
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import DOUBLE, FLOAT, INT64

RANGES = {
    "unit": (0.0, 1.0),
    "symmetric": (-1.0, 1.0),
    "bytes": (0.0, 255.0),
    "below zero": (-3.0, -1.0),
    "small": (0.0, 0.01),
    "shifted": (2.0, 7.0),
}
NORMALS = {"standard": (0.0, 1.0), "shifted": (1.0, 0.5), "below zero": (-4.0, 3.0), "small": (0.0, 0.01)}


def draw(pen: Pen) -> Drawn:
    """Spell a draw in the site's type."""
    drawn = raw(pen)
    for _ in range(int(pen.rng.choice(3, p=(0.6, 0.3, 0.1)))):
        drawn = _transformed(pen, drawn)
    return drawn


def raw(pen: Pen) -> Drawn:
    """Spell a draw as the operator gives it."""
    return pen.pick("family", {"uniform": raw_uniform, "normal": _raw_normal}, "uniform")(pen)


def _raw_normal(pen: Pen) -> Drawn:
    mean, deviation = pen.pick("range", NORMALS)
    attributes = {} if (mean, deviation) == (0.0, 1.0) and pen.toss(0.5) else {"mean": mean, "scale": deviation}
    return normal(_drawn(pen, "RandomNormal", attributes), mean, deviation)


def raw_uniform(pen: Pen) -> Drawn:
    """Spell a uniform draw."""
    low, high = pen.pick("range", RANGES, "unit")
    attributes = {} if (low, high) == (0.0, 1.0) and pen.toss(0.5) else {"low": low, "high": high}
    return uniform(_drawn(pen, "RandomUniform", attributes), low, high)


def unit(pen: Pen) -> str:
    """Spell a uniform draw from 0 to 1, perhaps out of one of another range."""
    drawn = raw_uniform(pen)
    low, high = drawn.support
    if (low, high) == (0.0, 1.0):
        return drawn.name
    return pen.emit("Div", pen.emit("Sub", drawn.name, pen.number(low)), pen.number(high - low))


def _drawn(pen: Pen, operator: str, attributes: dict[str, Any]) -> str:
    """Draw in the shape of the mask, and take the result to the site's type."""
    given = attributes | seed_of(pen)
    spell = pen.pick("draw", {f"{operator} {name}": spell for name, spell in _shapes(pen).items()})
    result = spell(pen, operator, given)
    return result if pen.draws_in == pen.element_type else pen.cast(result, pen.element_type)


def seed_of(pen: Pen) -> dict[str, Any]:
    """Return the attribute that seeds an operator, or none."""
    return {} if pen.seeds is None else {"seed": float(next(pen.seeds))}


_Shape = Callable[[Pen, str, dict[str, Any]], str]


def _shapes(pen: Pen) -> dict[str, _Shape]:
    known: dict[str, _Shape] = {"like": _like, "like zeros": _like_zeros, "like, cast": _cast}
    return known if pen.cells.fixed is None else known | {"of a shape": _of_shape}


def _like(pen: Pen, operator: str, attributes: dict[str, Any]) -> str:
    return pen.emit(f"{operator}Like", pen.cells.like, dtype=pen.draws_in, **attributes)


def _like_zeros(pen: Pen, operator: str, attributes: dict[str, Any]) -> str:
    """Draw like a tensor that ConstantOfShape makes: its type is the draw's where no dtype is given."""
    zeros = pen.emit("ConstantOfShape", pen.emit("Shape", pen.cells.like))
    if pen.draws_in == FLOAT:
        return pen.emit(f"{operator}Like", zeros, **attributes)
    return pen.emit(f"{operator}Like", pen.cast(zeros, DOUBLE), **attributes)


def _cast(pen: Pen, operator: str, attributes: dict[str, Any]) -> str:
    """Draw in float32 or float64 and go on in the other: an exporter's usual detour."""
    other = DOUBLE if pen.draws_in == FLOAT else FLOAT
    return pen.cast(pen.emit(f"{operator}Like", pen.cells.like, dtype=other, **attributes), pen.draws_in)


def _of_shape(pen: Pen, operator: str, attributes: dict[str, Any]) -> str:
    assert pen.cells.fixed is not None
    return pen.emit(operator, shape=list(pen.cells.fixed), dtype=pen.draws_in, **attributes)


def _transformed(pen: Pen, drawn: Drawn) -> Drawn:
    """Pass a draw through a monotone function that keeps enough of its digits, or a straight line."""
    low, high = drawn.support
    usable = {
        name: each
        for name, each in MONOTONE.items()
        if each.within[0] <= low
        and high <= each.within[1]
        and pen.draws_in == pen.element_type
        # A support that is small beside its distance from zero has few different values left.
        and high - low > 0.2
        and (pen.element_type == FLOAT or not each.single)
    }
    chosen: Monotone | None = pen.pick("function", usable | {"line": None})
    if chosen is not None:
        return chosen.of(drawn, pen.emit(chosen.operator, drawn.name))
    slope = float(pen.rng.choice((-2.0, 0.5, 3.0)))
    start = (high - low) / 2
    moved = pen.emit("Add", pen.emit("Mul", drawn.name, pen.number(slope)), pen.number(start))
    return Monotone("", lambda x: slope * x + start, (0, 0), slope > 0).of(drawn, moved)


def moved_elements(pen: Pen, name: str) -> str:
    """Move the elements of a draw and move them back, or leave them."""
    return pen.pick("moved", {"not": lambda *_: name, "squeezed": _squeezed, "flat": _flat})(pen, name)


def _squeezed(pen: Pen, name: str) -> str:
    axis = pen.number([0], INT64)
    return pen.emit("Squeeze", pen.emit("Unsqueeze", name, axis), axis)


def _flat(pen: Pen, name: str) -> str:
    return pen.emit("Reshape", pen.emit("Reshape", name, pen.number([-1], INT64)), pen.emit("Shape", name))
