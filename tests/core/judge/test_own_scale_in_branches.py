"""Claims about a scale beside an operator Dropout that stands, like it, in a branch that is taken in training alone."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Severity
from dropaudit_models.specimens.situations.words import X, graph

PLAN = Plan(provider=Provider.CPU)
# Between a branch and the output, and the same where no factor of the branch reaches the output as one.
ENDS = ["y = Neg(h)", "e = Add(h, q)  y = Tanh(e)"]


def errors_of(taken: str, end: str) -> set[str]:
    """Audit h = If(training) <taken, from n to d> else <n> in role train; return codes of errors and of DA502."""
    branches = (
        f"then_branch = t () => (float[N,16] d) {{ {taken} }}, "
        "else_branch = e () => (float[N,16] c) { c = Identity(n) }"
    )
    model = graph(
        f"n = Neg(x)  h = If(training) <{branches}>  {end}",
        inputs=f"{X}, bool training",
        constants={"q": 0.45, "p": 0.55, "t": True},
    )
    report: Report = audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN), PLAN)
    return {each.code for each in report.findings if each.severity is Severity.ERROR or each.code == "DA502"} - {
        "DA305"
    }


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ("d = Dropout(n, p, t)", set()),
        ("s = Div(n, q)  d = Dropout(s, p, t)", {"DA302"}),
        ("s = Dropout(n, p, t)  d = Div(s, q)", {"DA302"}),
        ("s = Mul(n, q)  d = Dropout(s, p, t)", {"DA301"}),
        ("s = Dropout(n, p, t)  d = Mul(s, q)", {"DA301"}),
    ],
)
def test_a_scale_of_the_dropout_is_one_finding_wherever_it_stands(taken: str, end: str, expected: set[str]) -> None:
    assert errors_of(taken, end) == expected
