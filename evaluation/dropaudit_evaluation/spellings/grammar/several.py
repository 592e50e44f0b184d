"""Thresholds on more than one draw, or by operators that draw masks themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dropaudit_evaluation.spellings.grammar.draws import seed_of, unit
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Form, Mask
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import BOOL, FLOAT, INT64


def smallest(pen: Pen, q: Numbers) -> Mask:
    """The smaller of two draws lies above t: (1 - t)^2 = q."""
    least = pen.emit("Min", unit(pen), unit(pen))
    return Mask(pen.emit("Greater", least, pen.number(1 - math.sqrt(float(q)))), Form.BOOLEAN)


def largest(pen: Pen, q: Numbers) -> Mask:
    """The larger of two draws lies below t: t^2 = q."""
    most = pen.emit("Max", unit(pen), unit(pen))
    return Mask(pen.emit("Less", most, pen.number(math.sqrt(float(q)))), Form.BOOLEAN)


def both(pen: Pen, q: Numbers) -> Mask:
    """Two masks, both kept: by And, or by their product."""
    first = float(pen.rng.uniform(0.2, 0.8))
    one = pen.emit("Less", unit(pen), pen.number(float(q) ** first))
    other = pen.emit("Less", unit(pen), pen.number(float(q) ** (1 - first)))
    if pen.toss(0.5):
        return Mask(pen.emit("And", one, other), Form.BOOLEAN)
    return Mask(pen.emit("Mul", pen.cast(one, pen.element_type), pen.cast(other, pen.element_type)), Form.NUMBER)


def either(pen: Pen, q: Numbers) -> Mask:
    """Two masks, one of them kept."""
    each = pen.number(1 - math.sqrt(1 - float(q)))
    return Mask(pen.emit("Or", pen.emit("Less", unit(pen), each), pen.emit("Less", unit(pen), each)), Form.BOOLEAN)


def compared(pen: Pen, q: Numbers) -> Mask:
    """One draw against another: P(v > a u) = 1 - a / 2, and the complement below one half."""
    share = max(float(q), 1 - float(q))
    scaled = pen.emit("Mul", unit(pen), pen.number(2 * (1 - share)))
    return Mask(pen.emit("Less" if q >= 0.5 else "GreaterOrEqual", scaled, unit(pen)), Form.BOOLEAN)


def pooled(pen: Pen, q: Numbers) -> Mask:
    """MaxPool over a draw, or over the seeds of blocks, as DropBlock does along the features."""
    size = int(pen.rng.choice((2, 3)))
    threshold = pen.number(float(q) ** (1 / size))
    wide = _wider(pen, size - 1)
    if pen.toss(0.5):
        return Mask(pen.emit("Less", _pool(pen, wide, size), threshold), Form.BOOLEAN)
    seeds = pen.cast(pen.emit("GreaterOrEqual", wide, threshold), pen.element_type)
    return Mask(pen.emit("Sub", pen.number(1.0), _pool(pen, seeds, size)), Form.NUMBER)


# Features that lie in a square of four by four.
SQUARE = 16


def pooled_squares(pen: Pen, q: Numbers) -> Mask:
    """DropBlock in two dimensions: the features are a square, and MaxPool spreads seeds over blocks."""
    size = int(pen.rng.choice((2, 3)))
    threshold = pen.number(float(q) ** (1 / size**2))
    side = 4 + size - 1
    pads = pen.graph.constant([0] * (2 * pen.cells.rank - 1) + [side**2 - SQUARE], INT64)
    like = pen.emit("Pad", pen.cells.like, pads)
    drawn = pen.emit("RandomUniformLike", like, dtype=pen.draws_in, **seed_of(pen))
    given = drawn if pen.draws_in == pen.element_type else pen.cast(drawn, pen.element_type)
    squares = pen.emit("Reshape", given, pen.number([-1, 1, side, side], INT64))
    seeds = pen.cast(pen.emit("GreaterOrEqual", squares, threshold), pen.element_type)
    blocks = pen.emit("MaxPool", seeds, kernel_shape=[size, size])
    kept = pen.emit("Sub", pen.number(1.0), pen.emit("Reshape", blocks, pen.emit("Shape", pen.cells.like)))
    return Mask(kept, Form.NUMBER)


def _wider(pen: Pen, more: int) -> str:
    """Draw with some features more than the mask has."""
    pads = pen.graph.constant([0] * (2 * pen.cells.rank - 1) + [more], INT64)
    like = pen.emit("Pad", pen.cells.like, pads)
    drawn = pen.emit("RandomUniformLike", like, dtype=pen.draws_in, **seed_of(pen))
    return drawn if pen.draws_in == pen.element_type else pen.cast(drawn, pen.element_type)


def _pool(pen: Pen, name: str, size: int) -> str:
    if pen.cells.rank == 3:
        return pen.emit("MaxPool", name, kernel_shape=[size])
    axis = pen.number([1], INT64)
    return pen.emit("Squeeze", pen.emit("MaxPool", pen.emit("Unsqueeze", name, axis), kernel_shape=[size]), axis)


def bernoulli(pen: Pen, q: Numbers) -> Mask:
    """The operator, given the drop rate: this runtime draws a 1 with one minus what it is given."""
    return Mask(bernoulli_given(pen, 1 - q), Form.NUMBER)


def bernoulli_given(pen: Pen, probability: Numbers) -> str:
    """Bernoulli of one number everywhere."""
    given = pen.number(probability, FLOAT)
    shape = pen.emit("Shape", pen.cells.like)
    rates = pen.emit("Expand", given, shape)
    return pen.cast(pen.emit("Bernoulli", rates, **seed_of(pen)), pen.element_type)


def dropout_of_ones(pen: Pen, q: Numbers) -> Mask:
    """The operator on ones: its second result, or what is above zero of its first."""
    ones = pen.emit("Expand", pen.number(1.0, FLOAT), pen.emit("Shape", pen.cells.like))
    dropped, kept = pen.graph.emit_many("Dropout", (ones, *dropout_rate(pen, q)), 2, **dropout_seed(pen))
    choices: dict[str, Callable[[], Mask]] = {
        "second result": lambda: Mask(kept, Form.BOOLEAN),
        "greater": lambda: Mask(pen.emit("Greater", dropped, pen.number(0.0, FLOAT)), Form.BOOLEAN),
        "sign": lambda: Mask(pen.cast(pen.emit("Sign", dropped), pen.element_type), Form.NUMBER),
        "cast": lambda: Mask(pen.cast(dropped, BOOL), Form.BOOLEAN),
        "clip": lambda: Mask(_clipped(pen, dropped), Form.NUMBER),
    }
    return pen.pick("dropout of ones", choices)()


def _clipped(pen: Pen, name: str) -> str:
    return pen.cast(pen.emit("Clip", name, pen.number(0.0, FLOAT), pen.number(1.0, FLOAT)), pen.element_type)


def dropout_rate(pen: Pen, q: Numbers) -> tuple[str, str]:
    """Return a Dropout operator's two further inputs: its drop rate, and True."""
    return pen.number(1 - q, FLOAT), pen.number(True, BOOL)


def dropout_seed(pen: Pen) -> dict[str, Any]:
    """Return the attribute that seeds a Dropout operator, or none."""
    return {} if pen.seeds is None else {"seed": next(pen.seeds)}
