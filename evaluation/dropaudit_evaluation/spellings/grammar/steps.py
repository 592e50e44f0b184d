"""Thresholds by functions that step: Floor, Ceil, Round, casts, Mod, Cos, quantization; all of a draw from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dropaudit_evaluation.spellings.grammar.draws import unit
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Form, Mask
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import BOOL, INT32, UINT8


def floor(pen: Pen, q: Numbers) -> Mask:
    """floor(u + q), as drop path is written."""
    return Mask(pen.emit("Floor", _raised(pen, q)), Form.NUMBER)


def ceil(pen: Pen, q: Numbers) -> Mask:
    """ceil(q - u): its zeros are negative zeros."""
    return Mask(pen.emit("Ceil", pen.emit("Sub", pen.number(q), unit(pen))), Form.NUMBER)


def rounded(pen: Pen, q: Numbers) -> Mask:
    """round(u + q - 1/2)."""
    return Mask(pen.emit("Round", _raised(pen, q - 0.5)), Form.NUMBER)


def to_integer(pen: Pen, q: Numbers) -> Mask:
    """The integer part of u + q."""
    return Mask(pen.cast(_raised(pen, q), INT32), Form.INTEGER)


def to_boolean(pen: Pen, q: Numbers) -> Mask:
    """Whether the integer part of u + q is anything."""
    whole = pen.emit("Floor", _raised(pen, q)) if pen.toss(0.5) else pen.cast(_raised(pen, q), INT32)
    return Mask(pen.cast(whole, BOOL), Form.BOOLEAN)


def equal(pen: Pen, q: Numbers) -> Mask:
    """floor(u + q) = 1, or the sign of q - u."""
    if pen.toss(0.5):
        return Mask(pen.emit("Equal", pen.emit("Floor", _raised(pen, q)), pen.number(1.0)), Form.BOOLEAN)
    signs = pen.emit("Sign", pen.emit("Sub", pen.number(q), unit(pen)))
    return Mask(pen.emit("Equal", signs, pen.number(1.0)), Form.BOOLEAN)


def bucket(pen: Pen, q: Numbers) -> Mask:
    """The draw cut into buckets, of which the first k are kept."""
    k = int(pen.rng.integers(2, 9))
    buckets = pen.cast(pen.emit("Mul", unit(pen), pen.number(k / q)), INT32)
    return Mask(pen.emit("Less", buckets, pen.number(k, INT32)), Form.BOOLEAN)


def modulo(pen: Pen, q: Numbers) -> Mask:
    """The part behind the point of a multiple of u."""
    part = pen.emit("Mod", pen.emit("Mul", unit(pen), pen.number(float(pen.rng.integers(3, 9)))), _one(pen), fmod=1)
    return Mask(pen.emit("Less", part, pen.number(q)), Form.BOOLEAN)


def _one(pen: Pen) -> str:
    return pen.number(1.0)


def cosine(pen: Pen, q: Numbers) -> Mask:
    """cos(2 pi u) > cos(pi q): a function that is not monotone."""
    waves = pen.emit("Cos", pen.emit("Mul", unit(pen), pen.number(2 * math.pi)))
    return Mask(pen.emit("Greater", waves, pen.number(np.cos(math.pi * q))), Form.BOOLEAN)


def thresholded(pen: Pen, q: Numbers) -> Mask:
    """The part of u that ThresholdedRelu keeps."""
    left = pen.emit("ThresholdedRelu", unit(pen), alpha=float(1 - q))
    choices: dict[str, Callable[[], Mask]] = {
        "sign": lambda: Mask(pen.emit("Sign", left), Form.NUMBER),
        "cast": lambda: Mask(pen.cast(left, BOOL), Form.BOOLEAN),
    }
    return pen.pick("what is left", choices)()


def quantized(pen: Pen, q: Numbers) -> Mask:
    """u in steps of which the threshold lies half way between two, so that the rate is q to the last digit."""
    below = round(float(q) * 200)
    scale, zero = pen.number(q / (below + 0.5)), pen.number(0, UINT8)
    steps = pen.emit("DequantizeLinear", pen.emit("QuantizeLinear", unit(pen), scale, zero), scale, zero)
    return Mask(pen.emit("Less", steps, pen.number(q)), Form.BOOLEAN)


def _raised(pen: Pen, by: Numbers) -> str:
    return pen.emit("Add", unit(pen), pen.number(by))
