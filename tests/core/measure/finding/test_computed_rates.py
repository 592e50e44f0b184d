"""Claims about masks whose keep rate the graph computes from the data, another one for each row or feature."""

from __future__ import annotations

import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.reading.scope import scopes
from dropaudit.measure.finding.computed_rates import ComputedRates
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from support.graphs import dense

EXTRA = ", float one = {1.0}, float three = {3.0}"
BY_ROW = "a = ReduceMean<axes = [1]>(x)  "
BY_FEATURE = "a = ReduceMean<axes = [0]>(x)  "
OF_ALL = "a = ReduceMean<keepdims = 0>(x)  "
MASK = "k = Sigmoid(a)  u = RandomUniformLike(x)  b = Less(u, k)  m = Cast<to = 1>(b)  "
DROPPED = "d = Sigmoid(a)  u = RandomUniformLike(x)  b = Less(u, d)  n = Not(b)  m = Cast<to = 1>(n)  k = Sub(one, d)  "
SCALED = MASK + "s = Div(m, k)  y = Mul(x, s)"


def report_of(body: str, role: Role = Role.TRAIN) -> Report:
    return audit(ArtifactSubject(dense(body, extra=EXTRA), role), Plan(provider=Provider.CPU))


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    "body",
    [
        BY_ROW + SCALED,
        BY_FEATURE + SCALED,
        BY_ROW + MASK + "h = Mul(x, m)  y = Div(h, k)",
        BY_ROW + MASK + "o = Reciprocal(k)  s = Where(b, o, zero)  y = Mul(x, s)",
        BY_ROW + DROPPED + "s = Div(m, k)  y = Mul(x, s)",
    ],
)
def test_one_over_its_own_rate_is_the_right_scale(body: str) -> None:
    report = report_of(body)
    assert report.verdict is Verdict.PASS
    assert codes(report) == set()
    (site,) = report.sites
    assert site.declared_keep_prob is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BY_ROW + MASK + "c = Mul(k, k)  s = Div(m, c)  y = Mul(x, s)", "DA302"),
        (BY_FEATURE + MASK + "c = Mul(k, k)  s = Div(m, c)  y = Mul(x, s)", "DA302"),
        (BY_ROW + MASK + "s = Div(m, k)  c = Div(s, k)  y = Mul(x, c)", "DA302"),
        (BY_ROW + MASK + "c = Sub(one, k)  s = Div(m, c)  y = Mul(x, s)", "DA202"),
        (BY_ROW + MASK + "y = Mul(x, m)", "DA301"),
    ],
)
def test_a_wrong_scale_is_judged_by_the_rate_of_each_element(body: str, code: str) -> None:
    assert code in codes(report_of(body))


BEFORE = {
    "divided": "h = Div(x, k)",
    "times one over it": "o = Reciprocal(k)  h = Mul(x, o)",
    "times one over it, turned round": "o = Div(one, k)  h = Mul(o, x)",
}


@pytest.mark.parametrize("rate", [BY_ROW, BY_FEATURE, OF_ALL])
@pytest.mark.parametrize("scale", BEFORE)
def test_data_that_is_scaled_by_the_rate_before_the_mask_is_scaled_right(scale: str, rate: str) -> None:
    report = report_of(rate + MASK + BEFORE[scale] + "  y = Mul(h, m)")
    assert report.verdict is Verdict.PASS
    assert codes(report) == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (MASK + "h = Div(x, k)  g = Div(h, k)  y = Mul(g, m)", "DA302"),
        (MASK + "h = Div(x, k)  s = Div(m, k)  y = Mul(h, s)", "DA302"),
        (MASK + "c = Sub(one, k)  h = Div(x, c)  y = Mul(h, m)", "DA202"),
    ],
)
@pytest.mark.parametrize("rate", [BY_ROW, BY_FEATURE, OF_ALL])
def test_a_wrong_scale_before_the_mask_is_the_fault_that_it_is(body: str, code: str, rate: str) -> None:
    assert code in codes(report_of(rate + body))


@pytest.mark.parametrize("rate", [BY_ROW, OF_ALL])
def test_a_gate_that_multiplies_by_the_rate_is_no_part_of_a_scale_that_is_right_without_it(rate: str) -> None:
    assert codes(report_of(rate + MASK + "h = Mul(x, k)  s = Div(m, k)  y = Mul(h, s)")) == set()


def test_scaled_data_that_is_read_without_its_mask_too_is_what_the_mask_leaves_unscaled() -> None:
    assert "DA301" in codes(report_of(BY_ROW + MASK + "h = Div(x, k)  d = Mul(h, m)  y = Add(d, h)"))


ADDED = {
    "floor of the sum": "v = Add(k, u)  m = Floor(v)",
    "ceiling of the difference": "v = Sub(k, u)  m = Ceil(v)",
    "sign of the difference": "v = Sub(k, u)  g = Sign(v)  m = Relu(g)",
    "difference below zero": "v = Sub(u, k)  b = Less(v, zero)  m = Cast<to = 1>(b)",
    "quotient below one": "v = Div(u, k)  b = Less(v, one)  m = Cast<to = 1>(b)",
    "complement": "p = Sub(one, k)  v = Add(p, u)  f = Floor(v)  m = Sub(one, f)",
}


@pytest.mark.parametrize("rate", [BY_ROW, BY_FEATURE, OF_ALL])
@pytest.mark.parametrize("spelling", ADDED)
def test_a_draw_that_its_rate_is_added_to_makes_a_mask_like_a_comparison(spelling: str, rate: str) -> None:
    mask = f"{rate}k = Sigmoid(a)  u = RandomUniformLike(x)  {ADDED[spelling]}  "
    assert codes(report_of(mask + "s = Div(m, k)  y = Mul(x, s)")) == set()
    assert "DA301" in codes(report_of(mask + "y = Mul(x, m)"))


@pytest.mark.parametrize(
    "body",
    [
        "n = RandomNormalLike(x)  v = Add(x, n)  b = Greater(v, zero)  y = Where(b, x, zero)",
        "n = RandomNormalLike(x)  h = Tanh(x)  v = Add(h, n)  g = Sign(v)  y = Mul(x, g)",
        "u = RandomUniformLike(x)  h = Mul(x, three)  v = Add(h, u)  y = Floor(v)",
    ],
)
def test_noise_on_data_whose_share_of_two_values_is_no_tensor_of_the_graph_is_other_randomness(body: str) -> None:
    assert codes(report_of(body)) == {"DA106"}


def test_it_is_named_as_a_site_at_inference() -> None:
    assert codes(report_of(BY_ROW + SCALED, Role.INFERENCE)) == {"DA103"}


def test_a_mask_on_its_own_rate_alone_is_other_randomness() -> None:
    gate = "g = Sigmoid(x)  u = RandomUniformLike(x)  b = Less(u, g)  m = Cast<to = 1>(b)  y = Mul(g, m)"
    assert codes(report_of(gate)) == {"DA106"}


def test_what_is_made_of_rates_and_other_data_is_data() -> None:
    body = BY_ROW + DROPPED + "c = Mul(k, k)  o = Reciprocal(d)  h = Mul(x, k)  y = Mul(h, m)"
    rates = ComputedRates(next(iter(scopes(onnx.load_from_string(dense(body, extra=EXTRA))))))
    rates.add(["k"])
    assert [name for name in ("k", "d", "c", "o", "a", "h", "x") if rates.are_in(name)] == ["k", "d", "c", "o"]
