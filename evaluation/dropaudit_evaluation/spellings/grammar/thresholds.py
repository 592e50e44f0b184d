"""The productions of a mask that keeps with a given probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dropaudit_evaluation.spellings.grammar import contests, several, steps, tails
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Mask, complement
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import FLOAT, HALF

Threshold = Callable[[Pen, Numbers], Mask]

# What takes a rate for each feature as well, and any type.
_ANY: Mapping[str, Threshold] = {
    "less": tails.less,
    "greater": tails.greater,
    "sign": tails.sign,
    "relu": tails.relu,
    "band": tails.band,
    "outside": tails.outside,
    "distance from the middle": tails.distance_from_middle,
    "floor": steps.floor,
    "ceil": steps.ceil,
    "round": steps.rounded,
    "cast to integer": steps.to_integer,
    "cast to boolean": steps.to_boolean,
    "equal": steps.equal,
    "cosine": steps.cosine,
    "mod": steps.modulo,
}
_FULL: Mapping[str, Threshold] = {"clip": tails.clip, "bucket": steps.bucket, "digits": contests.digits}
_ONE_RATE: Mapping[str, Threshold] = {
    "min of two": several.smallest,
    "max of two": several.largest,
    "both": several.both,
    "either": several.either,
    "two draws compared": several.compared,
    "max pool": several.pooled,
    "max pool 2d": several.pooled_squares,
    "bernoulli": several.bernoulli,
    "dropout of ones": several.dropout_of_ones,
    "multinomial": contests.multinomial,
}
_SINGLE: Mapping[str, Threshold] = {
    "thresholded relu": steps.thresholded,
    "quantized": steps.quantized,
    "gumbel": contests.gumbel,
    "concrete": contests.concrete,
}

# One draw decides each cell, so that equal seeds mean equal masks.
ONE_DRAW = (*_ANY, *_FULL)
# Always keep, when they are asked for a probability beyond 1.
EVER_KEEPING: Mapping[str, Threshold] = {name: _ANY[name] for name in ("less", "greater", "sign", "relu")}
# Neighbouring cells share what these draw.
POOLED = ("max pool", "max pool 2d")
# Several draws decide each cell.
_CONTESTS = ("gumbel",)


def thresholds_for(pen: Pen, *, by_feature: bool, one_draw: bool, pooling: bool) -> Mapping[str, Threshold]:
    """Return the productions that can be used: by the type, the kind of rate and the shape of the mask."""
    found = dict(_ANY)
    if pen.element_type != HALF:
        found |= _FULL
    if by_feature:
        found.pop("distance from the middle")
        return found
    if not one_draw:
        found |= _ONE_RATE
    if pen.element_type == FLOAT:
        found |= _SINGLE
    left_out = POOLED if not pooling or one_draw else () if pen.cells.features == several.SQUARE else POOLED[1:]
    for name in (*left_out, *(_CONTESTS if one_draw else ())):
        found.pop(name, None)
    return found


def spell_mask(pen: Pen, q: Numbers, usable: Mapping[str, Threshold]) -> Mask:
    """Spell a mask that keeps with probability q, or the complement of one that drops."""
    production = pen.pick("threshold", usable)
    if pen.toss(0.25):
        return complement(pen, production(pen, 1 - q))
    return production(pen, q)


def spell_ever_keeping(pen: Pen) -> Mask:
    """Spell a mask whose threshold lies where no draw comes."""
    return pen.pick("threshold", EVER_KEEPING)(pen, float(pen.rng.uniform(1.05, 1.5)))


def is_by_feature(q: Numbers) -> bool:
    """Whether each feature has a rate of its own."""
    return isinstance(q, np.ndarray)
