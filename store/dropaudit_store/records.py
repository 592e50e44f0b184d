"""The records: what is kept in Redis, as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from dropaudit.plan import Plan, Provider, Role


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
    """The part of an audit that never changes.

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
        """The request without the names that people gave to its subject."""
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
    """Stored models whose name matches a shell pattern: of each name the newest version, that of an alias, or all."""

    pattern: str
    role: Role = Role.AUTO
    alias: str = ""
    all_versions: bool = False


class NamedModel(_Record, frozen=True, kw_only=True, tag="named"):
    """One stored model by name: the version that an alias stands for, or that has a number, or the newest."""

    display_name: str
    alias: str = ""
    version: int = 0
    role: Role = Role.AUTO


class UriGlob(_Record, frozen=True, kw_only=True, tag="uri_glob"):
    """Files below an allowed prefix whose URI matches."""

    pattern: str
    role: Role = Role.AUTO


class PairPattern(_Record, frozen=True, kw_only=True, tag="pair_pattern"):
    """Pairs of stored models, or of files at URIs: `{name}` stands for the same in both."""

    train: str
    inference: str


class TritonRepository(_Record, frozen=True, kw_only=True, tag="triton"):
    """A folder in the layout MODEL/N/FILE; of each model the highest number counts."""

    uri: str
    pattern: str = ""
    file: str = ""
    role: Role = Role.AUTO


class MlflowModel(_Record, frozen=True, kw_only=True, tag="mlflow"):
    """A model of the MLflow registry."""

    uri: str
    role: Role = Role.AUTO


Member = (
    ArtifactRef | PairRef | RecordedRef | Glob | NamedModel | UriGlob | PairPattern | TritonRepository | MlflowModel
)
# They stand for one subject each, whatever is stored.
Fixed = ArtifactRef | PairRef | RecordedRef


class PlanChanges(_Record, frozen=True, kw_only=True):
    """Settings of a member's plan that differ from its suite's; None: as in the suite."""

    alpha: float | None = None
    tolerance: float | None = None
    max_replicates: int | None = None
    seed: int | None = None
    provider: Provider | None = None
    compare_provider: Provider | None = None

    def of(self, plan: Plan) -> Plan:
        """Return a plan with these changes."""
        changes = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(plan, **changes) if changes else plan


class Overrides(_Record, frozen=True, kw_only=True):
    """Settings of one member that differ from its suite's; None: as the member says itself."""

    role: Role | None = None
    keep_prob: float | None = None
    inputs: Tensors | None = None
    plan: PlanChanges = PlanChanges()
    display_name: str = ""


class Overlap(StrEnum):
    """How a due time is handled while an earlier scheduled run has not finished."""

    SKIP = "SKIP"
    QUEUE = "QUEUE"
    CANCEL_OLD = "CANCEL_OLD"


class NotifyOn(StrEnum):
    """When notifications of a run are sent."""

    ON_CHANGE = "ON_CHANGE"
    ON_FAILURE = "ON_FAILURE"
    ALWAYS = "ALWAYS"
    ON_RECOVERY = "ON_RECOVERY"


class Form(StrEnum):
    """The form of what is posted."""

    JSON = "JSON"
    SLACK = "SLACK"


class Target(_Record, frozen=True, kw_only=True):
    """Whom to tell of runs, and when; without a secret, what is posted is not signed."""

    url: str
    on: NotifyOn = NotifyOn.ON_CHANGE
    form: Form = Form.JSON
    secret: str = ""


class Suite(_Record, frozen=True, kw_only=True):
    """A named list of subjects with one plan; `cron` runs it by itself unless `paused`.

    Attributes:
        overrides: of each member, in the order of members; empty where none has any.
        time_zone: of the cron line; empty: UTC.
        grace_seconds: how late a scheduled run may begin; 0: the default.
        baseline: id of the run that later ones are compared with as well.
        accepted: findings that do not move the verdict, each in the form of `dropaudit.acceptance`.
        always_audit: whether work that was done already is done again.
        scheduled_since: due times after it count; 0: after the last change.
    """

    id: str
    display_name: str = ""
    members: tuple[Member, ...]
    overrides: tuple[Overrides, ...] = ()
    plan: Plan
    cron: str = ""
    paused: bool = False
    time_zone: str = ""
    overlap: Overlap = Overlap.SKIP
    grace_seconds: float = 0.0
    baseline: str = ""
    targets: tuple[Target, ...] = ()
    accepted: tuple[dict[str, Any], ...] = ()
    labels: dict[str, str] = {}
    always_audit: bool = False
    scheduled_since: float = 0.0
    create_time: float
    update_time: float

    def overrides_of(self, position: int) -> Overrides:
        """Return what a member does otherwise than the suite."""
        return self.overrides[position] if self.overrides else Overrides()


class RunTrigger(StrEnum):
    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"


class RunPhase(StrEnum):
    """How far a run has been brought: what its audits do is counted apart."""

    RESOLVING = "RESOLVING"
    WAITING = "WAITING"
    MADE = "MADE"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class Run(_Record, frozen=True, kw_only=True):
    """One execution of a suite.

    Attributes:
        audits: ids in the order of the members, of a run that an earlier version made: it has neither members nor
            counts.
        reason: why it was skipped or cancelled, or has no members.
        notes: what was unusual when its members were resolved.
        caller: name of the token of who asked for it.
        trace: the W3C traceparent of who asked for it.
        labels: those of its audits.
        accepts: whether its suite accepted findings when it began, and so whether its verdict must wait for a look at
            them.
    """

    suite: str
    id: str
    trigger: RunTrigger
    audits: tuple[str, ...] = ()
    create_time: float
    due_time: float | None = None
    phase: RunPhase = RunPhase.MADE
    reason: str = ""
    notes: tuple[str, ...] = ()
    caller: str = ""
    trace: str = ""
    always_audit: bool = False
    labels: dict[str, str] = {}
    accepts: bool = False

    @property
    def name(self) -> str:
        """Resource name."""
        return run_name(self.suite, self.id)


def run_name(suite_id: str, run_id: str) -> str:
    """Return the resource name of a run."""
    return f"suites/{suite_id}/runs/{run_id}"
