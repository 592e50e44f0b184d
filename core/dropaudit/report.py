"""The report: one schema in the API, on the command line and in files.

These types mirror `dropaudit.v1.Report`. `to_json` writes its proto3 JSON form (lowerCamelCase, 64-bit integers as
strings, absent fields left out), which any protobuf runtime parses without loss; `from_json` reads it back.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, cast

import msgspec


class Verdict(StrEnum):
    """FAIL: an ERROR finding; else INCONCLUSIVE: a test undecided; else WARN: a WARNING; else PASS.

    Findings that are accepted do not count.
    """

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Severity(StrEnum):
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


class Placement(StrEnum):
    """Where in the model a site sits."""

    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    BETWEEN_LAYERS = "BETWEEN_LAYERS"
    STATE_H = "STATE_H"
    STATE_C = "STATE_C"
    WEIGHT = "WEIGHT"
    EMBEDDING = "EMBEDDING"
    HEAD = "HEAD"
    UNKNOWN = "UNKNOWN"


class Implementation(StrEnum):
    """How a site draws its mask."""

    DROPOUT_OP = "DROPOUT_OP"
    UNIFORM_CHAIN = "UNIFORM_CHAIN"
    BERNOULLI = "BERNOULLI"
    NORMAL = "NORMAL"
    CONSTANT_MASK = "CONSTANT_MASK"
    MULTINOMIAL = "MULTINOMIAL"


class Family(StrEnum):
    """The family of a site: how it treats what it keeps."""

    INVERTED = "INVERTED"
    UNSCALED = "UNSCALED"
    ALPHA = "ALPHA"
    GAUSSIAN = "GAUSSIAN"
    OTHER = "OTHER"


class Axis(StrEnum):
    BATCH = "BATCH"
    TIME = "TIME"
    FEATURE = "FEATURE"


class Stop(StrEnum):
    """DECIDED: every test had decided; EXHAUSTED: the replicate limit or the end of the recording came first."""

    DECIDED = "DECIDED"
    EXHAUSTED = "EXHAUSTED"


# An int64 of the contract: proto3 JSON writes it as a string, which keeps all of its digits.
Int64 = Annotated[int, "int64"]


class _Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A protobuf message: None is an absent field."""


class Interval(_Message, frozen=True, kw_only=True):
    """An estimate with its confidence sequence."""

    estimate: float
    lower: float
    upper: float

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside."""
        return not self.lower <= value <= self.upper

    def __str__(self) -> str:
        return f"{self.estimate:.4g} [{self.lower:.4g}, {self.upper:.4g}]"


class Scale(_Message, frozen=True, kw_only=True):
    """Output over input of a site's kept elements; `expected` is what inverted dropout asks for, 1/q."""

    min: float
    median: float
    max: float
    expected: float | None = None


class Spread(_Message, frozen=True, kw_only=True):
    """Extremes and median."""

    min: float
    median: float
    max: float


class Histogram(_Message, frozen=True, kw_only=True):
    """Counts between edges, one edge more than counts; `below` and `above` count what lies outside."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0


class Trajectory(_Message, frozen=True, kw_only=True):
    """How an interval narrowed: its bounds after so many replicates, at most 32 points."""

    replicates: tuple[int, ...]
    lower: tuple[float, ...]
    estimate: tuple[float, ...]
    upper: tuple[float, ...]


class Excerpt(_Message, frozen=True, kw_only=True):
    """The first rows and columns of an output, row by row: at inference, and in one replicate of train mode."""

    columns: int
    inference: tuple[float, ...]
    train: tuple[float, ...]


class Operator(_Message, frozen=True, kw_only=True):
    """An operator of the graph; a type of "" is an input or output of the graph."""

    type: str
    name: str


class Surroundings(_Message, frozen=True, kw_only=True):
    """The operators around a site.

    Attributes:
        before: what leads to the data, the nearest last.
        mask: from the draw to the mask; empty for an operator that draws its own.
        applied: what applies the mask, up to the site's result.
        after: what reads the result, the nearest first, up to an output or a fork.
        readers: how many operators read the result.
    """

    before: tuple[Operator, ...] = ()
    mask: tuple[Operator, ...] = ()
    applied: tuple[Operator, ...] = ()
    after: tuple[Operator, ...] = ()
    readers: int = 0


class Acceptance(_Message, frozen=True, kw_only=True):
    """Why a finding is accepted, by whom, and the instant from which it no longer is; None: it stays so."""

    reason: str
    accepted_by: str = ""
    expire_time: datetime | None = None


class Finding(_Message, frozen=True, kw_only=True):
    """One thing the audit found; `dropaudit.findings` makes these.

    With an `acceptance` it does not move the verdict.
    """

    code: str
    slug: str
    severity: Severity
    subject: str
    message: str
    remedy: str
    evidence: dict[str, Any] = {}
    acceptance: Acceptance | None = None


class Site(_Message, frozen=True, kw_only=True):
    """A place where a random mask or noise is applied.

    Attributes:
        elements: mask cells a replicate.
        module: of the user's code, such as encoder.layers.1.dropout, if known.
        location: file and line of the user's code, if known.
        keep_prob_trajectory: how `keep_prob` narrowed.
        factors: distribution of output over input of kept elements, where it is not one number.
        surroundings: the operators around the site; None where nothing was run.
    """

    name: str
    path: str = ""
    placement: Placement = Placement.UNKNOWN
    implementation: Implementation | None = None
    family: Family = Family.OTHER
    declared_keep_prob: float | None = None
    keep_prob: Interval | None = None
    scale: Scale | None = None
    active_in_default_session: bool | None = None
    shared_over: tuple[Axis, ...] = ()
    elements: int = 0
    module: str = ""
    location: str = ""
    keep_prob_trajectory: Trajectory | None = None
    factors: Histogram | None = None
    surroundings: Surroundings | None = None


class Attribution(_Message, frozen=True, kw_only=True):
    """The effect of one of several sites on an output: alone, and left out while all others drop.

    A gap is the scale factor minus 1; a variance is relative to the squared size of the inference output.
    """

    site: str
    mean_gap_alone: float
    mean_gap_without: float
    variance_alone: float
    variance_without: float


class Attributions(_Message, frozen=True, kw_only=True):
    """The effect of each of several sites on an output, in the order of the report's sites."""

    sites: tuple[Attribution, ...]


