"""Keep probabilities and factors that lie apart from what they could be taken for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dropaudit_evaluation.spellings.grammar.laws import Numbers
from dropaudit_evaluation.spellings.intention import Law

LOWEST, HIGHEST = 0.05, 0.95
_APART = 0.04


def hypotheses(q: float) -> Mapping[Law, float]:
    """Return the factor of each law that has a name; at one half, swapped is right."""
    named = {Law.RIGHT: 1 / q, Law.MISSING: 1.0, Law.DOUBLED: 1 / q**2}
    return named if abs(q - 0.5) < 1e-9 else named | {Law.SWAPPED: 1 / (1 - q)}


def is_apart(factor: float, others: list[float]) -> bool:
    """Whether a factor cannot be taken for another."""
    return all(abs(factor / other - 1) > _APART for other in others)


def keep_prob_for(law: Law, rng: np.random.Generator, lowest: float = LOWEST) -> float:
    """Draw a keep probability at which the law's factor stands alone."""
    while True:
        q = round(float(rng.uniform(lowest, HIGHEST)), int(rng.choice((1, 2, 3))))
        if not LOWEST <= q <= HIGHEST:
            continue
        named = hypotheses(q)
        if law not in (Law.DOUBLED, Law.SWAPPED, Law.MISSING):
            return q
        if law in named and is_apart(named[law], [each for key, each in named.items() if key is not law]):
            return q


def wrong_factor(q: float, rng: np.random.Generator) -> float:
    """Draw a factor that no law has: off by a share, or by a formula gone wrong."""
    known = [*hypotheses(q).values(), 1 / (1 - q) ** 2]
    while True:
        choices = (rng.uniform(0.5, 1.8) / q, q, 1 - q, 2.0, 1 + (1 - q), 1 / np.sqrt(q))
        factor = float(rng.choice(choices))
        if is_apart(factor, known):
            return factor


def by_feature(features: int, rng: np.random.Generator) -> Numbers:
    """Draw a keep probability for each feature."""
    rates: Numbers = rng.uniform(0.3, 0.9, features).round(2)
    return rates
