"""Masks by a contest or a count: the larger of two Gumbel draws, a Multinomial, a relaxed draw made hard, integers."""

from __future__ import annotations

import math

import numpy as np

from dropaudit_evaluation.spellings.grammar.draws import seed_of, unit
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Form, Mask
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import FLOAT, INT32, INT64

_STEPS = 1000


def gumbel(pen: Pen, q: Numbers) -> Mask:
    """ArgMax of log(1 - q) + g and log q + g', with Gumbel draws g: the second wins with probability q."""
    axis = pen.number([-1], INT64)
    sides = [
        pen.emit("Unsqueeze", pen.emit("Add", _gumbel(pen), pen.number(math.log(chance))), axis)
        for chance in (1 - float(q), float(q))
    ]
    winner = pen.emit("ArgMax", pen.emit("Concat", *sides, axis=-1), axis=-1, keepdims=0)
    return Mask(pen.cast(winner, INT32), Form.INTEGER)


def _gumbel(pen: Pen) -> str:
    """-log(-log u)."""
    inner = pen.emit("Neg", pen.emit("Log", unit(pen)))
    return pen.emit("Neg", pen.emit("Log", inner))


def multinomial(pen: Pen, q: Numbers) -> Mask:
    """Categories 0 and 1 by the operator: a row of cells for each row of the data."""
    features = pen.cells.features
    shape = pen.emit("Shape", pen.cells.like)
    flat = pen.emit("Reshape", pen.cells.like, pen.number([-1, features], INT64))
    rows = pen.emit("Gather", pen.emit("Shape", flat), pen.number([0], INT64))
    chances = pen.number([[math.log(1 - float(q)), math.log(float(q))]], FLOAT)
    given = pen.emit("Expand", chances, pen.emit("Concat", rows, pen.number([2], INT64), axis=0))
    drawn = pen.emit("Multinomial", given, sample_size=features, dtype=INT32, **seed_of(pen))
    return Mask(pen.emit("Reshape", drawn, shape), Form.INTEGER)


def concrete(pen: Pen, q: Numbers) -> Mask:
    """The concrete distribution's sigmoid((log u - log(1 - u) + log q - log(1 - q)) / t), rounded."""
    drawn = unit(pen)
    odds = pen.emit("Sub", pen.emit("Log", drawn), pen.emit("Log", pen.emit("Sub", pen.number(1.0), drawn)))
    shifted = pen.emit("Add", odds, pen.number(np.log(q) - np.log1p(-np.asarray(q))))
    soft = pen.emit("Sigmoid", pen.emit("Div", shifted, pen.number(float(pen.rng.uniform(0.1, 1.0)))))
    if pen.toss(0.5):
        return Mask(pen.emit("Round", soft), Form.NUMBER)
    return Mask(pen.emit("Greater", soft, pen.number(0.5)), Form.BOOLEAN)


def digits(pen: Pen, q: Numbers) -> Mask:
    """The last three digits of an integer draw, compared with 1000 q."""
    several = _STEPS * int(pen.rng.integers(1, 8))
    whole = pen.cast(pen.emit("Mul", unit(pen), pen.number(float(several))), INT32)
    last = pen.emit("Mod", whole, pen.number(_STEPS, INT32))
    return Mask(pen.emit("Less", last, pen.number(np.rint(_STEPS * np.asarray(q)), INT32)), Form.BOOLEAN)
