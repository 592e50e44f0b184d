"""The records: what is kept in Redis, as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from dropaudit.plan import Plan, Role


class AuditState(StrEnum):
    """QUEUED to RUNNING to one of the final three; RUNNING to QUEUED when a worker is lost."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self in (AuditState.SUCCEEDED, AuditState.FAILED, AuditState.CANCELLED)


class Priority(StrEnum):
    """Who is served first."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class TensorInfo(_Record, frozen=True, kw_only=True):
    """A tensor without its content; `dtype` is numpy's name."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Tensors(_Record, frozen=True, kw_only=True):
    """Arrays in an .npz blob."""

    sha256: str
    infos: tuple[TensorInfo, ...]


class ArtifactRef(_Record, frozen=True, kw_only=True, tag="artifact"):
    """One stored model, or a file at a URI, in a role."""

    model: str = ""
    uri: str = ""
    role: Role = Role.AUTO
    inputs: Tensors | None = None
    keep_prob: float | None = None


class PairRef(_Record, frozen=True, kw_only=True, tag="pair"):
    """Two stored models, or files at URIs."""

    train: str = ""
    train_uri: str = ""
    inference: str = ""
    inference_uri: str = ""
    inputs: Tensors | None = None
    keep_prob: float | None = None


class RecordedRef(_Record, frozen=True, kw_only=True, tag="recorded"):
    """Recorded outputs: the first array of `tensors` is the inference output, the others train outputs."""

    tensors: Tensors
    keep_prob: float | None = None


SubjectRef = ArtifactRef | PairRef | RecordedRef


class Spec(_Record, frozen=True, kw_only=True):
    """A subject and how to audit it."""

    subject: SubjectRef
    plan: Plan


class Failure(_Record, frozen=True, kw_only=True):
    """Why an audit could not be made."""

    reason: str
    message: str


class AuditRequest(_Record, frozen=True, kw_only=True):
    """What never changes of an audit.

    Attributes:
        display_name: what it is shown as, and found by.
        names: names of the files that are audited; of a pair, the train artifact's first.
        model_version: the version of its name that is audited; 0 where it was not asked for by name.
    """

    spec: Spec
    labels: dict[str, str] = {}
    priority: Priority = Priority.INTERACTIVE
    run: str = ""
    display_name: str = ""
    names: tuple[str, ...] = ()
    model_version: int = 0

    @property
    def asked(self) -> AuditRequest:
        """What was asked for, without what people call it."""
        return msgspec.structs.replace(self, display_name="", names=(), model_version=0)


class AuditRecord(_Record, frozen=True, kw_only=True):
    """An audit as it stands. Times are seconds since the epoch; `trace` is the traceparent of who asked for it."""

    id: str
    request: AuditRequest
    state: AuditState
    attempts: int = 0
    create_time: float
    start_time: float | None = None
    end_time: float | None = None
    expire_time: float | None = None
    report: dict[str, Any] | None = None
    failure: Failure | None = None
    trace: str = ""


class ModelRecord(_Record, frozen=True, kw_only=True):
    """A stored model."""

    sha256: str
    size: int
    display_name: str = ""
    create_time: float


class Glob(_Record, frozen=True, kw_only=True, tag="glob"):
    """Every stored model whose display name matches a shell pattern."""

    pattern: str
    role: Role = Role.AUTO


Member = ArtifactRef | PairRef | Glob


class Suite(_Record, frozen=True, kw_only=True):
    """A named list of subjects with one plan; `cron` runs it by itself unless `paused`."""

    id: str
    display_name: str = ""
    members: tuple[Member, ...]
    plan: Plan
    cron: str = ""
    paused: bool = False
    labels: dict[str, str] = {}
    create_time: float
    update_time: float


class RunTrigger(StrEnum):
    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"


class Run(_Record, frozen=True, kw_only=True):
    """One execution of a suite; `audits` are ids in the order of the members."""

    suite: str
    id: str
    trigger: RunTrigger
    audits: tuple[str, ...]
    create_time: float
    due_time: float | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"suites/{self.suite}/runs/{self.id}"
