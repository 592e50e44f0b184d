"""Claims about the scale of masks whose rate no single threshold declares: each fault beside its healthy twin."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import ArrayLike

from dropaudit import ArtifactSubject, PairSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import graph

PLAN = Plan(provider=Provider.CPU)
FEW = Plan(provider=Provider.CPU, max_replicates=2048)
SCALES = frozenset({"DA101", "DA201", "DA202", "DA301", "DA302", "DA303"})
TWO = "u = RandomUniformLike(x)  n = Neg(x)  v = RandomUniformLike(n)"
_MASK = "m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(x, k)"
_WHERE = "g = Mul(x, s)  d = Where(b, g, none)"
_EXPONENTIAL = "l = Where(b, none, never)  m = Exp(l)  f = Mul(x, m)  d = Mul(f, s)"
# Masks of two draws on data, a threshold, and the share that they keep, which is no threshold of theirs.
OF_TWO_DRAWS = {
    "greatest": (f"w = Max(u, v)  b = Less(w, a)  {_MASK}", 0.775, 0.775**2),
    "least": (f"w = Min(u, v)  b = Less(w, a)  {_EXPONENTIAL}", 0.368, 1 - (1 - 0.368) ** 2),
    "product": (f"w = Mul(u, v)  b = Less(w, a)  {_WHERE}", 0.3, 0.3 - 0.3 * np.log(0.3)),
    "one of both": (f"c = Less(u, a)  e = Less(v, a)  b = Xor(c, e)  {_WHERE}", 0.69, 2 * 0.69 * 0.31),
}


def audited(
    body: str, plan: Plan = PLAN, given: Mapping[str, ArrayLike] | None = None, **constants: ArrayLike
) -> Report:
    """Audit x -> y = -d in role train."""
    known: dict[str, ArrayLike] = {"none": 0.0, "never": -np.inf, "one": 1.0, **(given or {}), **constants}
    model = graph(f"{body}  y = Neg(d)", constants=known)
    return audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN), plan)


def scales_in(report: Report) -> set[str]:
    return {finding.code for finding in report.findings} & SCALES


@pytest.mark.parametrize("name", OF_TWO_DRAWS)
def test_a_mask_of_two_draws_divided_by_what_it_keeps_is_scaled_right(name: str) -> None:
    body, threshold, q = OF_TWO_DRAWS[name]
    report = audited(f"{TWO}  {body}", a=threshold, s=1 / q)
    assert report.verdict is Verdict.PASS
    assert not report.findings


@pytest.mark.parametrize("name", OF_TWO_DRAWS)
def test_a_mask_of_two_draws_divided_by_what_it_drops_is_swapped_and_not_doubled(name: str) -> None:
    body, threshold, q = OF_TWO_DRAWS[name]
    assert scales_in(audited(f"{TWO}  {body}", a=threshold, s=1 / (1 - q))) == {"DA202"}


@pytest.mark.parametrize("more", [1.27, 1.31])
def test_a_wrong_factor_beside_a_mask_of_two_draws_is_not_taken_for_one_that_holds_the_right_one(more: float) -> None:
    body, threshold, q = OF_TWO_DRAWS["one of both"]
    assert scales_in(audited(f"{TWO}  {body}", a=threshold, s=more / q)) == {"DA303"}


ONES = "h = Shape(x)  o = Expand(one, h)"
MASK_OF_OPERATOR = "w, b = Dropout({data}, r, t)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(x, k)"


@pytest.mark.parametrize("data", ["x", "o"])
def test_a_dropout_whose_mask_alone_is_read_is_no_second_site(data: str) -> None:
    report = audited(f"{ONES}  {MASK_OF_OPERATOR.format(data=data)}", r=0.3, t=True, s=1 / 0.7)
    assert report.verdict is Verdict.PASS
    assert len(report.sites) == 1
    assert {finding.code for finding in report.findings} <= {"DA405"}


@pytest.mark.parametrize("data", ["x", "o"])
def test_the_mask_of_a_dropout_applied_without_its_scale_is_scale_missing(data: str) -> None:
    report = audited(f"{ONES}  {MASK_OF_OPERATOR.format(data=data)}", r=0.3, t=True, s=1.0)
    assert scales_in(report) == {"DA301"}


FAR_FROM_ZERO = (
    "u = RandomNormalLike<mean = 1.0, scale = 0.5>(x)  v = Cast<to = 10>(u)  i = Cast<to = 10>(half)  w = Mul(v, i)  "
    "j = Cast<to = 10>(five)  e0 = Add(w, j)  axis = Constant<value = int64[1] {0}>()  e1 = Unsqueeze(e0, axis)  "
    "z = Squeeze(e1, axis)  l = Cast<to = 10>(a)  b = GreaterOrEqual(z, l)  m = Cast<to = 10>(b)  "
    "c = Cast<to = 10>(x)  o = Cast<to = 10>(q)  k = Div(m, o)  e = Mul(c, k)  d = Cast<to = 1>(e)"
)


def in_half(q: float) -> Report:
    """Audit a mask whose draw lies around 5 in half precision, where its steps are 1/256; it keeps .7."""
    return audited(FAR_FROM_ZERO, half=0.5, five=4.5, a=5 - 0.25 * 0.5244, q=q)


def test_a_draw_that_half_precision_moved_away_from_zero_declares_its_rate_to_its_steps() -> None:
    assert scales_in(in_half(0.7)) == set()


@pytest.mark.parametrize(("q", "code"), [(0.3, "DA202"), (0.49, "DA302"), (0.6, "DA303"), (1.0, "DA301")])
def test_a_wrong_scale_is_seen_in_half_precision_too(q: float, code: str) -> None:
    assert scales_in(in_half(q)) == {code}


RATES = np.linspace(0.4, 0.8, 16)
BY_FEATURE = "u = RandomUniformLike(x)  b = GreaterOrEqual(u, rates)  m = Cast<to = 1>(b)  e = Mul(x, m)  l = Sub(x, e)"


def test_a_constant_factor_behind_a_mask_of_rates_by_feature_is_a_wrong_scale() -> None:
    report = audited(f"{BY_FEATURE}  d = Mul(l, s)", rates=RATES, s=1.0910895)
    assert scales_in(report) == {"DA303"}


def test_a_mask_of_rates_by_feature_divided_by_those_rates_is_scaled_right() -> None:
    report = audited(f"{BY_FEATURE}  d = Div(l, rates)", rates=RATES)
    assert report.verdict is Verdict.PASS


def drawn_by_bernoulli(chance: float, scale: float, seed: float) -> Report:
    """Audit a mask by the operator Bernoulli, of which the runtime keeps 1 - chance."""
    body = f"h = Shape(x)  c = Expand(chance, h)  m = Bernoulli<seed = {seed!r}>(c)  k = Mul(m, s)  d = Mul(x, k)"
    return audited(body, chance=chance, s=scale)


@pytest.mark.parametrize(("chance", "seed"), [(0.48, 1.0), (0.49, 2.0), (0.51, 1.0), (0.52, 2.0)])
def test_what_the_runtime_makes_of_bernoulli_is_told_near_a_half_too(chance: float, seed: float) -> None:
    report = drawn_by_bernoulli(chance, 1 / (1 - chance), seed)
    assert "DA408" in {finding.code for finding in report.findings}
    assert not scales_in(report)


def test_at_a_half_bernoulli_is_the_same_by_the_standard() -> None:
    report = drawn_by_bernoulli(0.5, 2.0, 1.0)
    assert {finding.code for finding in report.findings} == {"DA406"}


def test_an_unscaled_mask_that_reaches_no_output_is_not_called_scaled_right() -> None:
    mask = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)"
    report = audited(f"{mask}  e = Mul(x, m)  n = RandomNormalLike(x)  d = Add(x, n)", q=0.7)
    assert "DA107" in {finding.code for finding in report.findings}
    assert report.summary.startswith("No dropout reaches an output of this artifact")


def test_a_dead_site_beside_a_right_one_is_not_counted_among_the_right_ones() -> None:
    mask = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)"
    report = audited(f"{mask}  e = Mul(x, m)  f = Div(e, q)  g = Neg(x)  d = Dropout(g, r, t)", q=0.6, r=0.3, t=True)
    assert report.summary.startswith("Dropout is scaled right: 1 site, inverted, keep probability 0.7")


# One cell for the whole batch, which is dropped as a whole in some runs: a mask by Dropout of ones, read as a truth.
ONE_CELL = (
    "e = ReduceSum(x)  h = Shape(e)  o = Expand(one, h)  w = Dropout(o, r, t)  c = Cast<to = 9>(w)  b = {truth}(c)  "
    "g = Mul(x, s)  d = Where(b, g, none)"
)


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("truth", ["Not", "Identity"])
def test_a_mask_of_one_cell_declares_what_it_keeps_whatever_the_first_run_drops(truth: str, rate: float) -> None:
    q = rate if truth == "Not" else 1 - rate
    report = audited(ONE_CELL.format(truth=truth), FEW, r=rate, t=True, s=1 / q)
    assert [site.declared_keep_prob for site in report.sites] == [pytest.approx(q)]
    assert not scales_in(report)


@pytest.mark.parametrize("rate", [0.3, 0.9])
@pytest.mark.parametrize("truth", ["Not", "Identity"])
def test_the_wrong_scale_of_a_mask_of_one_cell_is_seen_whatever_the_first_run_drops(truth: str, rate: float) -> None:
    dropped = 1 - rate if truth == "Not" else rate
    assert scales_in(audited(ONE_CELL.format(truth=truth), FEW, r=rate, t=True, s=1 / dropped)) == {"DA202"}


# A seed in every two neighbouring cells drops both: .6 is kept, which no threshold says. Borders have whole windows.
POOLED = (
    "a = Pad(x, pads)  u = RandomUniformLike(a)  b = GreaterOrEqual(u, edge)  c = Cast<to = 1>(b)  "
    "e = Unsqueeze(c, axis)  p = MaxPool<kernel_shape = [2]>(e)  l = Squeeze(p, axis)  "
    "m = Sub(one, l)  k = Mul(m, s)  d = Mul(x, k)"
)
IN_POOLED: dict[str, ArrayLike] = {"pads": np.array([0, 0, 0, 1]), "axis": np.array([1]), "edge": np.sqrt(0.6)}


def pooled(scale: float) -> Report:
    return audited(POOLED, PLAN, {**IN_POOLED, "s": scale})


def test_a_pooled_mask_divided_by_what_it_keeps_is_scaled_right() -> None:
    assert pooled(1 / 0.6).verdict is Verdict.PASS


@pytest.mark.parametrize(("scale", "code"), [(1 / 0.4, "DA202"), (1 / 0.36, "DA302"), (1.0, "DA301"), (2.2, "DA303")])
def test_the_wrong_scale_of_a_pooled_mask_has_the_name_that_fits_what_it_keeps(scale: float, code: str) -> None:
    assert scales_in(pooled(scale)) == {code}


@pytest.mark.parametrize(("factor", "codes"), [(1.0, set()), (0.6, {"DA302"}), (0.8, {"DA303"})])
def test_what_inference_multiplies_by_is_compared_with_what_a_pooled_mask_keeps(factor: float, codes: set[str]) -> None:
    constants: dict[str, ArrayLike] = {"one": 1.0, "s": 1 / 0.6, **IN_POOLED}
    train = graph(f"{POOLED}  y = Neg(d)", constants=constants)
    inference = graph("d = Mul(x, factor)  y = Neg(d)", factor=factor)
    report = audit(PairSubject(train.SerializeToString(), inference.SerializeToString()), PLAN)
    assert scales_in(report) == codes


@pytest.mark.parametrize(("q", "factor"), [(0.75, 4.0), (0.9, 10.0), (0.5, 4.0)])
def test_a_whole_number_beside_what_is_scaled_right_is_the_models_own(q: float, factor: float) -> None:
    """As the root of the width that an embedding is multiplied by: by chance it is 1/p, or 1/q^2."""
    body = (
        "g = Mul(x, whole)  u = RandomUniformLike(g)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Div(m, q)  d = Mul(g, k)"
    )
    assert audited(body, whole=factor, q=q).verdict is Verdict.PASS


@pytest.mark.parametrize(("q", "factor", "code"), [(0.75, 4.0, "DA202"), (0.5, 4.0, "DA302")])
def test_the_same_number_beside_an_unscaled_mask_is_its_scale(q: float, factor: float, code: str) -> None:
    body = "g = Mul(x, whole)  u = RandomUniformLike(g)  b = Less(u, q)  m = Cast<to = 1>(b)  d = Mul(g, m)"
    assert scales_in(audited(body, whole=factor, q=q)) == {code}


def test_a_whole_number_that_is_one_over_what_two_draws_keep_is_its_scale_once_more() -> None:
    body = f"{TWO}  c = Less(u, a)  e = Less(v, a)  b = And(c, e)  m = Cast<to = 1>(b)  g = Mul(x, s)  f = Mul(g, m)"
    assert scales_in(audited(f"{body}  d = Mul(f, s)", a=np.sqrt(0.2), s=5.0)) == {"DA302"}
