"""A mask as a tensor, and the ways between its forms: Boolean, number, integer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import BOOL, INT32, INT64


class Form(Enum):
    """The kind of tensor that says which cells are kept."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Mask:
    """A tensor that is 1, or True, where a cell is kept, and 0, or False, where it is dropped."""

    name: str
    form: Form


def boolean(pen: Pen, mask: Mask) -> str:
    """Spell the mask as Booleans."""
    if mask.form is Form.BOOLEAN:
        return mask.name
    if mask.form is Form.INTEGER:
        return pen.pick("to boolean", {"cast": _cast_bool, "equal": _equal_int})(pen, mask.name)
    return pen.pick("to boolean", {"cast": _cast_bool, "greater": _above_half, "not less": _not_below_half})(
        pen, mask.name
    )


def number(pen: Pen, mask: Mask) -> str:
    """Spell the mask as numbers of the site's type."""
    if mask.form is Form.NUMBER:
        return mask.name
    if mask.form is Form.INTEGER:
        return pen.cast(mask.name, pen.element_type)
    return pen.pick("to number", {"cast": _cast_number, "where": _where_number, "via integer": _via_integer})(
        pen, mask.name
    )


def integer(pen: Pen, mask: Mask) -> str:
    """Spell the mask as integers."""
    return mask.name if mask.form is Form.INTEGER else pen.cast(mask.name, INT64)


def complement(pen: Pen, mask: Mask) -> Mask:
    """Spell the mask of the cells that this one drops."""
    if mask.form is Form.BOOLEAN:
        options: dict[str, Callable[[Pen, str], str]] = {"not": _not, "xor true": _xor_true}
        return Mask(pen.pick("complement", options)(pen, mask.name), Form.BOOLEAN)
    if mask.form is Form.INTEGER:
        return Mask(pen.emit("Equal", mask.name, pen.number(0, INT32)), Form.BOOLEAN)
    numbers = {"one minus": _one_minus, "add the negative": _add_negative}
    return Mask(pen.pick("complement", numbers)(pen, mask.name), Form.NUMBER)


def _cast_bool(pen: Pen, name: str) -> str:
    return pen.cast(name, BOOL)


def _equal_int(pen: Pen, name: str) -> str:
    return pen.emit("Equal", name, pen.number(1, INT32))


def _above_half(pen: Pen, name: str) -> str:
    return pen.emit("Greater", name, pen.number(0.5))


def _not_below_half(pen: Pen, name: str) -> str:
    return pen.emit("Not", pen.emit("Less", name, pen.number(0.5)))


def _cast_number(pen: Pen, name: str) -> str:
    return pen.cast(name, pen.element_type)


def _where_number(pen: Pen, name: str) -> str:
    return pen.emit("Where", name, pen.number(1.0), pen.number(0.0))


def _via_integer(pen: Pen, name: str) -> str:
    return pen.cast(pen.cast(name, INT32), pen.element_type)


def _not(pen: Pen, name: str) -> str:
    return pen.emit("Not", name)


def _xor_true(pen: Pen, name: str) -> str:
    return pen.emit("Xor", name, pen.number(True, BOOL))


def _one_minus(pen: Pen, name: str) -> str:
    return pen.emit("Sub", pen.number(1.0), name)


def _add_negative(pen: Pen, name: str) -> str:
    return pen.emit("Add", pen.emit("Neg", name), pen.number(1.0))
