"""Reports written by hand, with everything that a format has to show."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from dropaudit.acceptance import AcceptedFinding, accept
from dropaudit.report import (
    Artifact,
    Attribution,
    Attributions,
    Axis,
    Execution,
    Family,
    Histogram,
    Implementation,
    InputTensor,
    Interval,
    Output,
    Placement,
    Report,
    Scale,
    Seconds,
    Site,
    Spread,
    Stop,
)
from support.reports import finding, report_with

HOSTILE = "<b>&\"'\x1b[2J\x9b\u202e\uffff]]>--><script>"
"""Markup, an escape sequence, a C1 control, a turn of direction, a noncharacter, ends of comments and sections."""

_ENCODER = Site(
    name="encoder/dropout",
    placement=Placement.BETWEEN_LAYERS,
    implementation=Implementation.UNIFORM_CHAIN,
    family=Family.UNSCALED,
    declared_keep_prob=0.8,
    keep_prob=Interval(estimate=0.2003, lower=0.1967, upper=0.204),
    scale=Scale(min=1, median=1, max=1, expected=1.25),
    active_in_default_session=True,
    shared_over=(Axis.BATCH, Axis.TIME),
    elements=163840,
)
_NOISE = Site(
    name="noise",
    path="loop/body",
    placement=Placement.STATE_C,
    implementation=Implementation.NORMAL,
    family=Family.GAUSSIAN,
    scale=Scale(min=-0.41, median=0.998, max=2.7),
    active_in_default_session=False,
)
_UNMEASURED = Site(name="head", implementation=Implementation.CONSTANT_MASK)
_LOGITS = Output(
    name="logits",
    shape=(8, 10),
    scale_factor=Interval(estimate=0.8012, lower=0.7903, upper=0.8121),
    zero_fraction=0.0125,
    survivor_ratio=Spread(min=0.2, median=1, max=4.75),
    linear=True,
    time_profile=(1.0, 0.9, 0.81),
    histogram=Histogram(edges=(-1.0, 0.0, 1.0, 2.0), counts=(10, 60, 10)),
    attributions=Attributions(
        sites=(
            Attribution(
                site="encoder/dropout",
                mean_gap_alone=-0.1988,
                mean_gap_without=0.0003,
                variance_alone=0.04,
                variance_without=0.012,
            ),
            Attribution(
                site="noise",
                mean_gap_alone=0.0003,
                mean_gap_without=-0.1988,
                variance_alone=0.012,
                variance_without=0.04,
            ),
        )
    ),
)
_UNDEFINED = Output(name="state", shape=(), scale_factor=None, zero_fraction=1.0)
_EXECUTION = Execution(
    provider="cuda",
    device="NVIDIA H100",
    runtime_version="onnxruntime 1.31.1",
    seed=4294967295,
    inputs=(
        InputTensor(name="tokens", dtype="int64", shape=(8, 16)),
        InputTensor(name="length", dtype="float32", shape=(), synthesized=True),
    ),
    replicates=65536,
    stopped=Stop.EXHAUSTED,
    seconds=Seconds(prepare=0.25, run=12.5, total=12.875),
    artifacts=(Artifact(sha256="01" * 32, bytes=2**40), Artifact(sha256="ef" * 32, bytes=0)),
    sampling="reseeded",
    fallbacks=("ran out of memory with 512 replicates in a run; 256 fit",),
    placement="cuda was predicted to take 12 s, two cores 95 s",
    sampling_reason="a mask is shared over the batch",
    device_memory_bytes=2**33,
)


def _faulty() -> Report:
    found = [
        finding("DA202", "encoder/dropout"),
        finding("DA301", "encoder/dropout"),
        finding("DA305", "logits"),
        finding("DA402", "encoder/dropout"),
        finding("DA405", "noise"),
        finding("DA901", "state"),
    ]
    report = report_with(*found, title="encoder/dropout: DA301 (scale-missing). Divide kept values by q = 0.8.")
    return msgspec.structs.replace(
        report,
        sites=(_ENCODER, _NOISE, _UNMEASURED),
        outputs=(_LOGITS, _UNDEFINED),
        execution=_EXECUTION,
        shortened=("of 212 sites 3 are shown",),
    )


def _hostile() -> Report:
    return report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE, title=HOSTILE)


def _accepted() -> Report:
    """Two findings of which one is accepted until a day, and one about a pair although a site has the name."""
    report = report_with(finding("DA504", "drop"), finding("DA301", "drop"), finding("DA102", "drop"))
    until = datetime(2027, 1, 2, tzinfo=UTC)
    accepted = AcceptedFinding(code="DA301", reason="meant so", accepted_by="anna", expire_time=until)
    return accept(report, [accepted], datetime(2026, 11, 26, tzinfo=UTC))


def _crowded() -> Report:
    """More sites, messages and subjects than tables list, each by one."""
    same = [finding("DA402", f"layer{n}/drop") for n in range(11)]
    other = [finding("DA301", f"layer{n}/drop") for n in range(51)]
    told = [msgspec.structs.replace(each, message=f"Number {n}.") for n, each in enumerate(other)]
    sites = tuple(msgspec.structs.replace(_ENCODER, name=each.subject) for each in other)
    return msgspec.structs.replace(report_with(*same, *told), sites=sites, outputs=(_LOGITS, _UNDEFINED))


REPORTS = {
    "healthy": report_with(),
    "warned": report_with(finding("DA402", "drop"), finding("DA403", "drop")),
    "undecided": report_with(finding("DA901", "y")),
    "faulty": _faulty(),
    "hostile": _hostile(),
    "accepted": _accepted(),
    "crowded": _crowded(),
}
"""By name of the golden file."""
