"""Claims about masks of few cells that seeded Dropout operators draw, one replicate a run."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.passes.seeds import seeds_of, without_seeds_of_dropout
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.measure.sampling.single_runs import single_runs
from dropaudit.plan import Provider
from dropaudit.runtime.parallel import Stream
from dropaudit.runtime.provider import choose
from support.graphs import dense

CPU = choose(Provider.CPU)
X = {"x": np.ones((4, 16), dtype=np.float32)}
KEPT = 0.7
RUNS = 512
WRONG = {"DA101", "DA201", "DA202", "DA301", "DA303", "DA305", "DA401"}
EXTRA = ", float one = {1.0}, int64[2] both = {0, 1}"


def cell(number: int, seed: str) -> str:
    """Return one cell, drawn by a Dropout, for all entries of a batch."""
    return (
        f"n{number} = ReduceSum<keepdims = 1>(x, both)  s{number} = Shape(n{number})"
        f"  o{number} = Expand(one, s{number})"
        f"  m{number} = Dropout{seed}(o{number}, r, t)  "
    )


ONE = cell(1, "<seed = 202017>") + "y = Mul(x, m1)"
TWO = cell(1, "<seed = 202017>") + cell(2, "<seed = 415017>") + "d = Mul(x, m1)  h = Neg(d)  y = Mul(h, m2)"


def report_of(body: str) -> Report:
    plan = Plan(provider=Provider.CPU, max_replicates=RUNS)
    return audit(ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN), plan)


@pytest.mark.parametrize("body", [ONE, TWO])
def test_one_seeded_cell_for_a_whole_batch_is_measured_at_its_rate(body: str) -> None:
    report = report_of(body)
    codes = {finding.code for finding in report.findings}
    assert not codes & WRONG
    assert {"DA402", "DA406"} <= codes
    for site in report.sites:
        assert site.keep_prob is not None
        assert not site.keep_prob.excludes(KEPT)
        assert site.keep_prob.upper - site.keep_prob.lower > 0.1  # so many cells as replicates, and no more


BETWEEN = {"nothing": "h = Identity(d)", "Neg": "h = Neg(d)", "Relu": "h = Relu(d)"}
OF_DATA = "n = ReduceSum<keepdims = 1>(x, both)  d = Dropout(n, r, t)  {}  e = Dropout(h, r, t)  y = Mul(x, e)"
OF_MASKS = cell(1, "") + cell(2, "") + "d = Mul(x, m1)  {}  y = Mul(h, m2)"


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("body", [OF_DATA, OF_MASKS], ids=["on one number", "on a tensor"])
def test_two_cells_of_one_run_without_seeds_are_measured_apart(body: str, between: str) -> None:
    report = report_of(body.format(BETWEEN[between]))
    codes = {finding.code for finding in report.findings}
    assert not codes & (WRONG | {"DA404"})
    for site in report.sites:
        assert site.keep_prob is not None
        assert not site.keep_prob.excludes(KEPT)


@pytest.mark.parametrize(
    "body",
    [
        "y = Dropout<seed = 5>(x, r, t)",
        "d = Dropout<seed = 5>(x, r, t)  y = Dropout<seed = 6>(d, r, t)",
        "u = RandomUniformLike<seed = 7.0>(x)  b = Less(u, q)  d = Dropout<seed = 5>(x, r, t)  y = Where(b, d, d)",
    ],
)
def test_the_first_cell_of_a_mask_changes_from_run_to_run(body: str) -> None:
    model = name_nodes(onnx.load_from_string(dense(body)))
    runs = single_runs(model, CPU, np.random.default_rng(0), fewest_cells=1)
    kept = [bool(runs.run(X, ("y",))["y"][0, 0]) for _ in range(64)]
    # Of 63 changes at least 26 are expected; seeds counted on would show none.
    assert sum(a != b for a, b in itertools.pairwise(kept)) > 8


def test_equal_seeds_stay_equal() -> None:
    body = "d = Dropout<seed = 5>(x, r, t)  e = Dropout<seed = 5>(x, r, t)  y = Sub(d, e)"
    model = name_nodes(onnx.load_from_string(dense(body)))
    runs = single_runs(model, CPU, np.random.default_rng(0), fewest_cells=1)
    assert not any(runs.run(X, ("y",))["y"].any() for _ in range(8))


@pytest.mark.parametrize("between", BETWEEN)
def test_two_cells_of_one_seed_are_one_mask(between: str) -> None:
    body = cell(1, "<seed = 5>") + cell(2, "<seed = 5>") + f"d = Mul(x, m1)  {BETWEEN[between]}  y = Mul(h, m2)"
    report = report_of(body)
    codes = {finding.code for finding in report.findings}
    assert "DA404" in codes
    assert not codes & (WRONG - {"DA305"})  # kept with 0.7, and scaled twice: together they are wrong


def test_masks_of_equal_seeds_keep_their_joint_law_over_runs_of_one_session() -> None:
    """Of one draw u: both keep where u >= .6, the first alone where .3 <= u < .6, the second never alone."""
    body = "d = Dropout<seed = 5>(x, r, t)  e = Dropout<seed = 5>(x, s, t)  f = Dropout<seed = 9>(x, r, t)"
    text = dense(f"{body}  y = Concat<axis = 0>(d, e, f)", extra=", float s = {0.6}")
    model, count = name_nodes(onnx.load_from_string(text)), 4096
    runs = single_runs(model, CPU, np.random.default_rng(0), fewest_cells=1)
    found = np.stack([runs.run({"x": X["x"][:1]}, ("y",))["y"] != 0 for _ in range(count)])
    first, second, other = (found[:, i] for i in range(3))
    assert not np.any(second & ~first)
    scatter = 0.5 / np.sqrt(count)
    for kept, expected in ((first, 0.7), (second, 0.4), (other, 0.7), (first & other, 0.49), (second & other, 0.28)):
        assert np.abs(kept.mean(axis=0) - expected).max() < 5 * scatter
    for cells in (first, other):
        assert abs(np.corrcoef(cells[1:, 0], cells[:-1, 0])[0, 1]) < 5 / np.sqrt(count)
    assert abs(np.corrcoef(first[:, 0], other[:, 0])[0, 1]) < 5 / np.sqrt(count)


@pytest.mark.parametrize(
    "body",
    [
        "d = Dropout<seed = 5>(x, r, t)  y = Dropout<seed = 5>(d, r, t)",
        "d = Dropout<seed = 5>(x, r, t)  y = Dropout<seed = 6>(d, r, t)",
        "u = RandomUniformLike<seed = 7.0>(x)  d = Dropout<seed = 5>(x, r, t)  e = Dropout<seed = 5>(d, r, t)"
        "  y = Mul(e, u)",
        "d, m = Dropout<seed = 5>(x, r, t)  e = Where(m, d, x)  y = Dropout(e, r, t)",
    ],
)
def test_no_run_of_seeded_dropout_takes_a_new_session(body: str) -> None:
    model = name_nodes(onnx.load_from_string(dense(body)))
    assert not isinstance(single_runs(model, CPU, np.random.default_rng(0), fewest_cells=1), Stream)


def test_only_dropout_loses_its_seed() -> None:
    body = "u = RandomUniformLike<seed = 7.0>(x)  d = Dropout<seed = 5>(x, r, t)  y = Add(d, u)"
    model = name_nodes(onnx.load_from_string(dense(body)))
    assert list(seeds_of(without_seeds_of_dropout(model)).values()) == [7]


def test_a_seeded_draw_that_keeps_all_and_scales_all_is_no_mask_that_repeats() -> None:
    body = "u = RandomUniformLike<seed = 7.0>(x)  b = Less(u, one)  m = Cast<to = 1>(b)  d = Mul(x, m)  y = Div(d, q)"
    codes = {finding.code for finding in report_of(body).findings}
    assert "DA101" in codes
    assert "DA406" not in codes


def test_a_seeded_draw_other_than_dropout_takes_no_new_seed_from_run_to_run() -> None:
    body = (
        "n = ReduceSum<keepdims = 1>(x, both)  u = RandomUniformLike<seed = 7.0>(n)"
        "  v = RandomUniformLike<seed = 8.0>(n)  y = Sub(u, v)"
    )
    model, seeds = name_nodes(onnx.load_from_string(dense(body, extra=EXTRA))), np.random.default_rng(0)
    runs = single_runs(model, CPU, seeds, fewest_cells=1)
    drawn = [runs.run(X, ("y",))["y"].item()]
    first = seeds.bit_generator.state
    drawn += [runs.run(X, ("y",))["y"].item() for _ in range(RUNS)]
    assert seeds.bit_generator.state == first
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 5 / RUNS**0.5
    assert np.std(drawn) == pytest.approx(6**-0.5, rel=0.15)
