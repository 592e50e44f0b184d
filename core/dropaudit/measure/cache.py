"""Prepared artifacts, kept for the next audit of the same: a schedule audits one artifact again and again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import msgspec
import numpy as np

from dropaudit.measure.case import Case
from dropaudit.measure.prepare import Prepared
from dropaudit.plan import Plan
from dropaudit.report import Artifact
from dropaudit.runtime.provider import Device
from dropaudit.subjects import ArtifactSubject, Inputs, PairSubject

_MOST_ENTRIES = 16
# Of artifacts; what is made of them takes several times as much.
_MOST_BYTES = 32 * 2**20


class PreparedCase(msgspec.Struct, frozen=True):
    """A case and its preparation; an audit that uses them does not change them."""

    case: Case
    prepared: Prepared


class Cache:
    """The last few prepared artifacts, by all that preparing depends on; safe for threads.

    What preparing finds is a function of its key, the plan's seed included, so that an audit from the cache reports
    what it would report without. Replicates are drawn anew each time.

    Attributes:
        hits: how often something was found.
        misses: how often it had to be made.
    """

    def __init__(self, entries: int = _MOST_ENTRIES, size: int = _MOST_BYTES) -> None:
        """Keep at most `entries` entries, made from at most `size` bytes of artifacts."""
        self._entries, self._size = entries, size
        self._held: OrderedDict[Hashable, tuple[PreparedCase, int]] = OrderedDict()
        self._lock = Lock()
        self.hits = self.misses = 0

    def get(self, key: Hashable, size: int, make: Callable[[], PreparedCase]) -> PreparedCase:
        """Return the entry of a key; make and keep it where there is none.

        Args:
            key: all that preparing depends on, see `key_of`.
            size: bytes of the artifacts.
            make: makes the entry.
        """
        with self._lock:
            if key in self._held:
                self.hits += 1
                self._held.move_to_end(key)
                return self._held[key][0]
            self.misses += 1
        made = make()
        with self._lock:
            self._held[key] = (made, size)
            self._held.move_to_end(key)
            while len(self._held) > self._entries or sum(each for _, each in self._held.values()) > self._size:
                self._held.popitem(last=False)
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()


def key_of(
    subject: ArtifactSubject | PairSubject, artifacts: tuple[Artifact, ...], plan: Plan, place: Device
) -> Hashable:
    """Return all that preparing a subject depends on; its files stand in it by their digests, `artifacts`."""
    role = None if isinstance(subject, PairSubject) else subject.role
    return artifacts, role, subject.keep_prob, _digest(subject.inputs), plan, place


def _digest(inputs: Inputs | None) -> Hashable:
    if inputs is None:
        return None
    arrays = ((name, np.asarray(value)) for name, value in sorted(inputs.items()))
    return tuple((name, str(each.dtype), each.shape, hashlib.sha256(each.tobytes()).digest()) for name, each in arrays)
