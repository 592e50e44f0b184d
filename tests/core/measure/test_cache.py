"""Claims about prepared artifacts that are kept."""

from __future__ import annotations

from threading import Thread
from typing import Any

import msgspec
import numpy as np
import pytest

from dropaudit import ArtifactSubject, PairSubject, Plan, Role, audit
from dropaudit.audit_artifacts import CACHE, artifacts_of
from dropaudit.errors import InvalidModel
from dropaudit.measure.cache import Cache, PreparedCase, key_of
from dropaudit.plan import Provider
from dropaudit.report import Report, Seconds
from dropaudit.runtime.provider import choose
from support.graphs import dense

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
CONTENT = dense("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)")
OTHER = dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)")


@pytest.fixture(autouse=True)
def _empty() -> None:
    CACHE.clear()


def timeless(report: Report) -> Report:
    execution = msgspec.structs.replace(report.execution, seconds=Seconds(prepare=0, run=0, total=0))
    return msgspec.structs.replace(report, execution=execution)


def test_the_second_audit_reports_what_the_first_did() -> None:
    subject = ArtifactSubject(CONTENT, Role.TRAIN)
    first = audit(subject, PLAN)
    second = audit(subject, PLAN)
    CACHE.clear()
    third = audit(subject, PLAN)
    assert timeless(first) == timeless(second) == timeless(third)


class Maker:
    """Counts how often something is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> PreparedCase:
        self.made += 1
        return PreparedCase(None, None)  # type: ignore[arg-type]  # the cache does not look into it


def misses(cache: Cache, *subjects: Any, plan: Plan = PLAN) -> int:
    maker = Maker()
    for subject in subjects:
        artifacts = artifacts_of(subject)
        cache.get(key_of(subject, artifacts, plan, CPU), sum(each.bytes for each in artifacts), maker)
    return maker.made


def test_what_is_the_same_is_made_once() -> None:
    subject = ArtifactSubject(CONTENT, Role.TRAIN, {"x": np.ones((8, 16), dtype=np.float32)})
    again = ArtifactSubject(bytes(CONTENT), Role.TRAIN, {"x": np.ones((8, 16), dtype=np.float32)})
    assert misses(Cache(), subject, again, subject) == 1


@pytest.mark.parametrize(
    "other",
    [
        ArtifactSubject(OTHER, Role.TRAIN),
        ArtifactSubject(CONTENT, Role.AUTO),
        ArtifactSubject(CONTENT, Role.TRAIN, keep_prob=0.5),
        ArtifactSubject(CONTENT, Role.TRAIN, {"x": np.ones((8, 16), dtype=np.float32)}),
        ArtifactSubject(CONTENT, Role.TRAIN, {"x": np.ones((16, 8), dtype=np.float32)}),
        PairSubject(CONTENT, CONTENT),
    ],
    ids=["content", "role", "keep probability", "inputs", "shape", "pair"],
)
def test_whatever_preparing_depends_on_tells_entries_apart(other: ArtifactSubject | PairSubject) -> None:
    assert misses(Cache(), ArtifactSubject(CONTENT, Role.TRAIN), other) == 2


def test_another_plan_is_another_entry() -> None:
    cache, subject = Cache(), ArtifactSubject(CONTENT, Role.TRAIN)
    assert misses(cache, subject) == 1
    assert misses(cache, subject, plan=Plan(provider=Provider.CPU, seed=1)) == 1
    assert misses(cache, subject) == 0


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    cache = Cache(entries=2)
    first, second, third = (ArtifactSubject(content) for content in (CONTENT, OTHER, CONTENT + OTHER))
    assert misses(cache, first, second, first, third) == 3
    assert misses(cache, first) == 0
    assert misses(cache, second) == 1


def test_more_bytes_than_allowed_are_not_kept() -> None:
    cache = Cache(size=len(CONTENT))
    assert misses(cache, ArtifactSubject(CONTENT), ArtifactSubject(CONTENT)) == 1
    assert misses(cache, PairSubject(CONTENT, OTHER), PairSubject(CONTENT, OTHER)) == 2


def test_what_could_not_be_made_is_not_kept() -> None:
    broken = ArtifactSubject(b"not a model", Role.TRAIN)
    for _ in range(2):
        with pytest.raises(InvalidModel):
            audit(broken, PLAN)


def test_audits_of_several_threads_share_an_entry() -> None:
    subject = ArtifactSubject(CONTENT, Role.TRAIN)
    expected = timeless(audit(subject, PLAN))
    found: list[Report] = []
    threads = [Thread(target=lambda: found.append(timeless(audit(subject, PLAN)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
