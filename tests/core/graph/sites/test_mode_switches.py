"""Claims about graph inputs that decide a truth value of the graph."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import Switch
from dropaudit.graph.sites.find import find_sites
from dropaudit.graph.sites.mode_switches import Decider, decider_of, take_in, with_deciders
from dropaudit.measure.cases.computed_modes import with_computed_modes
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from support.graphs import HEADER

CPU = choose(Provider.CPU)
CONSTANTS = "float r = {0.3}, bool off = {0}, bool t = {1}, float half = {0.5}, int64 one = {1}"


def graph(body: str, signature: str) -> onnx.ModelProto:
    text = f"{HEADER} g ({signature}) => (float[N,4] y) <{CONSTANTS}> {{ {body}  y = Dropout(x, r, mode) }}"
    return name_nodes(onnx.parser.parse_model(text))


X = "float[N,4] x"


@pytest.mark.parametrize(
    ("body", "signature", "decider"),
    [
        ("mode = Not(flag)", f"{X}, bool flag", Decider("flag", False, None)),
        ("a = Not(flag)  mode = Not(a)", f"{X}, bool flag", Decider("flag", True, None)),
        ("mode = Not(flag)", f"{X}, bool flag = {{1}}", Decider("flag", False, False)),
        ("mode = Not(flag)", f"{X}, bool flag = {{0}}", Decider("flag", False, True)),
        ("mode = And(flag, t)", f"{X}, bool flag", Decider("flag", True, None)),
        ("mode = Xor(flag, t)", f"{X}, bool flag", Decider("flag", False, None)),
        ("mode = Cast<to = 9>(flag)", f"{X}, int64 flag", Decider("flag", True, None)),
        ("mode = Equal(flag, one)", f"{X}, int64 flag", Decider("flag", True, None)),
        ("mode = Greater(flag, half)", f"{X}, float flag", Decider("flag", True, None)),
        ("mode = Less(flag, half)", f"{X}, float flag", Decider("flag", False, None)),
        ("mode = Squeeze(flag)", f"{X}, bool[1] flag", Decider("flag", True, None)),
    ],
)
def test_an_input_that_decides_by_itself_is_found_with_the_value_that_switches_on(
    body: str, signature: str, decider: Decider
) -> None:
    assert decider_of(main_scope(graph(body, signature)), "mode") == decider


TWO = f"{X}, bool flag, bool other"


@pytest.mark.parametrize(
    ("body", "signature", "values"),
    [
        ("mode = And(flag, other)", TWO, {"flag": True, "other": True}),
        ("mode = Or(flag, other)", TWO, {"flag": True, "other": True}),
        ("a = Not(other)  mode = And(flag, a)", TWO, {"flag": True, "other": False}),
        ("a = Or(flag, other)  mode = Not(a)", TWO, {"flag": False, "other": False}),
        ("a = Cast<to = 9>(other)  mode = And(flag, a)", f"{X}, bool flag, int64 other", {"flag": True, "other": True}),
    ],
)
def test_inputs_that_decide_together_are_found_with_values_whose_opposites_switch_off(
    body: str, signature: str, values: dict[str, bool]
) -> None:
    decider = decider_of(main_scope(graph(body, signature)), "mode")
    assert decider is not None
    assert decider.values_for(truth=True) == values
    assert decider.values_for(truth=False) == {name: not value for name, value in values.items()}


def test_defaults_say_what_several_inputs_decide_where_all_have_one() -> None:
    defaults = f"{X}, bool flag = {{1}}, bool other = {{1}}"
    known, unknown = (
        decider_of(main_scope(graph("mode = And(flag, other)", each)), "mode")
        for each in (defaults, defaults.replace("flag = {1}", "flag"))
    )
    assert known is not None
    assert known.default is True
    assert unknown is not None
    assert unknown.default is None


def test_what_decides_by_itself_goes_before_what_others_help() -> None:
    alone, together = Decider("on", True, None), Decider("on", False, None, (("more", True),))
    for order in ((alone, together), (together, alone)):
        switches: dict[str, bool] = {}
        for decider in order:
            take_in(switches, decider, truth=True)
        assert switches == {"on": True, "more": True}


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        ("mode = And(flag, off)", f"{X}, bool flag"),
        ("mode = Or(flag, t)", f"{X}, bool flag"),
        ("a = ReduceMean<keepdims = 0>(x)  mode = Greater(a, half)", X),
        ("mode = Xor(flag, other)", f"{X}, bool flag, bool other"),
        ("a = Greater(other, half)  mode = And(flag, a)", f"{X}, bool flag, float other"),
    ],
    ids=["never", "always", "data", "one or the other", "a number"],
)
def test_what_no_input_decides_has_none(body: str, signature: str) -> None:
    assert decider_of(main_scope(graph(body, signature)), "mode") is None


def test_a_computed_mode_becomes_an_input_that_switches() -> None:
    model = graph("mode = Not(flag)", f"{X}, bool flag")
    before = find_sites(model)
    assert [site.switch for site in before] == [Switch.COMPUTED]
    (site,), switches = with_deciders(model, before)
    assert (site.switch, site.switch_input) == (Switch.INPUT, "flag")
    assert switches == {"flag": False}


def test_a_computed_mode_with_a_default_is_on_where_the_default_makes_it_so() -> None:
    for default, on in ((0, True), (1, False)):
        model = graph("mode = Not(flag)", f"{X}, bool flag = {{{default}}}")
        (site,), _ = with_deciders(model, find_sites(model))
        assert (site.switch, site.default_on) == (Switch.DEFAULT, on)


@pytest.mark.parametrize(("value", "switch"), [(2.0, Switch.ON), (-2.0, Switch.OFF)])
def test_a_mode_that_data_decides_is_what_a_run_makes_of_it(value: float, switch: Switch) -> None:
    model = graph("a = ReduceMean<keepdims = 0>(x)  mode = Greater(a, half)", X)
    feeds = {"x": np.full((3, 4), value, dtype=np.float32)}
    (site,) = with_computed_modes(model, find_sites(model), feeds, CPU)
    assert site.switch is switch


def test_modes_that_are_known_are_not_looked_at() -> None:
    model = graph("mode = Identity(t)", X)
    sites = find_sites(model)
    assert with_computed_modes(model, sites, {}, CPU) == sites
