"""Coverage of both confidence sequences under continuous monitoring, as a list of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np

from dropaudit.stats.mean import BURN_IN
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.keep_rate import miss_probability, simulated_misses
from dropaudit_evaluation.calibration.looks import doubling, every_step
from dropaudit_evaluation.calibration.mean import Setting, Watched, unequal_weights, watch
from dropaudit_evaluation.processes import over_processes

RowType = TypeVar("RowType")

EVERY, DOUBLING = "every step", "doubling"
KEEP_PROBS = (0.005, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.98, 0.995)
ALPHAS = (0.1, 0.01, 0.001)
ELEMENTS = (1, 10, 50)


@dataclass(frozen=True, slots=True)
class Size:
    """How much to simulate.

    Attributes:
        streams: of each kind.
        steps: length of a stream that is looked at after every step, and of every stream of scale factors.
        cells: length of a stream of mask cells that is looked at on the doubling schedule.
    """

    streams: int
    steps: int
    cells: int


FULL = Size(streams=4000, steps=2048, cells=2**20)


@dataclass(frozen=True, slots=True)
class KeepRateRow:
    """Misses of the confidence sequence for a keep probability.

    Attributes:
        exact: probability of a miss within the stream, None where it is only simulated.
    """

    keep_prob: float
    alpha: float
    schedule: str
    misses: Proportion
    exact: float | None


@dataclass(frozen=True, slots=True)
class MeanRow:
    """Misses and false decisions of the asymptotic sequence on projections of `elements` masked elements."""

    elements: int
    keep_prob: float
    alpha: float
    schedule: str
    patient: bool
    watched: Watched


@dataclass(frozen=True, slots=True)
class KeepRateJob:
    """One keep probability at one level."""

    keep_prob: float
    alpha: float
    size: Size


@dataclass(frozen=True, slots=True)
class MeanJob:
    """One keep probability on one output, at all levels."""

    elements: int
    keep_prob: float
    alphas: tuple[float, ...]
    size: Size


def keep_rate_rows(job: KeepRateJob) -> list[KeepRateRow]:
    """Watch streams of mask cells after every cell, and on the doubling schedule from 64 cells on."""
    q, alpha, size = job.keep_prob, job.alpha, job.size
    rng = np.random.default_rng([round(q * 1000), round(1 / alpha), 1])
    steps, doubled = every_step(1, size.steps), doubling(64, size.cells)
    return [
        KeepRateRow(
            q, alpha, EVERY, simulated_misses(q, alpha, steps, size.streams, rng), miss_probability(q, alpha, steps)
        ),
        KeepRateRow(q, alpha, DOUBLING, simulated_misses(q, alpha, doubled, size.streams, rng), None),
    ]


def mean_rows(job: MeanJob) -> list[MeanRow]:
    """Watch streams of scale factors from the 64th replicate on."""
    rng = np.random.default_rng([round(job.keep_prob * 1000), job.elements, 2])
    schedules = {EVERY: every_step(BURN_IN, job.size.steps), DOUBLING: doubling(BURN_IN, job.size.steps)}
    named = [
        (name, Setting(alpha, looks, patient))
        for alpha, (name, looks), patient in product(job.alphas, schedules.items(), (False, True))
    ]
    settings = [setting for _, setting in named]
    weights = unequal_weights(job.elements, rng)
    watched = watch(weights, job.keep_prob, settings, job.size.streams, rng)
    return [
        MeanRow(job.elements, job.keep_prob, setting.alpha, name, setting.patient, found)
        for (name, setting), found in zip(named, watched, strict=True)
    ]


def keep_rate_coverage(size: Size, processes: int) -> list[KeepRateRow]:
    """Watch every keep probability at every level."""
    jobs = [KeepRateJob(q, alpha, size) for q, alpha in product(KEEP_PROBS, ALPHAS)]
    rows = _flat(rows for _, rows in over_processes(keep_rate_rows, jobs, processes))
    return sorted(rows, key=lambda row: (row.schedule, row.keep_prob, -row.alpha))


def mean_coverage(size: Size, processes: int) -> list[MeanRow]:
    """Watch every keep probability on outputs of 1, 10 and 50 elements."""
    jobs = [MeanJob(elements, q, ALPHAS, size) for elements, q in product(ELEMENTS, KEEP_PROBS)]
    rows = _flat(rows for _, rows in over_processes(mean_rows, jobs, processes))
    return sorted(rows, key=lambda row: (row.elements, row.keep_prob, -row.alpha, row.schedule, row.patient))


def _flat(parts: Iterable[list[RowType] | None]) -> Iterator[RowType]:
    for part in parts:
        if part is None:
            raise RuntimeError("a process of the simulation died")
        yield from part
