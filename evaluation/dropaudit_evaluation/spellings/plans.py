"""Drawing what a graph is to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from dropaudit.plan import Role
from dropaudit_evaluation.spellings import scenes
from dropaudit_evaluation.spellings.grammar.site import Wish
from dropaudit_evaluation.spellings.grammar.writer import DOUBLE, FLOAT, HALF
from dropaudit_evaluation.spellings.intention import SCALED, Extent, Law
from dropaudit_evaluation.spellings.network import layers
from dropaudit_evaluation.spellings.network.build import ANYWHERE, DEAD_END, IDS, IN_TIME, TABLE
from dropaudit_evaluation.spellings.network.network import FEATURES, FIXED_BATCH
from dropaudit_evaluation.spellings.network.plan import GraphPlan, SitePlan
from dropaudit_evaluation.spellings.rates import by_feature, keep_prob_for, wrong_factor
from dropaudit_evaluation.spellings.scenes import Scenario, Scene, Setting

Option = TypeVar("Option")

_FAULTS = (Law.MISSING, Law.DOUBLED, Law.SWAPPED, Law.WRONG, Law.FROZEN, Law.INERT_SCALED)
_OTHERS = (Law.NOISE, Law.GAUSSIAN, Law.ZONEOUT, Law.BRANCH, Law.FILL)
# Where a mask's cells can decide for more than an element.
_SHAREABLE = ("activation", "residual", "function")
_IN_BODIES = ("branch", "loop", "function in a loop", "scan output", "scan state", "scan input")
_ON_WEIGHTS = (TABLE, "weight", "recurrent weight", "input weight")
_MASKS_ALONE = (Law.FROZEN, Law.INERT_SCALED, Law.INERT)


def draw_plan(rng: np.random.Generator) -> GraphPlan:
    """Draw a plan: a scenario first, then the network around it."""
    has_ids = bool(rng.random() < 0.15)
    setting = Setting(
        role=_weighted(rng, {Role.TRAIN: 0.6, Role.AUTO: 0.2, Role.INFERENCE: 0.2}),
        has_time=has_ids or bool(rng.random() < 0.45),
        has_ids=has_ids,
        batch=FIXED_BATCH if rng.random() < 0.3 else None,
    )
    scene = _weighted(rng, _SCENARIOS)(rng, setting)
    if any(site.place in (TABLE, IDS) for site in scene.sites):
        setting = replace(setting, has_time=True, has_ids=True)
    return GraphPlan(
        sites=scene.sites,
        role=scene.role or setting.role,
        has_time=setting.has_time,
        has_ids=setting.has_ids,
        batch=setting.batch,
        between=scene.between or str(rng.choice([name for name in layers.BETWEEN if name != "nothing"])),
        head=str(rng.choice(list(layers.HEADS))),
        declared=scene.declared,
        pair=scene.pair,
    )


def _masks(rng: np.random.Generator, setting: Setting) -> Scene:
    """One to five masks, all right or one of them faulty; now and then one that reaches no output."""
    count = int(rng.choice((1, 2, 3, 4, 5), p=(0.62, 0.2, 0.1, 0.04, 0.04)))
    laws = [Law.RIGHT] * count
    if rng.random() < 0.55:
        laws[int(rng.integers(count))] = _FAULTS[int(rng.integers(len(_FAULTS)))]
    sites = [_mask(rng, setting, law, lowest=0.05 if count < 3 else 0.5) for law in laws]
    tables = [number for number, site in enumerate(sites) if site.place == TABLE]
    for number in tables[1:]:
        # Two in a row on one table would be stacked.
        sites[number] = replace(sites[number], place="activation")
    if rng.random() < 0.1:
        law = Law.RIGHT if rng.random() < 0.5 else Law.MISSING
        sites.append(replace(_mask(rng, setting, law), place=DEAD_END, extent=Extent.ELEMENT))
    return Scene(_seeded(rng, sites))


def _mask(rng: np.random.Generator, setting: Setting, law: Law, lowest: float = 0.05) -> SitePlan:
    place = _place(rng, setting)
    if law is Law.FROZEN and place in _ON_WEIGHTS:
        # Folded, a constant mask on a weight is a weight with zeros, and nobody can tell.
        place = "activation"
    q = keep_prob_for(law, rng, lowest)
    element_type = int(rng.choice((FLOAT, DOUBLE, HALF), p=(0.8, 0.12, 0.08)))
    wish = Wish(law, q, wrong_factor(q, rng) if law is Law.WRONG else 1.0)
    plan = SitePlan(wish, place, element_type=element_type)
    if place in _SHAREABLE and law not in _MASKS_ALONE:
        plan = _shared(rng, setting, plan)
    if plan.extent is Extent.ELEMENT and law in SCALED and rng.random() < 0.06:
        plan = replace(plan, wish=replace(wish, keep_prob=by_feature(FEATURES, rng)))
    return plan


def _place(rng: np.random.Generator, setting: Setting) -> str:
    if setting.has_ids and rng.random() < 0.4:
        return TABLE
    if setting.has_time and rng.random() < 0.5:
        return str(rng.choice(list(IN_TIME)))
    return "activation" if rng.random() < 0.45 else str(rng.choice(list(ANYWHERE)))


def _shared(rng: np.random.Generator, setting: Setting, plan: SitePlan) -> SitePlan:
    """Let a cell of the mask decide for more than one element in a fifth of the cases."""
    if rng.random() > 0.2:
        return plan
    extents = [Extent.BATCH, Extent.SAMPLE, Extent.WHOLE] + [Extent.TIME, Extent.TOKEN] * setting.has_time
    extent = extents[int(rng.integers(len(extents)))]
    # A layer that is left out as a whole may be unscaled and right: the contract leaves that open.
    law = Law.RIGHT if extent in (Extent.SAMPLE, Extent.WHOLE, Extent.TOKEN) else plan.wish.law
    q = keep_prob_for(law, rng, 0.5) if law is not Law.WRONG else max(plan.wish.keep_prob, 0.05)
    wish = replace(plan.wish, law=law, keep_prob=q, by_element=False)
    if law is Law.WRONG:
        wish = replace(wish, wrong=wrong_factor(float(q), rng))
    return replace(plan, extent=extent, wish=wish)


def _seeded(rng: np.random.Generator, sites: list[SitePlan]) -> tuple[SitePlan, ...]:
    """Give all sites seeds that lie far from each other, or none.

    Without seeds this runtime draws the same at one node index of two graphs: sites in bodies that are not alone get
    seeds, so that nothing is equal by chance.
    """
    in_bodies = any(site.place in _IN_BODIES for site in sites)
    if not (in_bodies and len(sites) > 1) and rng.random() < 0.75:
        return tuple(sites)
    seeds = rng.choice(1000, len(sites), replace=False)
    return tuple(replace(site, seed=1000 * int(seed) + 17) for site, seed in zip(sites, seeds, strict=True))


def _equal_seeds(rng: np.random.Generator, setting: Setting) -> Scene:
    """Two or three masks whose draws carry one seed, at equal or at other rates."""
    seed, rate = int(rng.integers(2, 100_000)), keep_prob_for(Law.RIGHT, rng, 0.4)
    by_operator = bool(rng.random() < 0.4)
    forced = (
        ("site", "operator" if by_operator else "chain"),
        ("family", "uniform"),
        ("draw", "RandomUniform like"),
    )
    same_threshold = (
        (("threshold", str(rng.choice(("less", "greater", "floor", "sign")))),) if rng.random() < 0.8 else ()
    )
    sites = []
    for _ in range(int(rng.choice((2, 3), p=(0.8, 0.2)))):
        q = rate if rng.random() < 0.6 else keep_prob_for(Law.RIGHT, rng, 0.4)
        place = str(rng.choice(_SHAREABLE))
        sites.append(SitePlan(Wish(Law.RIGHT, q, one_draw=True), place, seed=seed, forced=(*forced, *same_threshold)))
    return Scene(tuple(sites))


def _stacked(rng: np.random.Generator, setting: Setting) -> Scene:
    """Two masks with nothing between them, whose draws carry one seed or are their own."""
    if rng.random() < 0.5:
        sites = _equal_seeds(rng, setting).sites[:2]
        return Scene(tuple(replace(site, place="activation") for site in sites), between="nothing")
    rates = [keep_prob_for(Law.RIGHT, rng, 0.4) for _ in range(2)]
    sites = tuple(SitePlan(Wish(Law.RIGHT, q, one_draw=True), "activation") for q in rates)
    return Scene(sites, between="nothing")


def _other(rng: np.random.Generator, setting: Setting) -> Scene:
    """Randomness other than a mask of zeros, alone or beside a mask."""
    law = _OTHERS[int(rng.integers(len(_OTHERS)))]
    sites = [SitePlan(Wish(law, keep_prob_for(Law.RIGHT, rng, 0.5)), "layer")]
    if rng.random() < 0.4:
        beside = Law.RIGHT if rng.random() < 0.6 else Law.MISSING
        sites.insert(0, SitePlan(Wish(beside, keep_prob_for(beside, rng, 0.5)), "activation"))
    return Scene(tuple(sites))


def _idle(rng: np.random.Generator, setting: Setting) -> Scene:
    """A site that never drops: switched off, or with a threshold that always keeps."""
    law = _weighted(rng, {Law.OFF: 0.5, Law.INERT: 0.5})
    return Scene((SitePlan(Wish(law, keep_prob_for(Law.RIGHT, rng, 0.5)), "activation"),))


def _dead_alone(rng: np.random.Generator, setting: Setting) -> Scene:
    """Nothing but a site whose result reaches no output."""
    return Scene((SitePlan(Wish(Law.RIGHT, keep_prob_for(Law.RIGHT, rng)), DEAD_END),))


def _words(rng: np.random.Generator, setting: Setting) -> Scene:
    """Integer ids that are replaced at random, alone or before a mask."""
    sites = [SitePlan(Wish(Law.WORDS, keep_prob_for(Law.RIGHT, rng, 0.5)), IDS)]
    if rng.random() < 0.5:
        sites.append(SitePlan(Wish(Law.RIGHT, keep_prob_for(Law.RIGHT, rng, 0.3)), "activation"))
    return Scene(tuple(sites))


_SCENARIOS: Mapping[Scenario, float] = {
    _masks: 0.56,
    _equal_seeds: 0.06,
    _stacked: 0.03,
    _other: 0.1,
    _idle: 0.05,
    _dead_alone: 0.02,
    _words: 0.02,
    scenes.one_mask_twice: 0.03,
    scenes.called_twice: 0.02,
    scenes.switched: 0.04,
    scenes.declared: 0.03,
    scenes.pair: 0.04,
}


def _weighted(rng: np.random.Generator, options: Mapping[Option, float]) -> Option:
    return list(options)[int(rng.choice(len(options), p=np.array([*options.values()])))]
