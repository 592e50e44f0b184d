"""Claims about masks that have something to do with each other: what is measured is what the artifact draws."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.passes.seeds import seeds_of
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.measure.finding.equal_streams import with_own_seeds
from dropaudit.measure.finding.linked_masks import INDEPENDENT, linked_masks
from dropaudit.plan import Provider
from dropaudit.report import Severity, Verdict
from dropaudit.runtime.provider import choose
from support.graphs import HEADER, dense

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
X = np.random.default_rng(0).standard_normal((64, 16)).astype(np.float32)


def masks(first: str, second: str, thresholds: tuple[str, str] = ("q", "q"), data: str = "x") -> str:
    """Return two scaled sites, x -> d and {data} -> e."""
    return (
        f"u = RandomUniformLike{first}(x)  b = Less(u, {thresholds[0]})  m = Cast<to = 1>(b)"
        f"  s = Div(m, {thresholds[0]})  d = Mul(x, s)"
        f"  v = RandomUniformLike{second}(x)  c = Less(v, {thresholds[1]})  n = Cast<to = 1>(c)"
        f"  k = Div(n, {thresholds[1]})  e = Mul({data}, k)"
    )


EXTRA = ", float wide = {0.8}, float narrow = {0.6}"
SAME = ("<seed = 7.0>", "<seed = 7.0>")
OTHER = ("<seed = 7.0>", "<seed = 8.0>")


def pairs(body: str) -> list[set[str]]:
    model = name_nodes(onnx.load_from_string(dense(body, extra=EXTRA)))
    found = linked_masks(model, find_sites(model), {"x": X}, CPU, np.random.default_rng(1))
    return [{first.name, second.name} for first, second in found.decided]


def report_of(body: str) -> Report:
    return audit(ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN), PLAN)


def codes(report: Report, severity: Severity | None = None) -> set[str]:
    return {finding.code for finding in report.findings if severity in (None, finding.severity)}


@pytest.mark.parametrize("seeds", [SAME, ("<seed = 0.0>", "<seed = 1.0>")])
@pytest.mark.parametrize("thresholds", [("q", "q"), ("wide", "narrow"), ("narrow", "wide")])
def test_equal_seeds_let_one_mask_decide_the_other(seeds: tuple[str, str], thresholds: tuple[str, str]) -> None:
    assert len(pairs(f"{masks(*seeds, thresholds)}  y = Add(d, e)")) == 1


@pytest.mark.parametrize("seeds", [OTHER, ("", ""), ("<seed = 7.0>", "")])
def test_masks_of_other_seeds_decide_nothing(seeds: tuple[str, str]) -> None:
    assert pairs(f"{masks(*seeds)}  y = Add(d, e)") == []


def test_the_masks_are_compared_and_not_what_is_left_of_the_data() -> None:
    """Behind the first mask the second, which is the same, drops nothing more."""
    assert len(pairs(f"{masks(*SAME, data='d')}  y = Neg(e)")) == 1


def test_operators_with_one_seed_are_compared_by_their_masks() -> None:
    body = "d = Dropout<seed = 7>(x, r, t)  h = Neg(d)  e = Dropout<seed = {0}>(h, r, t)  y = Neg(e)"
    assert len(pairs(body.replace("{0}", "7"))) == 1
    assert pairs(body.replace("{0}", "8")) == []


def test_few_cells_are_no_proof() -> None:
    """Two independent masks of sixteen cells agree now and then; cells of many runs decide."""
    model = name_nodes(onnx.load_from_string(dense(f"{masks(*OTHER)}  y = Add(d, e)", extra=EXTRA)))
    few = {"x": X[:1]}
    for seed in range(20):
        assert linked_masks(model, find_sites(model), few, CPU, np.random.default_rng(seed)) == INDEPENDENT


# By hand: where u < q the result is x / q^2, so that E = q / q^2; nested, E = .6 / (.8 * .6).
STACKED = {("q", "q"): 1 / 0.7, ("wide", "narrow"): 1.25, ("narrow", "wide"): 1.25}


@pytest.mark.parametrize("thresholds", STACKED)
def test_stacked_masks_of_one_seed_keep_the_mean_that_the_artifact_has(thresholds: tuple[str, str]) -> None:
    report = report_of(f"{masks(*SAME, thresholds, data='d')}  y = Neg(e)")
    (output,) = report.outputs
    assert output.scale_factor is not None
    assert not output.scale_factor.excludes(STACKED[thresholds])
    assert "DA404" in codes(report)
    assert "DA305" in codes(report, Severity.ERROR)
    assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize("thresholds", STACKED)
def test_stacked_masks_of_two_seeds_are_scaled_right(thresholds: tuple[str, str]) -> None:
    report = report_of(f"{masks(*OTHER, thresholds, data='d')}  y = Neg(e)")
    assert codes(report) == {"DA203", "DA406"}
    (output,) = report.outputs
    assert output.scale_factor is not None
    assert not output.scale_factor.excludes(1.0)


def test_a_band_that_overlaps_the_first_mask_nearly_as_by_chance_is_judged_by_its_own_rate() -> None:
    """The first keeps u < .6, the second .332 of that and all of u > .732: together .332, and .36 by chance."""
    body = (
        "u = RandomUniformLike<seed = 7.0>(x)  b = Less(u, narrow)  m = Cast<to = 1>(b)  s = Div(m, narrow)"
        "  d = Mul(x, s)  v = RandomUniformLike<seed = 7.0>(x)  c = Less(v, low)  e = Greater(v, high)  o = Or(c, e)"
        "  n = Cast<to = 1>(o)  k = Div(n, narrow)  f = Mul(d, k)  y = Neg(f)"
    )
    content = dense(body, extra=EXTRA + ", float low = {0.332}, float high = {0.732}")
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert "DA203" in codes(report)
    assert not codes(report) & {"DA201", "DA301", "DA302", "DA303"}


def test_side_by_side_equal_masks_keep_the_mean() -> None:
    report = report_of(f"{masks(*SAME)}  y = Add(d, e)")
    assert codes(report) == {"DA404", "DA406"}
    assert report.verdict is Verdict.WARN


def test_identical_masks_stand_once_with_all_their_sites() -> None:
    third = (
        "  w = RandomUniformLike<seed = 7.0>(x)  a = Less(w, q)  o = Cast<to = 1>(a)  l = Div(o, q)  z = Mul(x, l)"
        "  i = Add(d, e)  y = Add(i, z)"
    )
    report = report_of(masks(*SAME) + third)
    (finding,) = (finding for finding in report.findings if finding.code == "DA404")
    assert set(finding.evidence["sites"]) == {site.name for site in report.sites}


LOOPS = """g (float[64,16] x) => (float[64,16] y) <float q = {0.7}, int64 n = {3}, bool go = {1}> {
    h = Loop(n, go, x) <body = a (int64 i, bool c, float[64,16] s) => (bool d, float[64,16] k)
        { d = Identity(c)  u = RandomUniformLike(s)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(s, m) }>
    y = Loop(n, go, h) <body = b (int64 i, bool c, float[64,16] s) => (bool d, float[64,16] k)
        { d = Identity(c)  EXTRA u = RandomUniformLike(s)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(s, m) }>
}"""


def given(more: str) -> dict[str, int]:
    model = name_nodes(onnx.parser.parse_model(f"{HEADER} {LOOPS.replace('EXTRA', more)}"))
    return seeds_of(with_own_seeds(model, {"x": X}, CPU, np.random.default_rng(2)))


def test_draws_at_one_place_of_two_bodies_keep_one_seed_together() -> None:
    found = given("")
    assert len(found) == 2
    assert len(set(found.values())) == 1


def test_draws_at_different_places_get_seeds_of_their_own() -> None:
    assert len(set(given("e = Neg(s)").values())) == 2


def test_in_the_main_graph_alone_no_seed_is_needed() -> None:
    model = name_nodes(onnx.load_from_string(dense(f"{masks('', '')}  y = Add(d, e)", extra=EXTRA)))
    assert with_own_seeds(model, {"x": X}, CPU, np.random.default_rng(2)) is model


def test_masks_that_exclude_each_other_are_not_called_one_mask_that_is_scaled_twice() -> None:
    """x m1 / q1 m2 / q2 with m1 = [u < 0.6] and m2 = [u > 0.5]: both keep a tenth, and the mean is 0.1 / 0.3."""
    body = (
        "u = RandomUniformLike<seed = 7.0>(x)  b = Less(u, narrow)  m = Cast<to = 1>(b)  s = Div(m, narrow)"
        "  d = Mul(x, s)  v = RandomUniformLike<seed = 7.0>(d)  c = Greater(v, half)  n = Cast<to = 1>(c)"
        "  k = Div(n, half)  y = Mul(d, k)"
    )
    report = audit(ArtifactSubject(dense(body, extra=EXTRA + ", float half = {0.5}"), Role.TRAIN), PLAN)
    assert codes(report, Severity.ERROR) == {"DA305"}
    (output,) = report.outputs
    assert output.scale_factor is not None
    assert output.scale_factor.lower < 0.1 / 0.3 < output.scale_factor.upper
    (stacked,) = (finding for finding in report.findings if finding.code == "DA203")
    assert stacked.evidence["keepProbOfBoth"] == pytest.approx(0.1, abs=0.02)


def test_a_second_mask_written_as_a_difference_is_one_site_behind_the_first() -> None:
    body = (
        "u = RandomUniformLike(x)  b = Less(u, wide)  m = Cast<to = 1>(b)  s = Div(m, wide)  d = Mul(x, s)"
        "  v = RandomUniformLike(d)  c = Less(v, narrow)  n = Cast<to = 1>(c)  o = Sub(one, n)  l = Mul(d, o)"
        "  k = Sub(d, l)  y = Div(k, narrow)"
    )
    report = audit(ArtifactSubject(dense(body, extra=EXTRA + ", float one = {1.0}"), Role.TRAIN), PLAN)
    assert report.verdict is Verdict.WARN
    assert [site.declared_keep_prob for site in report.sites] == pytest.approx([0.8, 0.6], abs=1e-5)


def test_a_draw_for_the_whole_batch_behind_another_mask_is_not_shared_between_copies() -> None:
    """Behind a mask, other cells are zero in each copy: that made the copies look as if each had a draw of its own."""
    body = (
        "u = RandomUniformLike(x)  b = Less(u, narrow)  m = Cast<to = 1>(b)  s = Div(m, narrow)  d = Mul(x, s)"
        "  e = ReduceSum<keepdims = 1>(d)  v = RandomUniformLike(e)  c = Less(v, wide)  n = Cast<to = 1>(c)"
        "  k = Div(n, wide)  y = Mul(d, k)"
    )
    report = audit(ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN), PLAN)
    assert report.execution.sampling == "looped"
    assert not codes(report, Severity.ERROR)


WHOLE = "RandomUniformLike{seed}({like})  {b} = Less({u}, most)  {m} = Cast<to = 1>({b})  {s} = Div({m}, most)"


def whole_batch(seeds: tuple[str, str]) -> str:
    """Two sites with one cell each for the whole batch, that keeps 0.9."""
    first = WHOLE.format(seed=seeds[0], like="e", u="u", b="b", m="m", s="s")
    second = WHOLE.format(seed=seeds[1], like="e", u="v", b="c", m="n", s="k")
    return f"e = ReduceSum<keepdims = 1>(x)  u = {first}  v = {second}  d = Mul(x, s)  z = Tanh(d)  y = Mul(z, k)"


@pytest.mark.parametrize("seed", range(5))
def test_masks_of_one_cell_that_agree_by_chance_are_not_identical(seed: int) -> None:
    """Eight runs of two such masks agree with a probability of 0.2: an element is no evidence that a cell is not."""
    content = dense(whole_batch(("", "")), extra=", float most = {0.9}")
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU, seed=seed, max_replicates=2000))
    assert not codes(report) & {"DA401", "DA404", "DA406"}


def test_a_seeded_mask_of_one_cell_is_found_to_be_replayed_and_shared() -> None:
    content = dense(whole_batch(OTHER), extra=", float most = {0.9}")
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=2000))
    assert {"DA402", "DA406"} <= codes(report)
    assert not codes(report) & {"DA401", "DA404"}


# Of one draw u the first keeps 0.1 < u < 0.9, and the second u < 0.8: q = 0.8 of either, 0.7 of both.
OVERLAPPING = (
    "u = RandomUniformLike<seed = 7.0>(x)  s = Sub(u, half)  z = Abs(s)  b = Less(z, most)  m = Cast<to = 1>(b)"
    "  k = Div(m, wide)  d = Mul(x, k)"
    "  v = RandomUniformLike<seed = {0}>(x)  c = Less(v, wide)  n = Cast<to = 1>(c)  l = Div(n, wide)  e = Mul(d, l)"
    "  y = Neg(e)"
)
OF_OVERLAPPING = ", float wide = {0.8}, float half = {0.5}, float most = {0.4}"


def overlapping(seed: str) -> Report:
    model = dense(OVERLAPPING.replace("{0}", seed), extra=OF_OVERLAPPING)
    return audit(ArtifactSubject(model, Role.TRAIN), PLAN)


def test_a_mask_that_overlaps_the_one_before_it_is_not_judged_by_what_it_drops_behind_it() -> None:
    """The second drops an eighth of what the first has kept: its scale 1/0.8 is right all the same."""
    report = overlapping("7.0")
    assert codes(report, Severity.ERROR) == {"DA305"}
    assert "DA404" not in codes(report)
    (stacked,) = (finding for finding in report.findings if finding.code == "DA203")
    assert stacked.evidence["keepProbOfBoth"] == pytest.approx(0.7, abs=0.01)


def test_masks_of_draws_of_their_own_keep_the_product_of_their_rates() -> None:
    report = overlapping("8.0")
    assert codes(report, Severity.ERROR) == set()
    (stacked,) = (finding for finding in report.findings if finding.code == "DA203")
    assert stacked.evidence["keepProbOfBoth"] == pytest.approx(0.64)


# x / q, a mask, that / q, and of it what is left without what a second mask drops.
WITH_SCALES_BEFORE = (
    "s = Div(x, wide)  u = RandomUniformLike<seed = 7.0>(x)  b = Less(u, wide)  m = Cast<to = 1>(b)  d = Mul(s, m)"
    "  v = RandomUniformLike<seed = {0}>(x)  c = Less(v, wide)  w = Not(c)  n = Cast<to = 1>(w)"
    "  g = Div(d, wide)  h = Mul(g, n)  e = Sub(g, h)  y = Neg(e)"
)


@pytest.mark.parametrize(("seed", "errors"), [("7.0", {"DA302", "DA305"}), ("8.0", set[str]())])
def test_the_scale_before_a_second_mask_is_not_that_of_the_first(seed: str, errors: set[str]) -> None:
    report = report_of(WITH_SCALES_BEFORE.replace("{0}", seed))
    assert codes(report, Severity.ERROR) == errors
    assert "DA301" not in codes(report)


@pytest.mark.parametrize(
    "second",
    [
        "c = Less(u, narrow)  n = Cast<to = 1>(c)  k = Div(n, narrow)",
        "c = Greater(u, narrow)  n = Cast<to = 1>(c)  k = Div(n, rest)",
        "c = GreaterOrEqual(u, q)  n = Cast<to = 1>(c)  k = Div(n, r)",
    ],
)
def test_two_thresholds_on_one_draw_let_one_mask_decide_the_other(second: str) -> None:
    first = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  s = Div(m, q)  d = Mul(x, s)"
    body = f"{first}  {second}  h = Softmax<axis = -1>(d)  e = Mul(h, k)  y = Neg(e)"
    report = audit(ArtifactSubject(dense(body, extra=f"{EXTRA}, float rest = {{0.4}}"), Role.TRAIN), PLAN)
    assert "DA404" in codes(report)


def test_halves_of_one_draw_are_independent() -> None:
    body = (
        "w = Concat<axis = 1>(x, x)  a = RandomUniformLike(w)  u, v = Split<axis = 1>(a)"
        "  b = Less(u, q)  m = Cast<to = 1>(b)  s = Div(m, q)  d = Mul(x, s)"
        "  c = Less(v, narrow)  n = Cast<to = 1>(c)  k = Div(n, narrow)  h = Neg(x)  e = Mul(h, k)  y = Add(d, e)"
    )
    assert "DA404" not in codes(report_of(body))
