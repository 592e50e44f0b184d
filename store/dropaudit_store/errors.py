"""Errors of the store, each with its facts."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import redis

from dropaudit.errors import AuditError


class StoreError(AuditError):
    """Base of the store's errors."""

    reason = "STORE_ERROR"


class NotFound(StoreError):
    """A resource does not exist, or has expired."""

    reason = "NOT_FOUND"

    def __init__(self, resource: str) -> None:
        super().__init__(f"there is no {resource}; it was never made, or has been deleted", resource=resource)


class AuditNotFound(NotFound):
    """No such audit."""

    reason = "AUDIT_NOT_FOUND"


class ModelNotFound(NotFound):
    """No such model."""

    reason = "MODEL_NOT_FOUND"


class ModelNameNotFound(NotFound):
    """No stored model has the name."""

    reason = "MODEL_NAME_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"model named {name!r}")


class ModelVersionNotFound(NotFound):
    """A name has no such version."""

    reason = "MODEL_VERSION_NOT_FOUND"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"version {version} of the model named {name!r}")


class AliasNotFound(NotFound):
    """A name has no such alias."""

    reason = "ALIAS_NOT_FOUND"

    def __init__(self, name: str, alias: str) -> None:
        super().__init__(f"alias {alias!r} of the model named {name!r}")


class SuiteNotFound(NotFound):
    """No such suite."""

    reason = "SUITE_NOT_FOUND"


class RunNotFound(NotFound):
    """No such run of a suite."""

    reason = "RUN_NOT_FOUND"


class DeliveryNotFound(NotFound):
    """No such notification of a suite."""

    reason = "DELIVERY_NOT_FOUND"


class SuiteExists(StoreError):
    """The name is taken."""

    reason = "SUITE_EXISTS"

    def __init__(self, suite: str) -> None:
        super().__init__(f"suites/{suite} exists already; choose another suite_id", suite=suite)


