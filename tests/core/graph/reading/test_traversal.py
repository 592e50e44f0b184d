from __future__ import annotations

import pytest
from onnx import parser

from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.graph.reading.traversal import (
    depends_on,
    downstream,
    marks_before,
    marks_behind,
    once_for_each_scope,
    upstream,
    walk,
)

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


def test_the_marks_of_all_nodes_before_a_tensor_are_joined(diamond: Scope) -> None:
    found = marks_before(diamond, lambda node: {"left": 1, "right": 2, "beside": 4}.get(node.name, 0))
    assert found == {"a": 0, "b": 1, "c": 2, "y": 3, "d": 4}


def test_the_marks_of_all_nodes_behind_a_tensor_are_joined(diamond: Scope) -> None:
    found = marks_behind(diamond, lambda node: {"left": 1, "right": 2, "joined": 4}.get(node.name, 0))
    assert found == {"x": 7, "a": 7, "b": 4, "c": 4}


def test_marks_behind_come_through_the_nodes_that_pass_them_and_from_tensors_themselves(diamond: Scope) -> None:
    found = marks_behind(diamond, lambda _: 0, passes=lambda node, _: node.op_type != "Neg", own={"b": 1, "c": 2})
    assert found == {"b": 1, "c": 2, "a": 2, "x": 2}


def test_a_tensor_depends_on_the_nodes_before_it_and_on_no_others(diamond: Scope) -> None:
    on = {node.name for node in diamond.graph.node if depends_on(diamond, "y", node)}
    assert on == {"first", "left", "right", "joined"}
    assert not any(depends_on(diamond, "x", node) for node in diamond.graph.node)


def test_a_node_whose_body_captures_a_tensor_depends_on_it(captured: Scope) -> None:
    assert all(depends_on(captured, "y", node) for node in captured.graph.node)
    assert marks_behind(captured, lambda node: int(node.name == "choice")) == {"t": 1, "a": 1, "x": 1}


def test_what_is_made_of_a_scope_is_made_once_and_goes_with_it(diamond: Scope, captured: Scope) -> None:
    made = list[str]()

    @once_for_each_scope
    def name(scope: Scope) -> str:
        made.append(scope.graph.name)
        return scope.graph.name

    assert [name(diamond), name(captured), name(diamond)] == ["diamond", "captured", "diamond"]
    assert made == ["diamond", "captured"]
    assert name(main_scope(parser.parse_model(DIAMOND))) == "diamond"
    assert made == ["diamond", "captured", "diamond"]
