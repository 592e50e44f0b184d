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

EXTRA = ", float one = {1.0}"
BY_ROW = "a = ReduceMean<axes = [1]>(x)  "
BY_FEATURE = "a = ReduceMean<axes = [0]>(x)  "
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
