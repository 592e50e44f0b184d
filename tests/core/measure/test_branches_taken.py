"""Claims about branches that data decides: those that draw are taken where made-up data can do that, else named."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Severity, Verdict
from dropaudit.subjects import Inputs
from support.graphs import model

PLAN = Plan(provider=Provider.CPU)
DROPS = "then_branch = a () => (float[N,16] p) { p = Dropout(x, r, t) }"
UNSCALED = (
    "then_branch = a () => (float[N,16] p)"
    " { u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  p = Mul(x, m) }"
)
NOT = "else_branch = b () => (float[N,16] o) { o = Identity(x) }"
CONSTANTS = (
    "<float r = {0.3}, bool t = {1}, bool off = {0}, float q = {0.7}, float five = {5.0}, int64 warm = {5}, "
    "int64 two = {2}, float far = {1e12}>"
)


def report_of(body: str, more: str = "", role: Role = Role.TRAIN, inputs: Inputs | None = None) -> Report:
    content = model(f"g (float[N,16] x{more}) => (float[N,16] y) {CONSTANTS} {{ {body} }}")
    return audit(ArtifactSubject(content, role, inputs=inputs), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


TAKEN = {
    "a number of steps": (f"c = Greater(step, warm)  y = If(c) <{DROPS}, {NOT}>", ", int64 step"),
    "a number below": (f"c = Less(step, five)  n = Not(c)  y = If(n) <{DROPS}, {NOT}>", ", float step"),
    "a mean of the data": (
        f"s = ReduceSum<keepdims = 0>(x)  m = Neg(s)  a = Abs(s)  z = Add(m, a)  c = Greater(s, five)"
        f"  y = If(c) <{DROPS}, {NOT}>",
        "",
    ),
    "a vector of flags": (
        f"f = Cast<to = 1>(flags)  s = ReduceSum<keepdims = 0>(f)  c = Less(s, five)  y = If(c) <{DROPS}, {NOT}>",
        ", bool[8] flags",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_branch_that_an_input_can_have_taken_is_taken(name: str) -> None:
    report = report_of(*TAKEN[name])
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    (site,) = report.sites
    assert site.keep_prob is not None
    assert not codes(report) & {"DA105", "DA901"}


@pytest.mark.parametrize("name", TAKEN)
def test_what_drops_in_such_a_branch_is_found_at_inference_too(name: str) -> None:
    report = report_of(*TAKEN[name], role=Role.INFERENCE)
    assert "DA103" in codes(report)


def test_a_fault_in_such_a_branch_is_found() -> None:
    report = report_of(f"c = Greater(step, warm)  y = If(c) <{UNSCALED}, {NOT}>", ", int64 step")
    assert "DA301" in codes(report)


@pytest.mark.parametrize("role", [Role.TRAIN, Role.AUTO, Role.INFERENCE])
def test_a_branch_that_no_input_takes_is_named_and_nothing_is_said_of_the_whole(role: Role) -> None:
    report = report_of(f"s = ReduceSum<keepdims = 0>(x)  c = Greater(s, far)  y = If(c) <{DROPS}, {NOT}>", role=role)
    (found,) = (finding for finding in report.findings if finding.code == "DA901")
    assert found.evidence["branch"] == "then_branch"
    assert report.verdict is Verdict.INCONCLUSIVE
    assert not codes(report) & {"DA105", "DA106"}


def test_inputs_that_were_given_stay_as_they_are() -> None:
    inputs = {"x": np.ones((4, 16), np.float32), "step": np.array(3)}
    body = f"c = Greater(step, warm)  y = If(c) <{DROPS}, {NOT}>"
    assert "DA901" in codes(report_of(body, ", int64 step", inputs=inputs))
    taken = report_of(body, ", int64 step", inputs={**inputs, "step": np.array(7)})
    assert "DA901" not in codes(taken)


def test_a_switch_between_the_modes_leaves_no_branch_unseen() -> None:
    for role in (Role.TRAIN, Role.INFERENCE):
        report = report_of(f"y = If(training) <{DROPS}, {NOT}>", ", bool training", role=role)
        assert not any(finding.severity is Severity.ERROR for finding in report.findings)
        assert "DA901" not in codes(report)


# A training mode that the graph computes from a number, which has no value that everybody writes for it.
MODES = {
    "one of several modes": ("c = Equal(mode, two)  y = Dropout(x, r, c)", ", int64 mode"),
    "a number of steps": ("c = Greater(step, warm)  y = Dropout(x, r, c)", ", int64 step"),
    "two that agree": (
        "a = Equal(mode, two)  b = Equal(mode, two)  c = And(a, b)  d = Dropout(x, r, c)  h = Neg(d)  y = Neg(h)",
        ", int64 mode",
    ),
}


@pytest.mark.parametrize("name", MODES)
def test_a_mode_computed_from_a_made_up_number_is_switched_on_in_training(name: str) -> None:
    report = report_of(*MODES[name])
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    assert not codes(report) & {"DA101", "DA105", "DA106"}
    assert [site.keep_prob is not None for site in report.sites] == [True]


@pytest.mark.parametrize("name", MODES)
def test_a_mode_computed_from_a_made_up_number_is_left_alone_at_inference(name: str) -> None:
    assert not codes(report_of(*MODES[name], role=Role.INFERENCE)) & {"DA103", "DA104"}


SWITCH = {
    "one or the other": ("c = Xor(on, more)", ", bool on, bool more"),
    "one, beyond a number": ("a = Greater(step, five)  c = And(on, a)", ", bool on, float step"),
    "one, unless a number is reached": ("a = Equal(step, warm)  c = Or(on, a)", ", bool on, int64 step"),
    "not both, in a band": (
        "a = Less(step, warm)  b = Greater(step, two)  d = And(a, b)  e = Xor(on, d)  n = Not(e)  c = And(n, more)",
        ", bool on, int64 step, bool more",
    ),
    "two numbers": (
        "a = Equal(step, warm)  b = Greater(level, five)  d = And(a, b)  c = And(d, on)",
        ", bool on, int64 step, float level",
    ),
}
SWITCHED = {
    "mode": "y = Dropout(x, r, c)",
    "branch": f"y = If(c) <{DROPS}, {NOT}>",
    "selection": "u = RandomUniformLike(x)  v = Less(u, q)  m = Cast<to = 1>(v)  k = Mul(x, m)  z = Div(k, q)"
    "  y = Where(c, z, x)",
}


@pytest.mark.parametrize("switch", SWITCH)
@pytest.mark.parametrize("switched", SWITCHED)
def test_what_a_switch_beside_others_and_numbers_turns_on_drops_in_training_and_not_at_inference(
    switch: str, switched: str
) -> None:
    body, more = SWITCH[switch]
    trained, served = (report_of(f"{body}  {SWITCHED[switched]}", more, role) for role in (Role.TRAIN, Role.INFERENCE))
    assert trained.verdict in (Verdict.PASS, Verdict.WARN)
    assert [site.keep_prob is not None for site in trained.sites] == [True]
    assert not codes(trained) & {"DA101", "DA105", "DA106", "DA901"}
    assert not codes(served) & {"DA103", "DA104", "DA901"}


def test_numbers_that_were_given_stay_as_they_are_beside_a_switch() -> None:
    body, more = SWITCH["one, beyond a number"]
    inputs = {"x": np.ones((4, 16), np.float32), "step": np.array(2.0, np.float32)}
    body = f"{body}  {SWITCHED['mode']}"
    assert "DA101" in codes(report_of(body, more, inputs=inputs))
    assert "DA101" not in codes(report_of(body, more, inputs={**inputs, "step": np.array(7.0, np.float32)}))


def test_a_mode_that_no_number_switches_on_is_inert_and_no_other_randomness() -> None:
    report = report_of("c = Less(step, step)  y = Dropout(x, r, c)", ", int64 step")
    assert codes(report) & {"DA101", "DA105", "DA106"} == {"DA101"}


IDLE = "else_branch = b () => (float[N,16] o) { o = Dropout(x, r, off) }"


@pytest.mark.parametrize("role", [Role.TRAIN, Role.INFERENCE])
def test_a_branch_whose_dropout_is_off_for_good_draws_nothing(role: Role) -> None:
    report = report_of(f"y = If(training) <{DROPS}, {IDLE}>", ", bool training", role=role)
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    assert not codes(report) & {"DA101", "DA103", "DA105", "DA901"}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int64", "float", "double"])
def test_numbers_that_the_type_of_an_input_cannot_hold_are_not_tried(dtype: str) -> None:
    """The branch that draws is taken at 77 only; of the numbers that are tried, 1000 fits neither type of 8 bits."""
    body = (
        f"e = Cast<to = 7>(epoch)  at = Constant<value = int64 {{77}}>()  b = Equal(e, at)  y = If(b) <{DROPS}, {NOT}>"
    )
    report = report_of(body, f", {dtype} epoch")
    assert [site.declared_keep_prob for site in report.sites] == [pytest.approx(0.7)]
    assert report.verdict is Verdict.PASS


BOTH = (
    "then_branch = a () => (float[N,16] p) { p = Dropout(x, r, t) }, "
    "else_branch = b () => (float[N,16] o) { u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  o = ORDER }"
)


@pytest.mark.parametrize("more", [", bool c", ", bool[1] f"])
def test_where_both_branches_draw_the_sites_of_both_are_measured(more: str) -> None:
    scaled = BOTH.replace("o = ORDER", "k = Div(x, q)  o = Mul(k, m)")
    cast = "c = Cast<to = 9>(f)  " if "f" in more else ""
    report = report_of(f"{cast}y = If(c) <{scaled}>", more)
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    assert len(report.sites) == 2
    assert all(site.keep_prob is not None for site in report.sites)
    assert not codes(report) & {"DA105", "DA203", "DA901"}


def test_a_fault_in_either_of_two_branches_that_draw_is_seen() -> None:
    report = report_of(f"y = If(c) <{BOTH.replace('ORDER', 'Mul(x, m)')}>", ", bool c")
    assert "DA301" in codes(report)
    served = report_of(f"y = If(c) <{BOTH.replace('ORDER', 'Mul(x, m)')}>", ", bool c", Role.INFERENCE)
    (active,) = [finding for finding in served.findings if finding.code == "DA103"]
    assert len(active.evidence["sites"]) == 2


def test_branches_that_cannot_both_be_computed_are_taken_one_by_one() -> None:
    """The other branch reads rows that this data does not have."""
    rows = BOTH.replace(
        "o = ORDER", "k = Mul(x, m)  i = Constant<value = int64[8] {90,91,92,93,94,95,96,97}>()  o = Gather(k, i)"
    )
    report = report_of(f"y = If(c) <{rows}>", ", bool c")
    assert {"DA901"} <= codes(report)
    assert len(report.sites) == 1
