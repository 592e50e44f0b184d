"""The plan of a graph, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dropaudit.plan import Role
from dropaudit_evaluation.spellings.grammar.site import Wish
from dropaudit_evaluation.spellings.grammar.writer import FLOAT
from dropaudit_evaluation.spellings.intention import Extent


class Pairing(StrEnum):
    """The operation of an inference artifact in place of a site."""

    PLAIN = "nothing"
    CLASSIC = "times q"
    WRONG = "another factor"


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One site.

    Attributes:
        wish: what it does.
        place: a key of the places.
        extent: what a cell of its mask decides for.
        element_type: of its data and mask.
        seed: of its draws.
        forced: choices of the grammar that are not free, such as those that make equal seeds draw the same.
    """

    wish: Wish
    place: str
    extent: Extent = Extent.ELEMENT
    element_type: int = FLOAT
    seed: int | None = None
    forced: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """One graph.

    Attributes:
        sites: in the order of the data.
        role: to audit in.
        has_time: whether the data has an axis of time.
        has_ids: whether the data comes from a table by integer ids.
        batch: a fixed extent, or None where it is free.
        between: a key of what stands between two sites.
        head: a key of what stands behind the last.
        declared: keep probability that is declared to the audit.
        pair: what the inference artifact of a pair does where the train artifact's sites are; None for one artifact.
    """

    sites: tuple[SitePlan, ...]
    role: Role
    has_time: bool
    has_ids: bool
    batch: int | None
    between: str
    head: str
    declared: float | None = None
    pair: Pairing | None = None
