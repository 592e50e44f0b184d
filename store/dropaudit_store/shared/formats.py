"""The format of records and messages, so that two versions of the code can work beside each other.

A record says its format, MAJOR.MINOR; one that says none is 1.0. A higher minor number means that fields were added:
who does not know them leaves them as they are. A higher major number means that an older version would get it wrong: it
refuses the record in a sentence, and changes nothing of it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from dropaudit_store.errors import RecordTooNew

# Raise the minor number with every field that is added to what is stored, and the major one with every other change.
FORMAT = "1.0"
# What is in the place of a format where there is none.
FIRST = "1.0"

T = TypeVar("T")


class _Said(msgspec.Struct):
    format: str = FIRST


_SAID = msgspec.json.Decoder(_Said)


def major_of(text: str) -> int:
    """Return the major number of a format; for text that is not a format, a number that no version knows."""
    major = text.partition(".")[0]
    return int(major) if major.isdecimal() else 1 << 30


MAJOR = major_of(FORMAT)


def require_known(text: str, what: str) -> None:
    """Raise RecordTooNew when a format is of a newer major version."""
    if major_of(text) > MAJOR:
        raise RecordTooNew(what, text, MAJOR)


def write_record(record: msgspec.Struct) -> str:
    """Return a record as it is stored, its format first."""
    body = msgspec.json.encode(record, order="deterministic").decode()
    return f'{{"format":"{FORMAT}",{body.removeprefix("{")}'


def read_record(content: str | bytes, kind: type[T], what: str) -> T:
    """Read a record of this version or another; fields that are not known are left out.

    Args:
        what: the record, as a refusal names it.

    Raises:
        RecordTooNew: it is of a newer major version.
    """
    require_known(_SAID.decode(content).format, what)
    return msgspec.json.decode(content, type=kind)


def changed_record(stored: str, before: msgspec.Struct, after: msgspec.Struct) -> str:
    """Return what is stored in the place of a record: with its own format, and whatever fields it has beside.

    `{"a":1,"new":2}`, of which a version that knows no `new` changes `a` to 3 → `{"a":3,"new":2}`
    """
    kept: dict[str, Any] = msgspec.json.decode(stored)
    old, new = (msgspec.to_builtins(each) for each in (before, after))
    for name in old.keys() | new.keys():
        if old.get(name) == new.get(name):
            continue
        if name in new:
            kept[name] = new[name]
        else:
            kept.pop(name, None)
    return msgspec.json.encode(kept, order="deterministic").decode()
