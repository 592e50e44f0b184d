"""Detours that leave a mask unchanged: each takes numbers 0 and 1, and returns the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dropaudit_evaluation.spellings.grammar.mask import Form, Mask, boolean, number
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import BOOL, DOUBLE, FLOAT, INT32, INT64, UINT8

_Detour = Callable[[Pen, str], str]


def _one_operator(operator: str) -> _Detour:
    return lambda pen, name: pen.emit(operator, name)


def _with_number(operator: str, value: float) -> _Detour:
    return lambda pen, name: pen.emit(operator, name, pen.number(value))


def _clip(pen: Pen, name: str) -> str:
    return pen.emit("Clip", name, pen.number(0.0), pen.number(1.0))


def _integer_and_back(pen: Pen, name: str) -> str:
    return pen.cast(pen.cast(name, INT32), pen.element_type)


def _boolean_and_back(pen: Pen, name: str) -> str:
    return pen.cast(pen.cast(name, BOOL), pen.element_type)


def _double_and_back(pen: Pen, name: str) -> str:
    return pen.cast(pen.cast(name, DOUBLE), pen.element_type)


def _square(pen: Pen, name: str) -> str:
    return pen.emit("Mul", name, name)


def _twice_from_one(pen: Pen, name: str) -> str:
    one = pen.number(1.0)
    return pen.emit("Sub", one, pen.emit("Sub", one, name))


def _flat_and_back(pen: Pen, name: str) -> str:
    return pen.emit("Reshape", pen.emit("Reshape", name, pen.number([-1], INT64)), pen.emit("Shape", name))


def _turned_and_back(pen: Pen, name: str) -> str:
    order = [*reversed(range(pen.cells.rank))]
    return pen.emit("Transpose", pen.emit("Transpose", name, perm=order), perm=order)


def _split_and_joined(pen: Pen, name: str) -> str:
    half = pen.cells.features // 2
    sizes = pen.number([half, pen.cells.features - half], INT64)
    return pen.emit("Concat", *pen.graph.emit_many("Split", (name, sizes), 2, axis=-1), axis=-1)


def _quantized(pen: Pen, name: str) -> str:
    scale, zero = pen.number(1.0), pen.number(0, UINT8)
    return pen.emit("DequantizeLinear", pen.emit("QuantizeLinear", name, scale, zero), scale, zero)


def _where(pen: Pen, name: str) -> str:
    return pen.emit("Where", boolean(pen, Mask(name, Form.NUMBER)), pen.number(1.0), pen.number(0.0))


DETOURS: Mapping[str, _Detour] = {
    "identity": _one_operator("Identity"),
    "abs": _one_operator("Abs"),
    "relu": _one_operator("Relu"),
    "sign": _one_operator("Sign"),
    "floor": _one_operator("Floor"),
    "ceil": _one_operator("Ceil"),
    "round": _one_operator("Round"),
    "sqrt": _one_operator("Sqrt"),
    "min": _with_number("Min", 1.0),
    "max": _with_number("Max", 0.0),
    "pow": _with_number("Pow", 2.0),
    "plus zero": _with_number("Add", 0.0),
    "times one": _with_number("Mul", 1.0),
    "clip": _clip,
    "integer and back": _integer_and_back,
    "boolean and back": _boolean_and_back,
    "double and back": _double_and_back,
    "square": _square,
    "one minus, twice": _twice_from_one,
    "flat and back": _flat_and_back,
    "turned and back": _turned_and_back,
    "split and joined": _split_and_joined,
    "where": _where,
}


def detoured(pen: Pen, mask: Mask) -> Mask:
    """Take the mask through no, one or two detours."""
    usable = dict(DETOURS) | ({"quantized": _quantized} if pen.element_type == FLOAT else {})
    if pen.cells.features < 2:
        usable.pop("split and joined")
    for _ in range(int(pen.rng.choice(3, p=(0.55, 0.35, 0.1)))):
        mask = Mask(pen.pick("detour", usable)(pen, number(pen, mask)), Form.NUMBER)
    return mask
