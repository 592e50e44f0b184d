"""Specimens with known answers: healthy kinds, and for each finding kinds that must raise it."""

from dropaudit_models.specimens.catalogue import (
    KINDS,
    first_specimens,
    healthy_twin,
    kind_named,
    random_specimens,
    settings_of,
)
from dropaudit_models.specimens.kind import Answer, Kind, Specimen
from dropaudit_models.specimens.setting import Setting, Where

__all__ = [
    "KINDS",
    "Answer",
    "Kind",
    "Setting",
    "Specimen",
    "Where",
    "first_specimens",
    "healthy_twin",
    "kind_named",
    "random_specimens",
    "settings_of",
]
