"""Thresholds that keep one tail of a draw, or a band of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from dropaudit_evaluation.spellings.grammar.draws import draw, moved_elements, raw
from dropaudit_evaluation.spellings.grammar.laws import Drawn, Numbers
from dropaudit_evaluation.spellings.grammar.mask import Form, Mask
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import BOOL

# A float32 times this is at least one whenever it is not zero, for the thresholds that are met here.
_STEEP = 2.0**32


def less(pen: Pen, q: Numbers) -> Mask:
    """u < t, u <= t, not u >= t, t > u."""
    drawn = draw(pen)
    return Mask(_below(pen, moved_elements(pen, drawn.name), pen.number(drawn.quantile(q))), Form.BOOLEAN)


def greater(pen: Pen, q: Numbers) -> Mask:
    """u > t, u >= t, not u <= t, t < u."""
    drawn = draw(pen)
    return Mask(_below(pen, pen.number(drawn.quantile(1 - q)), moved_elements(pen, drawn.name)), Form.BOOLEAN)


def _below(pen: Pen, one: str, other: str) -> str:
    operator, is_turned, is_negated = pen.pick("comparison", _COMPARISONS)
    result = pen.emit(operator, *((other, one) if is_turned else (one, other)))
    return pen.emit("Not", result) if is_negated else result


# Operator, whether its inputs change places, and whether its result is negated.
_COMPARISONS = {
    "less": ("Less", False, False),
    "less or equal": ("LessOrEqual", False, False),
    "greater": ("Greater", True, False),
    "greater or equal": ("GreaterOrEqual", True, False),
    "not greater": ("Greater", False, True),
    "not greater or equal": ("GreaterOrEqual", False, True),
}


def _distance(pen: Pen, q: Numbers) -> str:
    """t - u, or u - t': positive with probability q."""
    drawn = draw(pen)
    if pen.toss(0.5):
        return pen.emit("Sub", pen.number(drawn.quantile(q)), drawn.name)
    return pen.emit("Sub", drawn.name, pen.number(drawn.quantile(1 - q)))


def sign(pen: Pen, q: Numbers) -> Mask:
    """The positive part of sign(t - u), or (sign(t - u) + 1) / 2 without the half that a tie gives."""
    signs = pen.emit("Sign", _distance(pen, q))
    choices: dict[str, Callable[[], Mask]] = {
        "relu": lambda: Mask(pen.emit("Relu", signs), Form.NUMBER),
        "max": lambda: Mask(pen.emit("Max", signs, pen.number(0.0)), Form.NUMBER),
        "ceil": lambda: Mask(pen.emit("Ceil", _halved(pen, signs)), Form.NUMBER),
        "floor": lambda: Mask(pen.emit("Floor", _halved(pen, signs)), Form.NUMBER),
        "greater": lambda: Mask(pen.emit("Greater", _halved(pen, signs), pen.number(0.25)), Form.BOOLEAN),
    }
    return pen.pick("sign", choices)()


def _halved(pen: Pen, signs: str) -> str:
    half = pen.number(0.5)
    return pen.emit("Add", pen.emit("Mul", signs, half), half)


def relu(pen: Pen, q: Numbers) -> Mask:
    """Whether relu(t - u) is anything."""
    positive = pen.emit("Relu", _distance(pen, q))
    choices: dict[str, Callable[[], Mask]] = {
        "sign": lambda: Mask(pen.emit("Sign", positive), Form.NUMBER),
        "greater": lambda: Mask(pen.emit("Greater", positive, pen.number(0.0)), Form.BOOLEAN),
        "cast": lambda: Mask(pen.cast(positive, BOOL), Form.BOOLEAN),
        "not equal": lambda: Mask(pen.emit("Not", pen.emit("Equal", positive, pen.number(0.0))), Form.BOOLEAN),
    }
    return pen.pick("positive part", choices)()


def clip(pen: Pen, q: Numbers) -> Mask:
    """A slope so steep that the numbers leave nothing between 0 and 1."""
    steep = pen.emit("Mul", _distance(pen, q), pen.number(_STEEP))
    if pen.toss(0.5):
        return Mask(pen.emit("Clip", steep, pen.number(0.0), pen.number(1.0)), Form.NUMBER)
    return Mask(pen.emit("Max", pen.emit("Min", steep, pen.number(1.0)), pen.number(0.0)), Form.NUMBER)


def band(pen: Pen, q: Numbers) -> Mask:
    """Between two values of one draw: by And, Xor, Where, or their difference."""
    drawn = draw(pen)
    start = float(pen.rng.uniform(0.05, 0.95)) * (1 - q)
    low, high = pen.number(drawn.quantile(start)), pen.number(drawn.quantile(start + q))
    under_high, under_low = pen.emit("Less", drawn.name, high), pen.emit("Less", drawn.name, low)
    choices: dict[str, Callable[[], Mask]] = {
        "and": lambda: Mask(pen.emit("And", under_high, pen.emit("Not", under_low)), Form.BOOLEAN),
        "xor": lambda: Mask(pen.emit("Xor", under_high, under_low), Form.BOOLEAN),
        "where": lambda: Mask(_where_band(pen, under_low, under_high), Form.NUMBER),
        "difference": lambda: Mask(_difference(pen, under_low, under_high), Form.NUMBER),
    }
    return pen.pick("band", choices)()


def outside(pen: Pen, q: Numbers) -> Mask:
    """Below one value or above another."""
    drawn = draw(pen)
    start = float(pen.rng.uniform(0.1, 0.9)) * q
    below = pen.emit("Less", drawn.name, pen.number(drawn.quantile(start)))
    above = pen.emit("Greater", drawn.name, pen.number(drawn.quantile(start + (1 - q))))
    return Mask(pen.emit("Or", below, above), Form.BOOLEAN)


def _where_band(pen: Pen, under_low: str, under_high: str) -> str:
    inner = pen.emit("Where", under_high, pen.number(1.0), pen.number(0.0))
    return pen.emit("Where", under_low, pen.number(0.0), inner)


def _difference(pen: Pen, under_low: str, under_high: str) -> str:
    return pen.emit("Sub", pen.cast(under_high, pen.element_type), pen.cast(under_low, pen.element_type))


def distance_from_middle(pen: Pen, q: Numbers) -> Mask:
    """|u - c| < w, by Abs or by a square."""
    drawn = raw(pen)
    assert drawn.middle is not None
    width, away = half_width(drawn, q), pen.emit("Sub", drawn.name, pen.number(drawn.middle))
    if pen.toss(0.6):
        return Mask(pen.emit("Less", pen.emit("Abs", away), pen.number(width)), Form.BOOLEAN)
    return Mask(pen.emit("Less", pen.emit("Mul", away, away), pen.number(np.square(width))), Form.BOOLEAN)


def half_width(drawn: Drawn, q: Numbers) -> Any:
    """Return w with P(|u - c| < w) = q, of a raw draw."""
    if drawn.is_uniform:
        return q * (drawn.support[1] - drawn.support[0]) / 2
    return (drawn.support[1] - drawn.support[0]) / 18 * ndtri((1 + q) / 2)
