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


CHAIN = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  g = Mul(x, m)  k = Div(g, q)  a = Div(m, q)"
LEAVING_ZEROS = ("Relu", "LeakyRelu", "Abs", "Neg", "Tanh")


def audited_chain(body: str, **constants: float) -> Report:
    """Audit x -> y in role train, where k is x under a chain's mask and its scale, and g is x under the mask alone."""
    known = {"q": 0.7, "none": 0.0, **constants}
    return audit(ArtifactSubject(graph(f"{CHAIN}  {body}", constants=known).SerializeToString(), Role.TRAIN), PLAN)


@pytest.mark.parametrize("between", LEAVING_ZEROS)
@pytest.mark.parametrize("again", ["y = Mul(h, m)", "y = Where(b, h, none)"])
def test_a_chain_whose_mask_is_applied_again_behind_what_leaves_zeros_is_one_site(between: str, again: str) -> None:
    report = audited_chain(f"h = {between}(k)  {again}")
    assert report.verdict is Verdict.PASS
    assert len(report.sites) == 1
    assert {finding.code for finding in report.findings} <= {"DA305"}


@pytest.mark.parametrize("between", LEAVING_ZEROS)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("h = {}(g)  y = Mul(h, a)", None),
        ("h = {}(g)  e = Mul(h, m)  y = Div(e, q)", None),
        ("h = {}(k)  y = Mul(h, a)", "DA302"),
        ("h = {}(k)  e = Mul(h, m)  y = Div(e, q)", "DA302"),
        ("h = {}(g)  y = Mul(h, m)", "DA301"),
    ],
)
def test_the_scales_of_both_times_count_together(between: str, body: str, code: str | None) -> None:
    assert errors(audited_chain(body.format(between))) == ({code} if code else set())


TIMES = (3, 4, 6)


def applied(times: int, between: str, mask: str = "m") -> str:
    """Return nodes that apply a mask to the result of another, a number of times in all, with an operator between."""
    steps = [f"h{i} = {between}(k{i})  k{i + 1} = Mul(h{i}, {mask})  " for i in range(times - 1)]
    return "k0 = Identity({})  " + "".join(steps) + f"y = Identity(k{times - 1})"


@pytest.mark.parametrize("between", ["Relu", "Tanh"])
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(("scaled", "code"), [("k", None), ("g", "DA301")])
def test_a_mask_may_be_applied_any_number_of_times(between: str, times: int, scaled: str, code: str | None) -> None:
    report = audited_chain(applied(times, between).format(scaled))
    assert len(report.sites) == 1
    assert errors(report) == ({code} if code else set())
    assert "DA106" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize("times", TIMES)
def test_a_scale_each_time_is_too_large(times: int) -> None:
    report = audited_chain(applied(times, "Relu", mask="a").format("k"))
    (site,) = report.sites
    assert site.scale is not None
    assert site.scale.median == pytest.approx(0.7**-times, rel=1e-4)
    assert errors(report) == {"DA303"}


@pytest.mark.parametrize("last", ["f = Mul(h, m)  y = Div(f, q)", "y = Mul(h, a)"])
def test_the_scale_may_stand_beside_the_last_time(last: str) -> None:
    report = audited_chain(f"i = Relu(g)  j = Mul(i, m)  h = Tanh(j)  {last}")
    assert len(report.sites) == 1
    assert not errors(report)


@pytest.mark.parametrize(
    ("scaled", "mask", "code"), [("k", "m", None), ("g", "m", "DA301"), ("g", "a", None), ("k", "a", "DA302")]
)
def test_what_a_mask_does_once_more_in_two_branches_counts_once(scaled: str, mask: str, code: str | None) -> None:
    report = audited_chain(
        f"h = Identity({scaled})  i = Relu(h)  j = Mul(i, {mask})  n = Neg(h)  l = Mul(n, {mask})  y = Sub(j, l)"
    )
    assert len(report.sites) == 1
    assert errors(report) == ({code} if code else set())
    assert "DA106" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize(("scale", "code"), [("a", None), ("m", "DA301")])
def test_behind_what_makes_other_numbers_of_zeros_the_mask_drops_again(scale: str, code: str | None) -> None:
    report = audited_chain(f"h = Sigmoid(k)  y = Mul(h, {scale})")
    assert len(report.sites) == 2
    assert "DA404" in {finding.code for finding in report.findings}
    assert errors(report) == ({code} if code else set())


OF_DIGITS = "t = Mul(u, thousand)  f = Floor(t)  r = Sub(t, f)  e = Less(r, w)  c = Cast<to = 1>(e)  s = Div(c, v)  "


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.85])
@pytest.mark.parametrize("data", ["h = Tanh(x)  i = Mul(h, s)  y = Add(i, k)", "h = Neg(k)  y = Mul(h, s)"])
def test_a_second_mask_of_later_digits_of_one_draw_is_a_site_of_its_own(data: str, rate: float) -> None:
    right = audited_chain(OF_DIGITS + data, thousand=1000.0, w=rate, v=rate)
    assert len(right.sites) == 2
    assert not errors(right)
    assert "DA106" not in {finding.code for finding in right.findings}
    assert errors(audited_chain(OF_DIGITS + data, thousand=1000.0, w=rate, v=0.9 * rate)) == {"DA303"}
