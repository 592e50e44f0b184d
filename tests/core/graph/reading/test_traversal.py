from __future__ import annotations

import onnx
import pytest
from onnx import parser

from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.graph.reading.traversal import ancestors, descendants, downstream, readers_of, upstream, walk

DIAMOND = """
<ir_version: 10, opset_import: ["" : 21]>
diamond (float[2] x, float[2] z) => (float[2] y) {
  [first] a = Relu(x)
  [left] b = Neg(a)
  [right] c = Abs(a)
  [joined] y = Add(b, c)
  [beside] d = Neg(z)
}
"""
CAPTURED = """
<ir_version: 10, opset_import: ["" : 21]>
captured (float[2] x, bool t) => (float[2] y) {
  [first] a = Relu(x)
  [choice] y = If(t) <then_branch = yes () => (float[2] p) { p = Neg(a) }, else_branch = no () => (float[2] q) { q = Abs(a) }>
}
"""  # noqa: E501


@pytest.fixture
def diamond() -> Scope:
    return main_scope(parser.parse_model(DIAMOND))


@pytest.fixture
def captured() -> Scope:
    return main_scope(parser.parse_model(CAPTURED))


def names(nodes: list[onnx.NodeProto]) -> set[str]:
    return {node.name for node in nodes}


def test_a_walk_yields_each_place_once_with_the_starts_and_ends_in_circles() -> None:
    ways = {1: [2, 3], 2: [1, 3], 3: [1]}
    assert list(walk([1, 1], ways.__getitem__)) == [1, 3, 2]


def test_a_walk_goes_deep_before_it_goes_wide() -> None:
    ways = {0: [1, 2], 1: [3], 2: [4], 3: [], 4: []}
    assert list(walk([0], ways.__getitem__)) == [0, 2, 4, 1, 3]


def test_a_walk_from_nowhere_is_empty() -> None:
    assert list(walk([], lambda each: [each])) == []


def test_upstream_of_a_tensor_is_what_it_is_made_of(diamond: Scope) -> None:
    assert set(upstream(diamond.producers.get, ["y"])) == {"y", "b", "c", "a", "x"}


def test_upstream_yields_a_tensor_at_which_it_stops_and_nothing_behind(diamond: Scope) -> None:
    assert set(upstream(diamond.producers.get, ["y"], stops=lambda name: name in ("b", "c"))) == {"y", "b", "c"}


def test_upstream_goes_through_what_bodies_capture_unless_told_otherwise(captured: Scope) -> None:
    assert set(upstream(captured.producers.get, ["y"])) == {"y", "t", "a", "x"}
    assert set(upstream(captured.producers.get, ["y"], inputs=lambda node: node.input)) == {"y", "t"}


def test_downstream_of_a_tensor_is_what_is_made_of_it(diamond: Scope) -> None:
    assert set(downstream(diamond.consumers, ["x"])) == {"x", "a", "b", "c", "y"}


def test_downstream_passes_only_the_nodes_it_may(diamond: Scope) -> None:
    found = downstream(diamond.consumers, ["a"], passes=lambda node, name: node.op_type == "Neg" and name == "a")
    assert set(found) == {"a", "b"}


def test_ancestors_and_descendants_are_each_named_once(diamond: Scope) -> None:
    above, below = ancestors(diamond, "y"), descendants(diamond, "x")
    assert names(above) == names(below) == {"first", "left", "right", "joined"}
    assert len(above) == len(below) == 4


def test_a_node_whose_body_captures_a_tensor_depends_on_it(captured: Scope) -> None:
    assert names(descendants(captured, "x")) == {"first", "choice"}
    assert names(ancestors(captured, "y")) == {"first", "choice"}


def test_the_tensor_of_no_node_has_neither(diamond: Scope) -> None:
    assert ancestors(diamond, "x") == descendants(diamond, "y") == []


def test_readers_of_several_tensors_are_named_once(diamond: Scope) -> None:
    assert names(readers_of(diamond, ["b", "c"])) == {"joined"}
    assert len(readers_of(diamond, ["b", "c"])) == 1
