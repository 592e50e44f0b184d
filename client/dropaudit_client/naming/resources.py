"""Names of models as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dropaudit.report import Interval, Verdict


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a display name; `model` is its content, `models/{sha256}`."""

    display_name: str
    version: int
    model: str
    size_bytes: int
    create_time: datetime | None
    uploader: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelName:
    """A display name with its newest version, and the version that each alias stands for."""

    display_name: str
    newest: ModelVersion
    version_count: int
    aliases: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measurement:
    """An estimate at a site or an output; `quantity` is keepProb or scaleFactor."""

    subject: str
    quantity: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """A measurement of one audit of a model; `version` is 0 where it is not known."""

    audit: str
    run: str
    version: int
    sha256: str
    end_time: datetime | None
    verdict: Verdict | None
    codes: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    runtime_version: str
