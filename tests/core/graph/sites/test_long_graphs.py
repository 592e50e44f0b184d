"""Claims about graphs of thousands of nodes: each node is looked at so many times, however many there are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import onnx
import pytest

from dropaudit.graph.passes.selections import selection_switches
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.find import find_sites
from dropaudit.graph.sites.mode_switches import with_deciders
from dropaudit.report import Placement
from support.graphs import model

CONSTANTS = (
    "<float r = {0.5}, bool t = {1}, float two = {2}, float[2,2] w = {1.0, 0.0, 0.0, 1.0}, int64[2] s = {-1, 2}>"
)
# One step of a chain from `a` to `b`.
STEPS = {
    "operators": "b = Dropout(a, r, t)",
    "uniform chains": "u# = RandomUniformLike(a)  g# = Greater(u#, r)  m# = Cast<to = 1>(g#)  b = Mul(a, m#)",
    "factors": "f# = Mul(a, two)  d# = Dropout(f#, r, t)  b = Mul(d#, r)",
    "cells": "d# = Dropout(a, r, t)  p# = MatMul(d#, w)  b = Tanh(p#)",
    "sums": "d# = Dropout(x, r, t)  b = Add(a, d#)",
    "computed modes": "n# = Not(on)  o# = Not(n#)  b = Dropout(a, r, o#)",
    "choices": "d# = Dropout(a, r, t)  b = Where(on, d#, a)",
}


def chain(step: str, count: int, before: str = "", start: str = "x") -> onnx.ModelProto:
    """Return `count` steps one behind the other, with numbers in the place of `#`."""
    names = [start, *(f"c{number}" for number in range(count - 1)), "y"]
    lines = []
    for number in range(count):
        words = step.replace("#", str(number)).replace("(a", f"({names[number]}").replace(", a", f", {names[number]}")
        lines.append(words.replace("b = ", f"{names[number + 1]} = "))
    nodes = "\n".join([before, *lines])
    return name_nodes(
        onnx.load_from_string(model(f"g (float[N,2] x, bool on) => (float[N,2] y) {CONSTANTS} {{ {nodes} }}"))
    )


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many functions were called, which no other load of the machine changes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def looked_at(graph: onnx.ModelProto) -> tuple[GraphSite, ...]:
    sites, _ = with_deciders(graph, find_sites(graph))
    selection_switches(graph)
    return sites


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_graph_twice_as_long_takes_twice_as_many_calls(step: str) -> None:
    short, long = chain(step, 100), chain(step, 200)
    assert len(looked_at(long)) == 200
    assert calls_of(lambda: looked_at(long)) < 2.3 * calls_of(lambda: looked_at(short))


LONG = {
    "moves": "b = Identity(a)",
    "shapes": "b = Reshape(a, s)",
    "factors": "b = Mul(a, two)",
    "shifts": "b = Add(a, two)",
    "layers": "b = MatMul(a, w)",
}


@pytest.mark.parametrize("step", LONG.values(), ids=LONG.keys())
def test_a_site_before_thousands_of_operators_is_found(step: str) -> None:
    (site,) = find_sites(chain(step, 3000, before="d = Dropout(x, r, t)", start="d"))
    assert (site.source, site.placement) == ("x", Placement.INPUT)


def test_a_mask_made_of_ones_is_followed_through_thousands_of_moves() -> None:
    mask = "ones = ConstantOfShape<value = float {1.0}>(s2)  d = Dropout(ones, r, t)"
    graph = chain("b = Identity(a)", 3000, before=f"s2 = Shape(x)  {mask}", start="d")
    node = graph.graph.node[-1]
    node.output[0] = "mask"
    graph.graph.node.add(op_type="Mul", input=["x", "mask"], output=["y"], name="applied")
    (site,) = find_sites(graph)
    assert (site.name, site.source, site.declared_keep_prob) == ("applied", "x", 0.5)
