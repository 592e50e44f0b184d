"""A site: data, mask, scale and how they come together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dropaudit_evaluation.spellings.grammar.applications import APPLICATIONS
from dropaudit_evaluation.spellings.grammar.detours import detoured
from dropaudit_evaluation.spellings.grammar.factors import Places, arranged, inverse_of, multiplied
from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.mask import Form, Mask
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.several import dropout_rate, dropout_seed
from dropaudit_evaluation.spellings.grammar.thresholds import (
    is_by_feature,
    spell_ever_keeping,
    spell_mask,
    thresholds_for,
)
from dropaudit_evaluation.spellings.grammar.writer import BOOL, FLOAT, INT64
from dropaudit_evaluation.spellings.intention import Law


@dataclass(frozen=True, slots=True)
class Wish:
    """The plan of a site.

    Attributes:
        law: one of those of a mask.
        keep_prob: q.
        wrong: the factor of a wrong scale.
        one_draw: whether a single draw must decide each cell.
        by_element: whether each element has a cell of its own.
    """

    law: Law
    keep_prob: Numbers
    wrong: float = 1.0
    one_draw: bool = False
    by_element: bool = True


def factors_of(wish: Wish) -> tuple[Numbers, ...]:
    """Return the factors that the law puts on kept values, each to stand in a place of its own."""
    q = wish.keep_prob
    return {
        Law.RIGHT: (inverse_of(q),),
        Law.MISSING: (),
        Law.DOUBLED: (inverse_of(q), inverse_of(q)),
        Law.SWAPPED: (inverse_of(1 - q),),
        Law.WRONG: (wish.wrong,),
        Law.INERT: (),
        Law.INERT_SCALED: (inverse_of(q),),
        Law.FROZEN: (inverse_of(q),),
    }[wish.law]


def spell_site(pen: Pen, data: str, wish: Wish, result: str) -> None:
    """Write a site on `data` whose result is called `result`."""
    if pen.pick("site", {"chain": False, "operator": True} if _may_be_operator(pen, wish) else {"chain": False}):
        _operator(pen, data, wish, result)
        return
    put_mask(pen, data, wish, spell_wished_mask(pen, wish), result)


def spell_wished_mask(pen: Pen, wish: Wish) -> Mask:
    """Write a mask that keeps as the wish says."""
    return detoured(pen, _mask(pen, wish))


def put_mask(pen: Pen, data: str, wish: Wish, mask: Mask, result: str) -> None:
    """Write what a mask does to `data`, with the factors that the wish asks for."""
    places = _places(pen, wish)
    application = pen.pick("application", APPLICATIONS, "product")
    applied = application(pen, multiplied(pen, data, places.before), mask, places.mask)
    pen.emit("Identity", _ended(pen, multiplied(pen, applied, places.after)), name=result)


def _places(pen: Pen, wish: Wish) -> Places:
    factors = factors_of(wish)
    if wish.law is Law.DOUBLED and pen.toss(0.3):
        factors = (factors[0] * factors[1],)
    return arranged(pen, factors, mask_only=wish.law in (Law.WRONG, Law.FROZEN))


def _mask(pen: Pen, wish: Wish) -> Mask:
    if wish.law in (Law.INERT, Law.INERT_SCALED):
        return spell_ever_keeping(pen)
    if wish.law is Law.FROZEN:
        return _frozen_mask(pen, wish.keep_prob)
    by_feature = is_by_feature(wish.keep_prob)
    if by_feature:
        pen.record.append("rate:by feature")
    usable = thresholds_for(pen, by_feature=by_feature, one_draw=wish.one_draw, pooling=wish.by_element)
    return spell_mask(pen, wish.keep_prob, usable)


def _frozen_mask(pen: Pen, q: Numbers) -> Mask:
    """Bake a mask in which kept and dropped features take turns at random: no padding looks like it."""
    features = pen.cells.features
    row = np.zeros(features, bool)
    row[: max(2, min(features - 2, round(features * float(np.mean(q)))))] = True
    row = pen.rng.permutation(row)
    row[:3], row[-1] = (False, True, False), True
    kept = row.reshape(*(1,) * (pen.cells.rank - 1), features)
    pen.record.append("threshold:baked")
    forms = {"numbers": (pen.element_type, Form.NUMBER), "Booleans": (BOOL, Form.BOOLEAN)}
    element_type, form = pen.pick("baked", forms)
    return Mask(pen.number(kept, element_type), form)


def _ended(pen: Pen, name: str) -> str:
    """Go on with what changes nothing, or go on at once."""
    choices = {
        "at once": lambda: name,
        "plus zero": lambda: pen.emit("Add", name, pen.number(0.0)),
        "reshaped": lambda: pen.emit("Reshape", name, pen.emit("Shape", name)),
        "squeezed": lambda: _squeezed(pen, name),
    }
    return pen.pick("end", choices, "at once")()


def _squeezed(pen: Pen, name: str) -> str:
    axis = pen.number([0], INT64)
    return pen.emit("Squeeze", pen.emit("Unsqueeze", name, axis), axis)


def _may_be_operator(pen: Pen, wish: Wish) -> bool:
    fits = wish.law in (Law.RIGHT, Law.DOUBLED) and not is_by_feature(wish.keep_prob)
    return fits and wish.by_element and pen.element_type == FLOAT and pen.toss(0.3)


def _operator(pen: Pen, data: str, wish: Wish, result: str) -> None:
    """Write a Dropout operator on the data; doubled, with 1/q once more beside it."""
    further = () if wish.law is Law.RIGHT else (inverse_of(wish.keep_prob),)
    before, after = (further, ()) if pen.toss(0.5) else ((), further)
    given = multiplied(pen, data, before[0] if before else None)
    dropped = pen.emit("Dropout", given, *dropout_rate(pen, wish.keep_prob), **dropout_seed(pen))
    pen.emit("Identity", multiplied(pen, dropped, after[0] if after else None), name=result)
