"""Claims about the mask of an operator Dropout that is applied to the operator's own result."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Severity, Verdict
from dropaudit_models.specimens.situations.words import graph

PLAN = Plan(provider=Provider.CPU)
OPERATOR = "d, b = Dropout(x, p, t)  m = Cast<to = 1>(b)"


def audited(body: str) -> Report:
    """Audit x -> y in role train."""
    constants = {"p": 0.3, "q": 0.7, "t": True, "none": 0.0, "one": 1.0, "half": 0.5}
    return audit(
        ArtifactSubject(graph(f"{OPERATOR}  {body}", constants=constants).SerializeToString(), Role.TRAIN), PLAN
    )


def errors(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity is Severity.ERROR} - {"DA305"}


@pytest.mark.parametrize(
    "body",
    [
        "y = Mul(d, m)",
        "y = Mul(m, d)",
        "h = Mul(d, m)  y = Mul(h, m)",
        "e = Where(b, d, none)  y = Neg(e)",
        "c = Not(b)  y = Where(c, none, d)",
        "h = Neg(d)  y = Mul(h, m)",
        "h = Relu(d)  y = Mul(h, m)",
        "h = Tanh(d)  y = Where(b, h, none)",
        "h = Mul(m, m)  y = Mul(d, h)",
    ],
)
def test_a_mask_that_is_applied_twice_changes_nothing(body: str) -> None:
    report = audited(body)
    assert report.verdict is Verdict.PASS
    assert len(report.sites) == 1
    assert {finding.code for finding in report.findings} <= {"DA305", "DA405"}


@pytest.mark.parametrize(
    ("body", "code"), [("e = Div(d, q)  y = Mul(e, m)", "DA302"), ("e = Mul(d, q)  y = Mul(e, m)", "DA301")]
)
def test_a_scale_between_is_the_operators(body: str, code: str) -> None:
    assert errors(audited(body)) == {code}


def test_what_a_mask_drops_is_not_kept_by_its_opposite() -> None:
    assert audited("c = Sub(one, m)  y = Mul(d, c)").verdict is not Verdict.PASS


@pytest.mark.parametrize(
    "body",
    [
        "e = Mul(d, m)  k = Div(m, q)  f = Mul(x, k)  s = Add(e, f)  y = Mul(s, half)",
        "e = Where(b, d, none)  k = Div(m, q)  f = Mul(x, k)  s = Sum(f, e)  y = Mul(s, half)",
        "h = Identity(d)  e = Mul(h, m)  g = Mul(x, m)  f = Div(g, q)  s = Add(e, f)  y = Mul(s, half)",
    ],
)
def test_a_mask_that_is_applied_twice_does_not_hide_one_on_other_data(body: str) -> None:
    report = audited(body)
    assert report.verdict is Verdict.WARN
    assert len(report.sites) == 2
    assert {finding.code for finding in report.findings} <= {"DA404", "DA405"}
