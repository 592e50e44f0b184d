"""Scenarios of a kind of their own: one mask for two tensors, a switch, a declared rate, a pair of artifacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dropaudit.plan import Role
from dropaudit_evaluation.spellings.grammar.site import Wish
from dropaudit_evaluation.spellings.intention import Law
from dropaudit_evaluation.spellings.network.plan import Pairing, SitePlan
from dropaudit_evaluation.spellings.rates import keep_prob_for


@dataclass(frozen=True, slots=True)
class Setting:
    """Properties that all sites of a graph share."""

    role: Role
    has_time: bool
    has_ids: bool
    batch: int | None


@dataclass(frozen=True, slots=True)
class Scene:
    """The sites of a graph, and what the scenario fixes of the rest."""

    sites: tuple[SitePlan, ...]
    between: str | None = None
    role: Role | None = None
    declared: float | None = None
    pair: Pairing | None = None


Scenario = Callable[[np.random.Generator, Setting], Scene]


def one_mask_twice(rng: np.random.Generator, setting: Setting) -> Scene:
    """Put one mask on two tensors."""
    return Scene((SitePlan(Wish(Law.RIGHT, keep_prob_for(Law.RIGHT, rng, 0.4)), "two tensors"),))


def called_twice(rng: np.random.Generator, setting: Setting) -> Scene:
    """Call one function at two places: two sites, each with its own draw."""
    law = Law.RIGHT if rng.random() < 0.6 else Law.MISSING
    return Scene((SitePlan(Wish(law, keep_prob_for(law, rng, 0.5)), "function, twice"),))


def switched(rng: np.random.Generator, setting: Setting) -> Scene:
    """Let an input of the graph switch a Dropout operator.

    In role train the input is fed True, also over a default; in role inference it is fed False, and a default is left
    as it is.
    """
    role = Role.TRAIN if rng.random() < 0.5 else Role.INFERENCE
    default = (None, "True", "False")[int(rng.integers(3))]
    is_on = role is Role.TRAIN or default == "True"
    wish = Wish(Law.RIGHT if is_on else Law.OFF, keep_prob_for(Law.RIGHT, rng, 0.3))
    forced = () if default is None else (("default", default),)
    return Scene((SitePlan(wish, "switched", forced=forced),), role=role)


def declared(rng: np.random.Generator, setting: Setting) -> Scene:
    """Declare a keep probability to the audit: the right one, another one, or the drop rate."""
    q = keep_prob_for(Law.SWAPPED, rng, 0.3)
    choices = (q, 1 - q, q - 0.1 if q > 0.5 else q + 0.1)
    said = round(float(choices[int(rng.integers(3))]), 3)
    if said != q and abs(said + q - 1) > 1e-6 and abs(said + q - 1) < 0.03:
        said = q
    site = SitePlan(Wish(Law.RIGHT, q), "activation", forced=(("site", "chain"), ("threshold", "less")))
    return Scene((site,), role=Role.TRAIN, declared=said)


def pair(rng: np.random.Generator, setting: Setting) -> Scene:
    """Audit a train artifact with its inference artifact."""
    law = Law.RIGHT if rng.random() < 0.5 else Law.MISSING
    pairing = list(Pairing)[int(rng.integers(3))]
    count = 2 if rng.random() < 0.3 else 1
    rates = [keep_prob_for(Law.DOUBLED, rng, 0.3 if count == 1 else 0.5) for _ in range(count)]
    sites = tuple(SitePlan(Wish(law, q), "activation") for q in rates)
    return Scene(sites, role=Role.TRAIN, pair=pairing)
