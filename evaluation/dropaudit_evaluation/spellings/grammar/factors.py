"""A constant factor: how it comes about in the graph, and how it is put on a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.writer import FLOAT


@dataclass(frozen=True, slots=True)
class Places:
    """Factors by the place where they stand; None where there is none.

    Attributes:
        before: on the data.
        mask: on the mask.
        after: on the result.
    """

    before: Numbers | None = None
    mask: Numbers | None = None
    after: Numbers | None = None


def multiplied(pen: Pen, name: str, factor: Numbers | None) -> str:
    """Spell a tensor times a constant: by Mul, or by Div of the inverse."""
    if factor is None:
        return name
    if pen.toss(0.5):
        return pen.emit("Mul", name, constant(pen, factor))
    return pen.emit("Div", name, constant(pen, 1 / factor))


def constant(pen: Pen, value: Numbers) -> str:
    """Spell a constant: as it is, or computed in the graph."""
    return pen.pick("constant", _SPELLINGS, "plain")(pen, value)


def _plain(pen: Pen, value: Numbers) -> str:
    return pen.number(value)


def _reciprocal(pen: Pen, value: Numbers) -> str:
    return pen.emit("Reciprocal", pen.number(1 / value))


def _one_over(pen: Pen, value: Numbers) -> str:
    return pen.emit("Div", pen.number(1.0), pen.number(1 / value))


def _from_complement(pen: Pen, value: Numbers) -> str:
    """1 / (1 - p)."""
    return pen.emit("Reciprocal", pen.emit("Sub", pen.number(1.0), pen.number(1 - 1 / value)))


def _complement(pen: Pen, value: Numbers) -> str:
    return pen.emit("Sub", pen.number(1.0), pen.number(1 - value))


def _root(pen: Pen, value: Numbers) -> str:
    return pen.emit("Sqrt", pen.number(value**2))


def _power(pen: Pen, value: Numbers) -> str:
    return pen.emit("Pow", pen.number(1 / value), pen.number(-1.0))


def _root_of_power(pen: Pen, value: Numbers) -> str:
    return pen.emit("Pow", pen.number(value**2), pen.number(0.5))


def _cast(pen: Pen, value: Numbers) -> str:
    return pen.cast(pen.number(value, FLOAT), pen.element_type)


def _of_parts(pen: Pen, value: Numbers) -> str:
    part = value * float(pen.rng.uniform(0.2, 0.8))
    return pen.emit("Add", pen.number(part), pen.number(value - part))


_SPELLINGS: Mapping[str, Callable[[Pen, Numbers], str]] = {
    "plain": _plain,
    "reciprocal": _reciprocal,
    "one over": _one_over,
    "from the complement": _from_complement,
    "complement": _complement,
    "root": _root,
    "power": _power,
    "root of a power": _root_of_power,
    "cast": _cast,
    "sum": _of_parts,
}


def arranged(pen: Pen, factors: tuple[Numbers, ...], *, mask_only: bool) -> Places:
    """Give each factor a place of its own; `mask_only` where a factor elsewhere would be the model's."""
    if not factors:
        return Places()
    names = ["mask"] if mask_only else [str(name) for name in pen.rng.permutation(["before", "mask", "after"])]
    chosen = dict(zip(names, factors, strict=False))
    pen.record.append("scale:" + "+".join(sorted(chosen)))
    return Places(**chosen)


def inverse_of(q: Numbers) -> Numbers:
    """Return 1/q, for one rate or for each feature's."""
    return 1 / np.asarray(q) if isinstance(q, np.ndarray) else 1 / q
