"""All that one audit of an artifact or a pair has measured."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dropaudit.measure.case import Case
from dropaudit.measure.prepare import Prepared
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.plan import Plan, Progress
from dropaudit.report import Artifact, Attribution
from dropaudit.runtime.provider import Device
from dropaudit.subjects import Array

Attributions = Mapping[str, tuple[Attribution, ...]]


class PhaseTimes(msgspec.Struct, frozen=True):
    """Instants of `time.perf_counter`."""

    start: float
    prepared: float
    sampled: float


class Health(msgspec.Struct, frozen=True):
    """Observations of the runtime itself.

    Attributes:
        dispersion: how consecutive runs scatter; None where they are compatible with independent ones.
        elsewhere: inference outputs on a second provider; None where they are not asked for.
    """

    dispersion: float | None
    elsewhere: Mapping[str, Array] | None


class Evidence(msgspec.Struct, frozen=True):
    """All measurements that findings are judged by.

    Attributes:
        artifacts: the files that were audited.
        attributions: by output, what each of several sites does to it.
        state: the last progress of sampling.
        fallbacks: what was done for want of memory or of a kernel, in order.
        placement: why the model was run there.
        device_memory: bytes of the GPU that were taken when replicates had been drawn.
    """

    artifacts: tuple[Artifact, ...]
    case: Case
    prepared: Prepared
    meters: Meters
    health: Health
    attributions: Attributions
    state: Progress
    plan: Plan
    place: Device
    times: PhaseTimes
    fallbacks: tuple[str, ...] = ()
    placement: str = ""
    device_memory: int = 0
