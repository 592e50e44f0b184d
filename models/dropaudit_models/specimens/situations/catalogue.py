"""All situations."""

from __future__ import annotations

from dropaudit.errors import InvalidArgument
from dropaudit_models.specimens.situations.measurement import MEASUREMENT
from dropaudit_models.specimens.situations.pairs import PAIRS
from dropaudit_models.specimens.situations.randomness import RANDOMNESS
from dropaudit_models.specimens.situations.robustness import ROBUSTNESS
from dropaudit_models.specimens.situations.situation import Situation
from dropaudit_models.specimens.situations.small import SMALL
from dropaudit_models.specimens.situations.spelling import SPELLING
from dropaudit_models.specimens.situations.switches import SWITCHES

SITUATIONS: tuple[Situation, ...] = (
    *MEASUREMENT,
    *ROBUSTNESS,
    *SPELLING,
    *SWITCHES,
    *RANDOMNESS,
    *PAIRS,
    *SMALL,
)


def situation_named(name: str) -> Situation:
    """Return a situation. Raises InvalidArgument when there is none of that name."""
    found = next((situation for situation in SITUATIONS if situation.name == name), None)
    if found is None:
        raise InvalidArgument(f"there is no situation {name!r}", name=name)
    return found
