"""Previews of suites whose members only a worker can find: asked for by the server, answered by a worker."""

from __future__ import annotations

import uuid

import msgspec
import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.members.resolving import Resolution
from dropaudit_store.records import Suite
from dropaudit_store.redis.connection import key
from dropaudit_store.runs.records import ResolvedFile

_KEPT_SECONDS = 120
_MOST_SHOWN = 1000


class PreviewMember(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subject that a suite would audit."""

    display_name: str
    position: int
    files: tuple[ResolvedFile, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The audits that a suite would make, at most a thousand, and how many there are."""

    members: tuple[PreviewMember, ...] = ()
    total: int = 0
    notes: tuple[str, ...] = ()


def preview_of(found: Resolution) -> Preview:
    """Return the preview of what a suite stands for."""
    members = (
        PreviewMember(display_name=each.display_name, position=each.position, files=each.files)
        for each in found.members[:_MOST_SHOWN]
    )
    return Preview(members=tuple(members), total=len(found.members), notes=tuple(found.notes))


class Previews:
    """Previews in Redis, for a while."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def ask(self, suite: Suite) -> str:
        """Keep a suite that is to be previewed; return the key to ask for it by."""
        asked = uuid.uuid4().hex
        with redis_errors():
            self._redis.set(key("preview-asked", asked), msgspec.json.encode(suite), ex=_KEPT_SECONDS)
        return asked

    def asked(self, asked: str) -> Suite | None:
        """Return the suite; None when its caller has stopped waiting."""
        with redis_errors():
            found = self._redis.get(key("preview-asked", asked))
        return None if found is None else msgspec.json.decode(found, type=Suite)

    def put(self, asked: str, preview: Preview) -> None:
        """Answer."""
        with redis_errors():
            self._redis.set(key("preview", asked), msgspec.json.encode(preview), ex=_KEPT_SECONDS)

    def get(self, asked: str) -> Preview | None:
        """Return the answer; None before there is one."""
        with redis_errors():
            found = self._redis.get(key("preview", asked))
        return None if found is None else msgspec.json.decode(found, type=Preview)