class RequestIdReused(StoreError):
    """A request id came back with another request."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {request_id!r} was used for another audit; choose a new one", requestId=request_id
        )


class ModelRenamed(Exception):
    """A model is not called what it was believed to be: whoever believed it looks again."""


class InUse(StoreError):
    """A resource cannot be deleted while others need it; `users` are names of some of them."""

    reason = "IN_USE"

    def __init__(self, resource: str, users: Sequence[str]) -> None:
        super().__init__(
            f"{resource} is used by {', '.join(users[:3])}{' and others' if len(users) > 3 else ''}; "
            "wait for audits to end or cancel them, delete suites, and try again",
            resource=resource,
        )
        self.resource = resource
        self.users = tuple(users)


class AuditNotFinished(StoreError):
    """An audit cannot be deleted, and has no report, before it has finished."""

    reason = "AUDIT_NOT_FINISHED"

    def __init__(self, audit_id: str, state: str) -> None:
        super().__init__(f"audits/{audit_id} is {state}; wait for its end, or cancel it", audit=audit_id, state=state)
        self.audit_id = audit_id


class QueueFull(StoreError):
    """As many audits wait as may."""

    reason = "QUEUE_FULL"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} audits may wait at a time; try again later, add workers or raise DROPAUDIT_MAX_QUEUED",
            limit=str(limit),
        )


class RecordTooLarge(StoreError):
    """A request takes more than is kept of one resource."""

    reason = "TOO_LARGE"

    def __init__(self, what: str, size: int, most: int) -> None:
        super().__init__(
            f"{what} may take {most} bytes as it is stored, names and shapes of tensors included, not {size}",
            maxBytes=str(most),
        )


class TooManyAliases(StoreError):
    """A name has as many aliases as it may."""

    reason = "TOO_MANY_ALIASES"

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"the model named {name!r} has {most} aliases, the most that one may have; delete one first")


class RunTooLarge(StoreError):
    """A suite stands for more audits than a run may have."""

    reason = "RUN_TOO_LARGE"

    def __init__(self, suite_id: str, most: int) -> None:
        super().__init__(
            f"suites/{suite_id} matches more than {most} models; split it into suites of narrower patterns",
            suite=f"suites/{suite_id}",
            maxAudits=str(most),
        )


class OnlyForWorkers(StoreError):
    """Something lies outside the store, where only workers look."""

    reason = "ONLY_FOR_WORKERS"

    def __init__(self) -> None:
        super().__init__("it lies outside the store, and no worker is there to look for it")


class InspectionsFull(StoreError):
    """As many models wait for inspection as may."""

    reason = "TOO_MANY_INSPECTIONS"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} models wait to be inspected already; try again later", limit=str(most))


class Conflict(StoreError):
    """A resource was changed by somebody else at the same time."""

    reason = "CONFLICT"

    def __init__(self, resource: str) -> None:
        super().__init__(f"{resource} was changed by somebody else meanwhile; read it and try again", resource=resource)


class BlobMissing(StoreError):
    """Content that a record names is not in the blob store."""

    reason = "BLOB_MISSING"

    def __init__(self, sha256: str) -> None:
        super().__init__(f"the content {sha256} is not in the blob store; upload it again", sha256=sha256)


class InvalidDigest(StoreError):
    """Something that is not a SHA-256 was given as one."""

    reason = "INVALID_DIGEST"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:80]!r} is not a SHA-256: 64 lower-case hexadecimal digits are expected")


class DigestMismatch(StoreError):
    """Uploaded content is not what was announced."""

    reason = "DIGEST_MISMATCH"


class ContentTooLarge(StoreError):
    """Content exceeds the configured limit."""

    reason = "CONTENT_TOO_LARGE"


class UriRefused(StoreError):
    """A URI leads, or may lead, somewhere that the operator does not allow."""

    reason = "URI_NOT_ALLOWED"


class UriUnreadable(StoreError):
    """There is no model that can be read at a URI."""

    reason = "URI_UNREADABLE"


class StorageFull(StoreError):
    """The disk or Redis takes no more."""

    reason = "STORAGE_FULL"


class StoreUnavailable(StoreError):
    """Redis does not answer."""

    reason = "STORE_UNAVAILABLE"


class RecordTooNew(StoreError):
    """A record was written by a newer version, in a way that this one would get wrong. It stays as it is."""

    reason = "RECORD_TOO_NEW"

    def __init__(self, what: str, found: str, known: int) -> None:
        super().__init__(
            f"{what} was written by a newer version, in format {found}; this version reads {known}.x, and leaves it as "
            "it is: ask a server of the newer version, or upgrade this one",
            format=found,
        )


class NotReplicated(redis.exceptions.RedisError):
    """A write has reached fewer replicas than it should."""

    def __init__(self, wanted: int, reached: int) -> None:
        super().__init__(f"{reached} of {wanted} replicas have it")
        self.wanted = wanted
        self.reached = reached


class ClusterRefused(StoreError):
    """Redis runs as a cluster, where what an audit changes in one step would lie on several machines."""

    reason = "REDIS_CLUSTER"

    def __init__(self) -> None:
        super().__init__(
            "Redis runs as a cluster, which cannot be used: one step changes keys that a cluster keeps on different "
            "nodes; give DROPAUDIT_REDIS_URL a Redis that is not clustered"
        )


class LeaseLost(StoreError):
    """An audit is held by somebody else by now, or is finished."""

    reason = "LEASE_LOST"

    def __init__(self, audit_id: str) -> None:
        super().__init__(f"audits/{audit_id} is no longer held by this worker", audit=audit_id)


# What Redis says while another takes its place, or while it has too few replicas: in a script, somewhere in the text.
_NEWER = re.compile(r"NEWER (\S+) (\S+) (\d+)")  # as scripts say it: what, its format, and what is known
_MOVING = ("READONLY", "NOREPLICAS", "MASTERDOWN", "UNBLOCKED")


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what Redis raises inside into StoreUnavailable, StorageFull or RecordTooNew."""
    try:
        yield
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
        raise StoreUnavailable("Redis does not answer; check that it runs, and try again") from error
    except NotReplicated as error:
        raise StoreUnavailable(f"Redis keeps too few copies of what was written: {error}; try again") from error
    except redis.exceptions.OutOfMemoryError as error:
        raise StorageFull("Redis is at its memory limit; delete audits or raise maxmemory") from error
    except redis.exceptions.ResponseError as error:
        refused = _refused(str(error), error)
        if refused is None:
            raise
        raise refused from error


def _refused(text: str, error: redis.exceptions.ResponseError) -> StoreError | None:
    """Return what an answer means, None where it is unexpected."""
    if isinstance(error, redis.exceptions.ReadOnlyError) or any(word in text for word in _MOVING):
        return StoreUnavailable("Redis takes no writes: another is taking its place, or it has too few replicas")
    if newer := _NEWER.search(text):
        return RecordTooNew(newer[1], newer[2], int(newer[3]))
    if "OOM" in text or "MISCONF" in text:
        return StorageFull("Redis cannot write: its memory or disk is full")
    return None


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn a full disk inside into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull("the blob store is full; delete models or give it more room") from error
        raise
