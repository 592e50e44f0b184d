"""Checks of what server and workers share: Redis and the blob store."""

from __future__ import annotations

import uuid
from contextlib import closing

import redis

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import redis_errors
from dropaudit_store.redis.condition import read_condition
from dropaudit_store.redis.connection import connect, refuse_cluster
from dropaudit_store.redis.durability import warn_of_gaps
from dropaudit_store.settings import StoreSettings
from dropaudit_store.shared.program import CheckFailed

_SECONDS = 10


def settings_ok(settings: StoreSettings) -> str:
    """Say how many settings were read."""
    given = len(settings.model_fields_set)
    return f"{len(type(settings).model_fields)} read, {given} given"


def check_redis(settings: StoreSettings, key: str) -> str:
    """Say which Redis answers and what it may lose, after writing and removing a key as the settings say.

    Raises:
        ClusterRefused: it runs as a cluster.
        StoreUnavailable: it does not answer.
        CheckFailed: it refuses what the service needs.
    """
    with closing(connect(settings.redis_url, settings.redis_replicas)) as client:
        refuse_cluster(client)
        try:
            found = read_condition(client)
            with redis_errors():
                client.set(key, "", ex=_SECONDS)
                client.delete(key)
        except redis.exceptions.ResponseError as error:
            # Redis's own words; they name commands and keys, and never a password.
            raise CheckFailed(f"Redis refuses: {error}") from error
        gaps = warn_of_gaps(client)
    return "; but ".join((f"Redis {found.version}", *gaps))


def check_blobs(url: str) -> str:
    """Say that content can be written, read and removed. Raises CheckFailed."""
    content = f"dropaudit check {uuid.uuid4().hex}".encode()
    try:
        blobs = BlobStore(url)
        sha256 = blobs.put(content)
        read = blobs.read(sha256)
        removed = blobs.remove(sha256, lambda: False)
    except OSError as error:
        raise CheckFailed(f"content cannot be written: {error.strerror or type(error).__name__}") from error
    if read != content or not removed:
        raise CheckFailed("what was written is not what is read, or stays")
    return "content can be written, read and removed"
