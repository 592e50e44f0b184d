"""Claims about replicates that several threads draw."""

from __future__ import annotations

from threading import get_ident

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import ExecutionFailed
from dropaudit.graph.facts.memory_estimate import working_elements
from dropaudit.graph.passes.seeds import holds_dropout, holds_seeds, seeded
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.plan import Provider
from dropaudit.runtime.parallel import ParallelSampler, streams_of
from dropaudit.runtime.provider import choose, cores
from dropaudit.runtime.replicates import Tile
from dropaudit.runtime.session import Tensors
from dropaudit.subjects import Array
from support.draws import draw
from support.graphs import dense

CPU = choose(Provider.CPU)
COLUMNS = 64
X = {"x": np.ones((4, COLUMNS), dtype=np.float32)}
CHAIN = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)"
RUNS = 1200


def named(body: str) -> onnx.ModelProto:
    return name_nodes(onnx.load_from_string(dense(body, columns=COLUMNS)))


def sampler(body: str, lanes: int, *, seed: int = 0, largest: int = 10) -> ParallelSampler:
    streams = streams_of(named(body), CPU, np.random.default_rng(seed))
    return ParallelSampler(streams, Tile(X, {"x": 0}, {"y": 0}), 4 * COLUMNS, largest, lanes)


def masks(body: str, lanes: int, *, seed: int = 0) -> Array:
    return np.not_equal(draw(sampler(body, lanes, seed=seed), RUNS, ("y",))["y"], 0)


@pytest.mark.parametrize("body", ["y = Dropout(x, r, t)", CHAIN], ids=["operator", "chain"])
def test_one_seed_draws_one_sample_whatever_the_number_of_threads(body: str) -> None:
    alone = masks(body, 1)
    assert np.array_equal(alone, masks(body, 2))
    assert np.array_equal(alone, masks(body, 5))
    assert not np.array_equal(alone, masks(body, 1, seed=1))


@pytest.mark.parametrize("body", ["y = Dropout(x, r, t)", CHAIN], ids=["operator", "chain"])
def test_replicates_of_several_streams_are_independent(body: str) -> None:
    kept = masks(body, 2).reshape(RUNS, -1)
    z = (kept.sum(axis=0) - RUNS * 0.7) / np.sqrt(RUNS * 0.7 * 0.3)
    # 256 cells: the standard deviation of their z-scores has a standard error of 0.044.
    assert float(z.std()) == pytest.approx(1.0, abs=0.2)
    assert len({row.tobytes() for row in kept}) == RUNS


def test_threads_share_the_work() -> None:
    def who(_start: int, _: Tensors) -> int:
        return get_ident()

    workers = {worker for _, worker in sampler("y = Dropout(x, r, t)", 2, largest=2000).pieces(100_000, ("y",), who)}
    assert len(workers) == 2


def test_pieces_come_in_order_and_add_up() -> None:
    def size(_start: int, draws: Tensors) -> int:
        return len(draws["y"])

    found = list(sampler("y = Dropout(x, r, t)", 2).pieces(95, ("y",), size))
    assert sum(count for count, _ in found) == 95
    assert all(count == seen for count, seen in found)


def test_what_goes_wrong_in_a_thread_reaches_the_caller() -> None:
    wrong = sampler("y = Dropout(x, r, t)", 2)
    with pytest.raises(ExecutionFailed):
        draw(ParallelSampler(wrong.streams, Tile({"x": X["x"][:, :3]}, {"x": 0}, {"y": 0}), 12, 10, 2), 40, ("y",))


def test_a_caller_who_stops_early_leaves_no_thread_behind() -> None:
    def nothing(_start: int, _: Tensors) -> None:
        return None

    pieces = sampler("y = Dropout(x, r, t)", 2).pieces(10_000, ("y",), nothing)
    next(iter(pieces))
    pieces.close()  # type: ignore[attr-defined]  # a generator behind its protocol


def test_every_dropout_gets_a_seed_of_its_own() -> None:
    model = named("a = Dropout(x, r, t)  b = Dropout(a, r, t)  y = Neg(b)")
    numbers = iter([11, 22])
    found = seeded(model, lambda: next(numbers))
    assert [attribute.i for node in found.graph.node for attribute in node.attribute] == [11, 22]
    assert holds_seeds(found)
    assert not holds_seeds(model)
    assert holds_dropout(model)
    assert not holds_dropout(named(CHAIN))


def test_what_a_run_works_on_is_counted() -> None:
    model = named("a = Neg(x)  d = Dropout(a, r, t)  y = Neg(d)")
    assert working_elements(model, {"x": (4, COLUMNS)}) == 3 * 4 * COLUMNS


def test_the_report_does_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    content = dense("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)", columns=COLUMNS)
    subject, plan = ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU)
    reports = []
    for number in (1, 4):
        monkeypatch.setattr("dropaudit.measure.sampling.strategy.cores", lambda number=number: number)
        reports.append(audit(subject, plan))
    assert reports[0].sites == reports[1].sites
    assert reports[0].outputs == reports[1].outputs
    assert cores() >= 1
