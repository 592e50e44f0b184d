"""The intended site: what the generator means to build, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dropaudit_evaluation.spellings.grammar.laws import Numbers


class Law(StrEnum):
    """The law by which a site changes its data."""

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
    """The part of the data that one cell of a mask decides for."""

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
        seed: that its draws carry, or None.
        by_operator: whether it is a Dropout operator on the data itself, which a default session may remove.
        uses_bernoulli: whether the runtime draws otherwise than the standard says.
        on_weight: whether its data is a weight.
        nonlinear_behind: whether an operator that is not linear lies between it and the output.
        applies_twice: whether its mask stands on the data twice.
        shares_mask: whether its mask is another site's as well.
    """

    law: Law
    keep_prob: Numbers
    data: str
    result: str
    place: str
    factor: Numbers | None = None
    extent: Extent = Extent.ELEMENT
    is_dead: bool = False
    seed: int | None = None
    by_operator: bool = False
    uses_bernoulli: bool = False
    on_weight: bool = False
    nonlinear_behind: bool = False
    applies_twice: bool = False
    shares_mask: bool = False

    @property
    def is_seeded(self) -> bool:
        """Whether every session replays its draws."""
        return self.seed is not None
