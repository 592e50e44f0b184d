"""What the generator means a site to be, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dropaudit_evaluation.spellings.grammar.laws import Numbers


class Law(StrEnum):
    """What a site makes of its data."""

    RIGHT = "right"
    MISSING = "scale missing"
    DOUBLED = "scale doubled"
    SWAPPED = "scale swapped"
    WRONG = "scale wrong"
    INERT = "always keeps"
    INERT_SCALED = "always keeps, and scales"
    FROZEN = "frozen"
    OFF = "switched off"
    NOISE = "noise on top"
    GAUSSIAN = "multiplied by noise"
    WORDS = "other ids"
    FILL = "filled"
    ZONEOUT = "zoneout"
    BRANCH = "random branch"


SCALED = (Law.RIGHT, Law.MISSING, Law.DOUBLED, Law.SWAPPED, Law.WRONG)
MASKS = (*SCALED, Law.FROZEN)
OTHER_RANDOMNESS = (Law.NOISE, Law.WORDS, Law.FILL)


class Extent(StrEnum):
    """What one cell of a mask decides for."""

    ELEMENT = "element"
    BATCH = "shared over the batch"
    TIME = "shared over time"
    SAMPLE = "sample"
    TOKEN = "token"
    WHOLE = "whole batch"


@dataclass(frozen=True, slots=True)
class SiteIntention:
    """One site.

    Attributes:
        law: what it does to its data.
        keep_prob: q, for all elements or for each feature.
        factor: on what is kept; None where the law alone says it.
        extent: what one cell of its mask decides for.
        data, result: names of the tensors around it.
        place: where it stands, in words.
        is_dead: whether its result reaches no output.
        is_seeded: whether its draws carry a seed.
        by_operator: whether it is a Dropout operator on the data itself, which a default session may remove.
        uses_bernoulli: whether the runtime draws otherwise than the standard says.
    """

    law: Law
    keep_prob: Numbers
    data: str
    result: str
    place: str
    factor: Numbers | None = None
    extent: Extent = Extent.ELEMENT
    is_dead: bool = False
    is_seeded: bool = False
    by_operator: bool = False
    uses_bernoulli: bool = False
    on_weight: bool = False
    nonlinear_behind: bool = False
