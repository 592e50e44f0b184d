"""Claims about graph inputs that switch a mode."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import Switch
from dropaudit.graph.sites.deciders import OFF, ON, Decider, Positions
from dropaudit.graph.sites.find import find_sites
from dropaudit.graph.sites.mode_switches import take_in, with_deciders
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


def test_what_decides_by_itself_goes_before_what_others_help() -> None:
    alone, together = Decider("on", ON, None), Decider("on", OFF, None, (("more", ON),))
    for order in ((alone, together), (together, alone)):
        switches: dict[str, Positions] = {}
        for decider in order:
            take_in(switches, decider, truth=True)
        assert switches == {"on": ON, "more": ON}


def test_a_computed_mode_becomes_an_input_that_switches() -> None:
    model = graph("mode = Not(flag)", f"{X}, bool flag")
    before = find_sites(model)
    assert [site.switch for site in before] == [Switch.COMPUTED]
    (site,), switches = with_deciders(model, before)
    assert (site.switch, site.switch_input) == (Switch.INPUT, "flag")
    assert switches == {"flag": OFF}


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
