"""Audits recorded outputs: no model is run, and the sample cannot grow."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from dropaudit.errors import InvalidTensor
from dropaudit.figures.distribution import Distribution
from dropaudit.figures.excerpt import excerpt_of
from dropaudit.findings import gravest_first, verdict_of
from dropaudit.judge.non_finite import non_finite
from dropaudit.judge.recorded_arrays import RecordedEvidence, broken_recording, judge_recorded
from dropaudit.measure.meters.intervals import keep_interval, mean_of
from dropaudit.plan import Plan
from dropaudit.report import (
    Execution,
    Finding,
    Histogram,
    InputTensor,
    Interval,
    Output,
    Report,
    Seconds,
    Settings,
    Spread,
    Stop,
)
from dropaudit.stats.mean import may_look
from dropaudit.stats.moments import RunningMoments
from dropaudit.stats.products import inner, norm_squared
from dropaudit.stats.ratios import Ratios, median, ratios, smallest_input
from dropaudit.subjects import Array, RecordedSubject, float_array
from dropaudit.version import __version__

SUBJECT = "recorded"


class _Recording(msgspec.Struct, frozen=True):
    """Checked arrays: `train` is stacked over replicates, shape (t, *inference.shape)."""

    inference: Array
    train: Array
    frozen: bool


def audit_recorded(subject: RecordedSubject, plan: Plan) -> Report:
    """Audit recorded outputs. Raises InvalidTensor when the arrays do not fit each other."""
    start = time.perf_counter()
    recording = _check(subject)
    findings: list[Finding] = _non_finite(recording)
    measured = _measure(recording)
    evidence = RecordedEvidence(
        subject=SUBJECT,
        ratios=measured,
        interval=keep_interval(measured.kept, measured.cells, plan.alpha),
        declared=subject.keep_prob,
        replicates=len(recording.train),
        frozen=recording.frozen,
    )
    judgement = broken_recording(evidence, findings) if findings else judge_recorded(evidence)
    findings += judgement.findings
    ordered = gravest_first(findings)
    execution = Execution(
        provider=SUBJECT,
        seed=plan.seed,
        inputs=_described(recording),
        replicates=len(recording.train),
        stopped=Stop.EXHAUSTED,
        seconds=_seconds(start),
        sampling=SUBJECT,
        version=__version__,
        settings=Settings(
            alpha=plan.alpha,
            tolerance=plan.tolerance,
            max_replicates=plan.max_replicates,
            keep_prob=subject.keep_prob,
        ),
    )
    return Report(
        verdict=verdict_of(ordered),
        summary=judgement.summary,
        findings=ordered,
        sites=judgement.sites,
        outputs=(_output(recording, measured, plan),),
        execution=execution,
    )


def _check(subject: RecordedSubject) -> _Recording:
    inference = np.asarray(subject.inference)
    train = [np.asarray(array) for array in subject.train]
    for name, array in [
        ("the inference output", inference),
        *((f"train output {i}", a) for i, a in enumerate(train, 1)),
    ]:
        if not np.issubdtype(array.dtype, np.floating):
            raise InvalidTensor(f"{name} holds {array.dtype}, not floating-point numbers; record the raw outputs")
        if array.shape != inference.shape:
            raise InvalidTensor(
                f"{name} has shape {array.shape}, the inference output {inference.shape}; record both on the same input"
            )
    if inference.size == 0:
        raise InvalidTensor("the recorded outputs are empty; record at least one element")
    frozen = len(train) > 1 and all(np.array_equal(array, train[0], equal_nan=True) for array in train[1:])
    return _Recording(inference=inference, train=np.stack(train), frozen=frozen)


def _non_finite(recording: _Recording) -> list[Finding]:
    broken = {
        mode: int(np.count_nonzero(~np.isfinite(array)))
        for mode, array in (("inference", recording.inference), ("train", recording.train))
    }
    return [non_finite(SUBJECT, mode, count) for mode, count in broken.items() if count]


def _measure(recording: _Recording) -> Ratios:
    """Compare train with inference; equal replicates count once, since they hold one mask."""
    train = recording.train[:1] if recording.frozen else recording.train
    return ratios(np.broadcast_to(recording.inference, train.shape), train)


def _output(recording: _Recording, measured: Ratios, plan: Plan) -> Output:
    dropped = (recording.train == 0) & (recording.inference != 0)
    spread = None
    if measured.values.size:
        low, high = float(measured.values.min()), float(measured.values.max())
        spread = Spread(min=low, median=median(measured.values), max=high)
    return Output(
        name=SUBJECT,
        shape=recording.inference.shape,
        scale_factor=_scale_factor(recording, plan),
        zero_fraction=float(dropped.mean()),
        survivor_ratio=spread,
        histogram=_histogram(recording),
        excerpt=excerpt_of(recording.inference, recording.train[0]),
    )


def _histogram(recording: _Recording) -> Histogram | None:
    """Return how train over inference is distributed, zeros included."""
    inference = float_array(recording.inference)
    informative = np.isfinite(inference) & (np.abs(inference) > smallest_input(recording.inference.dtype))
    found = Distribution()
    for train in recording.train:
        found.add(float_array(train)[informative] / inference[informative])
    return found.histogram


def _scale_factor(recording: _Recording, plan: Plan) -> Interval | None:
    """Project every replicate on the inference output; too few replicates have no interval."""
    reference = float_array(recording.inference).ravel()
    norm = norm_squared(reference)
    if recording.frozen or not 0 < norm < np.inf:
        return None
    moments = RunningMoments()
    replicates = float_array(recording.train).reshape(len(recording.train), -1)
    moments.add(inner(replicates, reference) / norm)
    return mean_of(moments, plan.alpha) if may_look(moments) else None


def _described(recording: _Recording) -> tuple[InputTensor, ...]:
    return tuple(
        InputTensor(name=name, dtype=str(array.dtype), shape=array.shape)
        for name, array in (("inference", recording.inference), ("train", recording.train))
    )


def _seconds(start: float) -> Seconds:
    total = time.perf_counter() - start
    return Seconds(run=total, total=total)
