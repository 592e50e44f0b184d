"""Why a drawn graph is not kept."""

from __future__ import annotations


class Unfit(Exception):
    """The graph lies too near to a coincidence, or asks for more replicates than an audit has: another is drawn."""


class Contradiction(AssertionError):
    """The Monte Carlo finds something else than the generator meant: a bug in one of the two."""
