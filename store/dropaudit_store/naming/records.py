"""Records of names and versions."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

# Older versions than the newest so many are forgotten, unless an alias stands for them; their content stays.
MOST_VERSIONS = 1000
MOST_ALIASES = 100
# As the scripts take them.
LIMITS = {"MOST_VERSIONS": MOST_VERSIONS, "MOST_ALIASES": MOST_ALIASES}


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a display name. `uploader` is the name of a token; `create_time` is in seconds since the epoch."""

    display_name: str
    version: int
    sha256: str
    size: int
    create_time: float
    uploader: str = ""


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A version with the aliases that stand for it, in alphabetical order."""

    known: ModelVersion
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelName:
    """A display name: its newest version, how many are kept, and the version that each alias stands for."""

    display_name: str
    newest: NamedVersion
    version_count: int
    aliases: dict[str, int] = field(default_factory=dict)
