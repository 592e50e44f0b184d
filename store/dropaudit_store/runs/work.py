"""Work that was done already: the same content, spec and inputs, by the same runtime and tool."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence

import msgspec
import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, Spec, SubjectRef
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script

_TOOLS = key("tools")
# A worker that has said nothing for so long is gone.
_SILENT_SECONDS = 60.0
_DIGITS = 40


def work_of(spec: Spec, contents: Sequence[str], tool: str) -> str:
    """Return a key that is the same for the same work only; empty where the content is not known.

    Args:
        contents: SHA-256 of each file, of a pair the train artifact's first.
        tool: what does the work: names and versions of the runtime and of this project.
    """
    subject = _without_names(spec.subject, contents)
    if subject is None or not tool:
        return ""
    body = msgspec.json.encode([msgspec.structs.replace(spec, subject=subject), tool], order="deterministic")
    return hashlib.sha256(body).hexdigest()[:_DIGITS]


def _without_names(subject: SubjectRef, contents: Sequence[str]) -> SubjectRef | None:
    if not all(contents):
        return None
    match subject, list(contents):
        case ArtifactRef(), [model]:
            return msgspec.structs.replace(subject, model=model, uri="")
        case PairRef(), [train, inference]:
            return msgspec.structs.replace(subject, train=train, train_uri="", inference=inference, inference_uri="")
        case RecordedRef(), []:
            return subject
    return None


class Works:
    """Finds work that was done, and knows what would do it now."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time, keep_seconds: float = 0.0) -> None:
        """Audits that are found live for `keep_seconds` more; 0: what is kept is kept for good."""
        self._redis = client
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._find = client.register_script(script("runs/find_work"))

    def note_tool(self, tool: str) -> None:
        """Note what a worker that runs makes audits with."""
        now = self._clock()
        with redis_errors(), self._redis.pipeline() as pipe:
            pipe.zadd(_TOOLS, {tool: now})
            pipe.zremrangebyscore(_TOOLS, "-inf", now - _SILENT_SECONDS)
            pipe.execute()

    def tool(self) -> str:
        """Return what all workers make audits with; empty where they differ, or none is known."""
        with redis_errors():
            found = texts(self._redis.zrangebyscore(_TOOLS, self._clock() - _SILENT_SECONDS, "+inf"))
        return found[0] if len(found) == 1 else ""

    def done(self, works: Sequence[str]) -> list[tuple[str, str]]:
        """Return for each key the audit that did the work, and its verdict; empty words where none did."""
        expire = self._clock() + self._keep_seconds if self._keep_seconds else ""
        wanted = [each or "-" for each in works]
        with redis_errors():
            found = texts(self._find(args=[expire, *wanted])) if wanted else []
        return [(audit, verdict) for audit, _, verdict in (each.partition(" ") for each in found)]
