"""Resources of the service, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dropaudit.plan import Plan, Progress, Role
from dropaudit.report import Report, Verdict
from dropaudit.subjects import Inputs, RecordedSubject
from dropaudit_client.naming.resources import ModelVersion
from dropaudit_client.runs.members import Pattern, RecordedOutputs
from dropaudit_client.runs.resources import Comparison, ResolvedMember, RunCounts


class AuditState(StrEnum):
    """QUEUED, RUNNING, then one of the three final states."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self in (AuditState.SUCCEEDED, AuditState.FAILED, AuditState.CANCELLED)


class RunState(StrEnum):
    """RESOLVING or WAITING, RUNNING, then FINISHED or CANCELLED; SKIPPED where there is no run for a due time."""

    RESOLVING = "RESOLVING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class Trigger(StrEnum):
    """Who made a run: a call, or the suite's schedule."""

    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"


@dataclass(frozen=True, slots=True)
class Model:
    """A stored ONNX file; `name` is `models/{sha256}`. An upload under a display name tells its version."""

    name: str
    sha256: str
    size_bytes: int
    display_name: str
    create_time: datetime | None
    version: ModelVersion | None = field(default=None, compare=False)
    display_names: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """An artifact to audit; the counterpart of `dropaudit.subjects.ArtifactSubject`.

    `model` is the name of a stored one, `models/{sha256}`, or a URI that the service allows: `s3://bucket/a.onnx`.
    """

    model: str
    role: Role = Role.AUTO
    inputs: Inputs | None = field(default=None, repr=False)
    keep_prob: float | None = None


@dataclass(frozen=True, slots=True)
class PairRef:
    """Two artifacts of the same model, each a name or a URI; the counterpart of `dropaudit.subjects.PairSubject`."""

    train_model: str
    inference_model: str
    inputs: Inputs | None = field(default=None, repr=False)
    keep_prob: float | None = None


@dataclass(frozen=True, slots=True)
class Glob:
    """Stored models whose name matches a shell pattern when the suite runs.

    Of each name the newest version counts, or that of an alias, or all.
    """

    pattern: str
    role: Role = Role.AUTO
    alias: str = ""
    all_versions: bool = False


def is_uri(model: str) -> bool:
    """Whether this says where a model lies, rather than how it is named or where it is on this machine."""
    return "://" in model


SubjectRef = ArtifactRef | PairRef | RecordedSubject
Member = ArtifactRef | PairRef | RecordedSubject | Glob | Pattern | RecordedOutputs


class Priority(StrEnum):
    """Who is served first: somebody waits for what is interactive."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


@dataclass(frozen=True, slots=True)
class NewAudit:
    """An audit to ask for. The same `request_id` returns the same audit; without one each is another."""

    subject: SubjectRef
    plan: Plan | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    priority: Priority = Priority.INTERACTIVE
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an audit could not be made."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit; `report` is set when SUCCEEDED, `failure` when FAILED."""

    name: str
    state: AuditState
    report: Report | None
    failure: Failure | None
    labels: Mapping[str, str]
    priority: Priority
    attempts: int
    create_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    expire_time: datetime | None
    run: str
    display_name: str = ""
    model_version: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """The report's verdict; None without a report."""
        return self.report.verdict if self.report else None


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The audit entered a state."""

    sequence: int
    time: datetime
    state: AuditState


@dataclass(frozen=True, slots=True)
class Progressed:
    """A running audit went on."""

    sequence: int
    time: datetime
    progress: Progress


@dataclass(frozen=True, slots=True)
class Finished:
    """The audit is finished; no event follows."""

    sequence: int
    time: datetime
    audit: Audit


Event = StateChanged | Progressed | Finished


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of subjects that are audited together; `cron` is None when only run_suite runs it."""

    name: str
    display_name: str
    members: tuple[Member, ...]
    cron: str | None
    paused: bool
    labels: Mapping[str, str]
    create_time: datetime | None
    time_zone: str = ""
    next_time: datetime | None = None
    baseline: str = ""
    last_run: str = ""
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RunAudit:
    """How one audit of a run stands; `verdict` is None until it has succeeded, `state` once it was deleted.

    `reused` says that the report is that of an earlier audit of the same work, `accepted` how many of its findings the
    suite accepts.
    """

    audit: str
    state: AuditState | None
    verdict: Verdict | None
    summary: str
    member: ResolvedMember | None = None
    reused: bool = False
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a suite; `verdict` is None until it has finished."""

    name: str
    state: RunState
    trigger: Trigger
    verdict: Verdict | None
    audits: tuple[RunAudit, ...]
    create_time: datetime | None
    end_time: datetime | None
    due_time: datetime | None
    counts: RunCounts = field(default_factory=RunCounts)
    reason: str = ""
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None
    baseline_comparison: Comparison | None = None

    @property
    def finished(self) -> bool:
        """Whether every audit is in a final state."""
        return self.state in (RunState.FINISHED, RunState.CANCELLED)
