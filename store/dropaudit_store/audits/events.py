"""Events of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from dropaudit_store.records import AuditState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The audit entered a state that is not final."""

    sequence: int
    time: float
    state: AuditState


@dataclass(frozen=True, slots=True)
class Progressed:
    """A running audit went on; `progress` is the JSON form of the message Progress."""

    sequence: int
    time: float
    progress: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """The audit reached a final state; nothing follows."""

    sequence: int
    time: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that only a newer version knows: nothing is told of it, and the audit goes on."""

    sequence: int
    time: float


Event = StateChanged | Progressed | Finished | Unknown


def read_event(entry_id: str, fields: dict[str, str]) -> Event:
    """Read an entry of an audit's stream."""
    sequence, time = int(entry_id.partition("-")[0]), float(fields["time"])
    if fields["kind"] == "state":
        return StateChanged(sequence, time, AuditState(fields["payload"]))
    if fields["kind"] == "progress":
        return Progressed(sequence, time, msgspec.json.decode(fields["payload"]))
    return Finished(sequence, time) if fields["kind"] == "finished" else Unknown(sequence, time)