class Output(_Message, frozen=True, kw_only=True):
    """One output of the model, train mode against inference mode; `attributions` are absent with a single site."""

    name: str
    shape: tuple[int, ...]
    scale_factor: Interval | None = None
    zero_fraction: float = 0.0
    survivor_ratio: Spread | None = None
    linear: bool = False
    time_profile: tuple[float, ...] = ()
    histogram: Histogram | None = None
    attributions: Attributions | None = None
    scale_factor_trajectory: Trajectory | None = None
    excerpt: Excerpt | None = None


class InputTensor(_Message, frozen=True, kw_only=True):
    """An input the model was run on."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    synthesized: bool = False


class Seconds(_Message, frozen=True, kw_only=True):
    """Wall-clock times."""

    prepare: float = 0.0
    run: float = 0.0
    total: float = 0.0


class Artifact(_Message, frozen=True, kw_only=True):
    """A file that was audited; `display_name` is for people."""

    sha256: str
    bytes: Int64
    display_name: str = ""


class Settings(_Message, frozen=True, kw_only=True):
    """The settings of an audit, so that it can be made again; `role` is empty for a pair and for recorded outputs.

    `keep_prob` is the keep probability that the caller declared.
    """

    alpha: float
    tolerance: float
    max_replicates: int
    provider: str = ""
    compare_provider: str = ""
    role: str = ""
    keep_prob: float | None = None


class Execution(_Message, frozen=True, kw_only=True):
    """How the audit was made.

    Attributes:
        sampling: tiled, looped, reseeded or recorded.
        fallbacks: what want of memory or of a kernel led to.
        placement: why it was run there.
        sampling_reason: why replicates were drawn one by one.
        device_memory_bytes: memory of the GPU that was taken in the end, by whoever.
        version: of dropaudit.
        settings: what was asked for.
    """

    provider: str
    device: str = ""
    runtime_version: str = ""
    seed: int = 0
    inputs: tuple[InputTensor, ...] = ()
    replicates: int = 0
    stopped: Stop = Stop.DECIDED
    seconds: Seconds = Seconds()
    artifacts: tuple[Artifact, ...] = ()
    sampling: str = ""
    fallbacks: tuple[str, ...] = ()
    placement: str = ""
    sampling_reason: str = ""
    device_memory_bytes: Int64 = 0
    version: str = ""
    settings: Settings | None = None


class Report(_Message, frozen=True, kw_only=True):
    """The report of an audit; `shortened` says what was left out to keep it small, and is mostly empty."""

    verdict: Verdict
    summary: str
    findings: tuple[Finding, ...] = ()
    sites: tuple[Site, ...] = ()
    outputs: tuple[Output, ...] = ()
    execution: Execution
    shortened: tuple[str, ...] = ()


def to_json(message: msgspec.Struct) -> dict[str, Any]:
    """Return the proto3 JSON form of a report, a part of one, or another type that mirrors a message."""
    return cast(dict[str, Any], _proto_json(message))


def from_json(document: dict[str, Any]) -> Report:
    """Read a report from its proto3 JSON form. Raises msgspec.ValidationError when it is not one."""
    return msgspec.convert(document, Report, strict=False)


# Most of a report is of these: they are their own JSON form.
_PLAIN = frozenset({str, int, bool, type(None)})


def _proto_json(value: Any) -> Any:
    if type(value) in _PLAIN or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, msgspec.Struct):
        found = ((name, getattr(value, attribute), kind) for attribute, name, kind in _fields(type(value)))
        return {
            name: str(item) if kind == Int64 else _proto_json(item) for name, item, kind in found if item is not None
        }
    if isinstance(value, dict):
        return {key: _proto_json(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_proto_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such numbers: proto3 JSON writes them as words.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return msgspec.to_builtins(value)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Return attribute, name in JSON and type of the fields of a message."""
    return tuple((field.name, field.encode_name, field.type) for field in msgspec.structs.fields(kind))
