"""How a mask is put on data: each production gives x where the mask keeps, times the mask's factor, and 0 elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dropaudit_evaluation.spellings.grammar.factors import constant, multiplied
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Mask, boolean, complement, integer, number
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import INT32

Application = Callable[[Pen, str, Mask, Numbers | None], str]


def _scaled(pen: Pen, mask: Mask, factor: Numbers | None) -> str:
    """Spell the mask as numbers, with its factor."""
    if factor is None:
        return number(pen, mask)
    if not isinstance(factor, np.ndarray) and pen.toss(0.25):
        return pen.emit("Gather", pen.number([0.0, factor]), integer(pen, mask))
    if pen.toss(0.3):
        return pen.emit("Where", boolean(pen, mask), constant(pen, factor), pen.number(0.0))
    return multiplied(pen, number(pen, mask), factor)


def by_product(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x m."""
    scaled = _scaled(pen, mask, factor)
    return pen.emit("Mul", data, scaled) if pen.toss(0.5) else pen.emit("Mul", scaled, data)


def by_where(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """Where(m, x, 0)."""
    return pen.emit("Where", boolean(pen, mask), multiplied(pen, data, factor), pen.number(0.0))


def by_where_not(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """Where(not m, 0, x)."""
    dropped = boolean(pen, complement(pen, mask))
    return pen.emit("Where", dropped, pen.number(0.0), multiplied(pen, data, factor))


def by_nested_where(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """Where(not m, 0, Where(m, x, 0))."""
    kept = boolean(pen, mask)
    inner = pen.emit("Where", kept, multiplied(pen, data, factor), pen.number(0.0))
    return pen.emit("Where", pen.emit("Not", kept), pen.number(0.0), inner)


def by_division(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x over something infinite where x is dropped."""
    if pen.toss(0.5):
        return pen.emit("Div", data, pen.emit("Reciprocal", _scaled(pen, mask, factor)))
    inverse = pen.number(1.0) if factor is None else constant(pen, 1 / factor)
    return pen.emit("Div", data, pen.emit("Where", boolean(pen, mask), inverse, pen.number(math.inf)))


def by_subtraction(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x s - x s (1 - m)."""
    scaled = multiplied(pen, data, factor)
    return pen.emit("Sub", scaled, pen.emit("Mul", scaled, number(pen, complement(pen, mask))))


def by_subtraction_then_scale(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """(x - x (1 - m)) s."""
    return multiplied(pen, by_subtraction(pen, data, mask, None), factor)


def by_mask_twice(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x m (m s), of one mask."""
    once = pen.emit("Mul", data, number(pen, mask))
    return pen.emit("Mul", once, _scaled(pen, mask, factor))


def by_integer_mask(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x times a mask that was an integer."""
    whole = pen.emit("Mul", pen.cast(integer(pen, mask), INT32), pen.number(1, INT32))
    return pen.emit("Mul", data, multiplied(pen, pen.cast(whole, pen.element_type), factor))


def by_halves(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x m with the mask's factor in two roots."""
    if factor is None:
        return by_product(pen, data, mask, None)
    root = np.sqrt(factor)
    return pen.emit("Mul", data, multiplied(pen, multiplied(pen, number(pen, mask), root), root))


def by_product_plus_zero(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x m + 0 (1 - m), as tf2onnx writes it."""
    kept, dropped = by_product(pen, data, mask, factor), number(pen, complement(pen, mask))
    return pen.emit("Add", kept, pen.emit("Mul", pen.number(0.0), dropped))


def by_power(pen: Pen, data: str, mask: Mask, factor: Numbers | None) -> str:
    """x m s, the mask an exponential: e to the power of log s, or of minus infinity."""
    rise = 0.0 if factor is None else np.log(factor)
    powers = pen.emit("Where", boolean(pen, mask), pen.number(rise), pen.number(-math.inf))
    return pen.emit("Mul", data, pen.emit("Exp", powers))


APPLICATIONS: Mapping[str, Application] = {
    "product": by_product,
    "where": by_where,
    "where not": by_where_not,
    "nested where": by_nested_where,
    "division": by_division,
    "subtraction": by_subtraction,
    "subtraction, then scale": by_subtraction_then_scale,
    "mask twice": by_mask_twice,
    "integer mask": by_integer_mask,
    "halves": by_halves,
    "product plus zero": by_product_plus_zero,
    "exponential": by_power,
}
