"""Claims about a Where by which a graph input chooses between the modes: it is a switch, as an If would be."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import ArrayLike

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.passes.selections import selected, selecting_conditions, selection_switches
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.deciders import OFF, ON, Positions
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import CHAIN, Q, X, graph

PLAN = Plan(provider=Provider.CPU)


def model(body: str, more: str = ", bool on", **constants: ArrayLike) -> onnx.ModelProto:
    body = body if "= Mul(x, k)" in body else f"s = Div(x, q)  d = Mul(s, m)  {body}"
    return name_nodes(graph(f"{CHAIN}  {body}", inputs=f"{X}{more}", constants={"q": Q, **constants}))


def report_of(proto: onnx.ModelProto, role: Role) -> Report:
    return audit(ArtifactSubject(proto.SerializeToString(), role), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


SWITCHED = {
    "on": ("y = Where(on, d, x)", ", bool on", ON),
    "off": ("y = Where(off, x, d)", ", bool off", OFF),
    "not": ("n = Not(off)  y = Where(n, d, x)", ", bool[1] off", OFF),
    "number": ("n = Cast<to = 9>(on)  y = Where(n, d, x)", ", int64 on", ON),
    "mask": ("v = Div(m, q)  k = Where(on, v, one)  y = Mul(x, k)", ", bool on", ON),
}


@pytest.mark.parametrize(("body", "more", "value"), SWITCHED.values(), ids=SWITCHED)
def test_the_input_that_selects_what_is_dropped_is_the_switch(body: str, more: str, value: Positions) -> None:
    proto = model(body, more, one=1.0)
    assert selection_switches(proto) == {more.split()[-1]: value}
    assert len(selecting_conditions(proto)) == 1
    trained, served = report_of(proto, Role.TRAIN), report_of(proto, Role.INFERENCE)
    assert (trained.verdict, codes(trained)) == (Verdict.PASS, set())
    assert (served.verdict, codes(served)) == (Verdict.PASS, set())


TOGETHER = {
    "both": ("c = And(on, more)  y = Where(c, d, x)", {"on": ON, "more": ON}),
    "either": ("c = Or(on, more)  y = Where(c, d, x)", {"on": ON, "more": ON}),
    "one and not the other": ("n = Not(more)  c = And(on, n)  y = Where(c, d, x)", {"on": ON, "more": OFF}),
    "neither": ("c = Or(on, more)  y = Where(c, x, d)", {"on": OFF, "more": OFF}),
}


@pytest.mark.parametrize(("body", "values"), TOGETHER.values(), ids=TOGETHER)
def test_inputs_that_select_together_are_switches(body: str, values: dict[str, Positions]) -> None:
    proto = model(body, ", bool on, bool more")
    assert selection_switches(proto) == values
    trained, served = report_of(proto, Role.TRAIN), report_of(proto, Role.INFERENCE)
    assert len(trained.sites) == 1
    assert (trained.verdict, codes(trained)) == (Verdict.PASS, set())
    assert (served.verdict, codes(served)) == (Verdict.PASS, set())


def test_what_inputs_that_select_together_leave_unscaled_is_seen() -> None:
    proto = model("e = Mul(d, q)  c = And(on, more)  y = Where(c, e, x)", ", bool on, bool more")
    assert "DA301" in codes(report_of(proto, Role.TRAIN))


def test_what_is_dropped_in_both_choices_is_active_at_inference() -> None:
    proto = model("e = Neg(d)  c = And(on, more)  y = Where(c, d, e)", ", bool on, bool more")
    assert "DA103" in codes(report_of(proto, Role.INFERENCE))


OTHERS = {
    "nothing drawn in either": ("g = Neg(x)  h = Where(on, x, g)  y = Mul(h, m)", ", bool on"),
    "drawn alike in both": ("g = Neg(d)  y = Where(on, d, g)", ", bool on"),
    "a choice for each element": ("y = Where(on, d, x)", ", bool[N,16] on"),
    "what is drawn chooses": ("y = Where(b, d, x)", ", bool on"),
}


@pytest.mark.parametrize(("body", "more"), OTHERS.values(), ids=OTHERS)
def test_other_choices_switch_nothing(body: str, more: str) -> None:
    assert selection_switches(model(body, more)) == {}


def test_a_default_that_selects_what_is_dropped_is_active_at_inference() -> None:
    proto = model("y = Where(on, d, x)", on=True)
    assert "DA103" in codes(report_of(proto, Role.INFERENCE))
    assert report_of(model("y = Where(on, d, x)", on=False), Role.INFERENCE).verdict is Verdict.PASS


def test_the_two_choices_are_compared_as_two_modes() -> None:
    unscaled = "e = Mul(d, q)"
    assert "DA301" in codes(report_of(model(f"{unscaled}  y = Where(on, e, x)"), Role.TRAIN))
    paper = report_of(model(f"{unscaled}  g = Mul(x, q)  y = Where(on, e, g)"), Role.TRAIN)
    assert (paper.verdict, codes(paper)) == (Verdict.PASS, {"DA304"})
    assert "DA302" in codes(report_of(model("g = Mul(x, q)  y = Where(on, d, g)"), Role.TRAIN))


@pytest.mark.parametrize("truth", [True, False])
def test_what_is_selected_keeps_the_shape_of_both(truth: bool) -> None:
    proto = graph("y = Where(on, x, row)", inputs=f"{X}, bool on", row=np.zeros(16).tolist())
    nodes = selected(proto, {"on": truth}).graph.node
    assert [node.op_type for node in nodes] == ["Shape", "Expand"]
    assert nodes[0].input[0] == ("row" if truth else "x")
    assert nodes[1].input[0] == ("x" if truth else "row")


RATES = {
    "ratio": ("r = Where(on, p, none)  d = Dropout(x, r, t)", True),
    "ratio of the other mode": ("r = Where(on, none, p)  d = Dropout(x, r, t)", False),
    "keep probability": (
        "k = Where(on, q, one)  u = RandomUniformLike(x)  b = Less(u, k)  m = Cast<to = 1>(b)  s = Div(x, k)"
        "  d = Mul(s, m)",
        True,
    ),
    "drop rate": (
        "r = Where(on, p, none)  k = Sub(one, r)  u = RandomUniformLike(x)  b = GreaterOrEqual(u, r)"
        "  m = Cast<to = 1>(b)  s = Div(x, k)  d = Mul(s, m)",
        True,
    ),
}
MASKS = {
    "kept where nothing is trained": ("u = RandomUniformLike(x)  e = Less(u, q)  b = Or(e, on)", False),
    "dropped where it trains": ("u = RandomUniformLike(x)  e = Less(u, p)  n = And(e, on)  b = Not(n)", True),
}
SCALED = "m = Cast<to = 1>(b)  f = Where({0}, one, g)  h = Mul(x, m)  d = Mul(h, f)"
NUMBERS = {"p": 1 - Q, "q": Q, "one": 1.0, "none": 0.0, "g": 1 / Q, "t": True}


def switched_by_numbers(body: str) -> onnx.ModelProto:
    return name_nodes(graph(f"{body}  y = Neg(d)", inputs=f"{X}, bool on", constants=NUMBERS))


@pytest.mark.parametrize(("body", "value"), RATES.values(), ids=RATES)
def test_the_input_that_selects_a_rate_or_none_is_the_switch(body: str, value: bool) -> None:
    proto = switched_by_numbers(body)
    assert selection_switches(proto) == {"on": ON if value else OFF}
    trained, served = report_of(proto, Role.TRAIN), report_of(proto, Role.INFERENCE)
    assert codes(trained) <= {"DA102", "DA405"}
    assert [site.declared_keep_prob for site in trained.sites] == [pytest.approx(Q)]
    assert (served.verdict, codes(served)) == (Verdict.PASS, set())


@pytest.mark.parametrize(("body", "value"), MASKS.values(), ids=MASKS)
def test_the_input_that_lets_a_draw_through_is_the_switch(body: str, value: bool) -> None:
    off = "n2 = Not(on)" if value else "n2 = Identity(on)"
    proto = switched_by_numbers(f"{body}  {off}  {SCALED.format('n2')}")
    assert selection_switches(proto) == {"on": ON if value else OFF}
    trained, served = report_of(proto, Role.TRAIN), report_of(proto, Role.INFERENCE)
    assert (trained.verdict, codes(trained)) == (Verdict.PASS, set())
    assert (served.verdict, codes(served)) == (Verdict.PASS, set())
    unscaled = switched_by_numbers(f"{body}  m = Cast<to = 1>(b)  d = Mul(x, m)")
    assert "DA301" in codes(report_of(unscaled, Role.TRAIN))


def test_two_rates_that_both_drop_switch_nothing() -> None:
    assert selection_switches(switched_by_numbers("r = Where(on, p, q)  d = Dropout(x, r, t)")) == {}


def test_a_number_that_is_no_rate_switches_nothing() -> None:
    assert selection_switches(switched_by_numbers("f = Where(on, p, none)  e = Dropout(x, q, t)  d = Mul(e, f)")) == {}
