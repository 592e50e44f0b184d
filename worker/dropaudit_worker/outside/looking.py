"""Finds models outside the store, below what the operator allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import redis

from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import UriUnreadable, redis_errors
from dropaudit_store.members.outside import Placed
from dropaudit_store.records import TritonRepository
from dropaudit_store.redis.connection import key
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_worker.outside.listing import paths_below
from dropaudit_worker.outside.patterns import UriPattern, read_pattern
from dropaudit_worker.outside.registry import Registry

_KEPT_SECONDS = 30 * 86_400
_FILE = "model.onnx"


class OutsideModels:
    """Models in folders, in buckets and in a registry."""

    def __init__(
        self, client: redis.Redis, allowed: AllowedUris, referenced: ReferencedModels, registry: Registry
    ) -> None:
        self._redis = client
        self._allowed = allowed
        self._referenced = referenced
        self._registry = registry

    def matching(self, pattern: str) -> list[str]:
        """Return the URIs that match, in order.

        Raises:
            UriRefused: the pattern begins outside what is allowed.
            UriUnreadable: the folder cannot be listed, or holds too much.
            StoreUnavailable: the object store does not answer.
        """
        return sorted(self._matching(read_pattern(pattern)))

    def _matching(self, pattern: UriPattern) -> Iterator[str]:
        folder = self._allowed.require_folder(pattern.folder)
        for below in paths_below(folder, pattern.deepest):
            if pattern.fits(below):
                yield "/".join((pattern.folder, *below))

    def digest(self, uri: str) -> str:
        """Return the SHA-256 of a file's content, which is read only where the file has changed since it was read.

        Raises:
            UriRefused, UriUnreadable, ContentTooLarge, StoreUnavailable: it may not, or cannot, be read.
        """
        mark = self._referenced.mark(uri)
        place = key("uri-digest", hashlib.sha256(f"{uri}\n{mark}".encode()).hexdigest())
        with redis_errors():
            known = self._redis.get(place)
        if known:
            return str(known)
        digest = self._referenced.digest(uri)
        if self._referenced.mark(uri) == mark:
            with redis_errors():
                self._redis.set(place, digest, ex=_KEPT_SECONDS)
        return digest

    def repository(self, found: TritonRepository) -> list[Placed]:
        """Return the newest version of each model of a repository, in the order of names. Raises as `matching` does."""
        newest: dict[str, int] = {}
        pattern = UriPattern(found.uri.rstrip("/"), (found.pattern or "*", "*", found.file or _FILE))
        folder = self._allowed.require_folder(found.uri)
        for below in paths_below(folder, pattern.deepest):
            if pattern.fits(below) and below[1].isascii() and below[1].isdecimal():
                newest[below[0]] = max(newest.get(below[0], 0), int(below[1]))
        file = found.file or _FILE
        return [
            Placed(name, f"{pattern.folder}/{name}/{version}/{file}", version)
            for name, version in sorted(newest.items())
        ]

    def registered(self, uri: str) -> Placed:
        """Return a model of the MLflow registry, its content stored. Raises UriUnreadable."""
        try:
            return self._registry.fetch(uri)
        except OSError as error:
            raise UriUnreadable(f"{uri} cannot be fetched: {error}", uri=uri) from error
