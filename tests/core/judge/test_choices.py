"""Claims about sites that take one of two tensors, as zoneout does, by draws of any kind."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Family, Verdict
from dropaudit_models.specimens.situations.words import graph

TWO = "u = RandomUniformLike(x)  n = Neg(x)  v = RandomUniformLike(n)"
CHOICES = {
    "bernoulli": ("e = Shape(x)  p = Expand(a, e)  f = Bernoulli(p)  b = Cast<to = 9>(f)", 0.3, 0.7),
    "larger of two draws": (f"{TWO}  w = Max(u, v)  b = Less(w, a)", 0.4, 0.16),
    "product of two draws": (f"{TWO}  w = Mul(u, v)  b = Less(w, a)", 0.5, 0.847),
}


def report_of(name: str, more: str = "y = MatMul(d, weight)") -> Report:
    body, number, _ = CHOICES[name]
    return audited(f"{body}  s = Tanh(x)  g = Add(s, two)  d = Where(b, g, x)  {more}", number)


def audited(body: str, number: float) -> Report:
    weights = [[0.3 * ((i * 7 + j * 3) % 5 - 2) for j in range(16)] for i in range(16)]
    model = graph(body, a=number, two=2.0, none=0.0, weight=weights)
    return audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN), Plan(provider=Provider.CPU))


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_bypassed_by_the_mixture_that_the_draws_make(name: str) -> None:
    report = report_of(name)
    assert report.verdict is Verdict.PASS
    (site,) = report.sites
    assert site.family is Family.OTHER
    assert site.keep_prob is not None
    assert site.keep_prob.lower < CHOICES[name][2] < site.keep_prob.upper
    factor = report.outputs[0].scale_factor
    assert factor is not None
    assert factor.lower < 1.02
    assert factor.upper > 0.98


def test_a_choice_by_bernoulli_differs_from_the_standard() -> None:
    assert {finding.code for finding in report_of("bernoulli").findings} == {"DA408"}


@pytest.mark.parametrize("zeros", ["z = Sub(x, x)", "z = Mul(x, none)", "e = Mul(none, x)  z = Identity(e)"])
@pytest.mark.parametrize(("kept", "verdict"), [("g = Div(x, a)", Verdict.PASS), ("g = Neg(x)", Verdict.FAIL)])
def test_a_choice_between_data_and_zeros_of_its_shape_is_a_mask(zeros: str, kept: str, verdict: Verdict) -> None:
    draw = "u = RandomUniformLike(x)  b = Less(u, a)"
    report = audited(f"{draw}  {zeros}  {kept}  d = Where(b, g, z)  y = MatMul(d, weight)", 0.6)
    assert report.verdict is verdict
    assert report.sites[0].family is (Family.INVERTED if verdict is Verdict.PASS else Family.UNSCALED)
