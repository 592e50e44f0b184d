"""Claims about dropout on attention weights that are divided by their sum again: their scale changes no output."""

from __future__ import annotations

import pytest
from numpy.typing import ArrayLike

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import graph, weights

PLAN = Plan(provider=Provider.CPU)
ATTENTION = (
    "e = MatMul(x, w)  p = Softmax<axis = -1>(e)  u = RandomUniformLike(p)  b = Less(u, q)  m = Cast<to = 1>(b)"
    "  last = Constant<value = int64[1] {-1}>()"
)
SCALES = {
    "unscaled": "d = Mul(p, m)",
    "selected": "d = Where(b, p, none)",
    "by 1/q": "k = Div(m, q)  d = Mul(p, k)",
    "by three": "k = Mul(m, three)  d = Mul(p, k)",
}
NORMALIZED = {
    "by the sum": "t = ReduceSum(d, last)  z = Div(d, t)",
    "by a sum that is never zero": "t = ReduceSum(d, last)  n = Add(t, tiny)  z = Div(d, n)",
    "by one over the sum": "t = ReduceSum(d, last)  n = Reciprocal(t)  z = Mul(d, n)",
    "by an operator": "z = LpNormalization<axis = -1, p = 1>(d)",
    "by the sum, scaled before": "f = Mul(d, three)  t = ReduceSum(f, last)  z = Div(f, t)",
}
# Divided by something else, or read beside what is divided.
OTHERS = {
    "the sum before dropout": "t = ReduceSum(p, last)  z = Div(d, t)",
    "a sum and much more": "t = ReduceSum(d, last)  n = Add(t, half)  z = Div(d, n)",
    "a sum of squares": "t = ReduceSumSquare<axes = [-1]>(d)  z = Div(d, t)",
    "added to itself": "t = ReduceSum(d, last)  n = Div(d, t)  z = Add(n, d)",
}


def report_of(scale: str, normalized: str) -> Report:
    """Audit x -> y in role train."""
    constants: dict[str, ArrayLike] = {"q": 0.8, "none": 0.0, "three": 3.0, "tiny": 1e-6, "half": 0.5, "w": weights()}
    model = graph(f"{ATTENTION}  {scale}  {normalized}  y = MatMul(z, w)", constants=constants)
    return audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN), PLAN)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("normalized", NORMALIZED)
def test_no_scale_is_missing_or_wrong_where_the_weights_are_normalized_again(normalized: str, scale: str) -> None:
    report = report_of(SCALES[scale], NORMALIZED[normalized])
    assert report.verdict is Verdict.PASS
    assert len(report.sites) == 1
    assert ("scaled right" in report.summary) is (scale == "by 1/q")


@pytest.mark.parametrize("other", OTHERS)
def test_it_is_missing_where_they_are_divided_by_something_else(other: str) -> None:
    assert "DA301" in {finding.code for finding in report_of(SCALES["unscaled"], OTHERS[other]).findings}
