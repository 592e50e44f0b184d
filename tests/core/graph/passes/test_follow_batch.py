"""Claims about batches that an exporter wrote into constants: they are freed, and the answers stay."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.passes.follow_batch import Choice, following
from dropaudit.graph.passes.free_axis import freed
from dropaudit.measure.case import read
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session
from support.graphs import model

CPU = choose(Provider.CPU)
HEADER = "g (float[5,6] x) => (float[5,6] y) <float r = {0.3}, bool t = {1}, float q = {0.7}"
SHAPES = {
    "a shape": f"{HEADER}, int64[3] s = {{5, 2, 3}}, int64[2] f = {{5, 6}}>"
    "{ a = Reshape(x, s)  h = Tanh(a)  b = Reshape(h, f)  y = Dropout(b, r, t) }",
    "a multiple": f"{HEADER}, int64[2] s = {{10, 3}}, int64[2] f = {{5, 6}}>"
    "{ a = Reshape(x, s)  h = Tanh(a)  b = Reshape(h, f)  y = Dropout(b, r, t) }",
    "put together": f"{HEADER}, int64 n = {{5}}, int64 m = {{6}}, int64[1] z = {{0}}>"
    "{ a = Unsqueeze(n, z)  b = Unsqueeze(m, z)  s = Concat<axis = 0>(a, b)  h = Reshape(x, s)  y = Dropout(h, r, t) }",
    "zeros": f"{HEADER}, int64[2] s = {{5, 6}}> {{ z = ConstantOfShape(s)  h = Add(x, z)  y = Dropout(h, r, t) }}",
    "expanded": f"{HEADER}, int64[2] s = {{5, 6}}> {{ z = Expand(q, s)  h = Mul(x, z)  y = Dropout(h, r, t) }}",
    "a draw": f"{HEADER}>{{ u = RandomUniform<shape = [5, 6]>()  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m) }}",
    "a constant": f"{HEADER}, float[5,1] c = {{2, 2, 2, 2, 2}}> {{ h = Mul(x, c)  y = Dropout(h, r, t) }}",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_replicates_are_drawn_together_where_only_constants_fix_the_batch(text: str) -> None:
    report = audit(ArtifactSubject(model(text), Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=256))
    assert report.execution.sampling == "tiled"
    assert report.outputs[0].shape == (5, 6)


# The softmax ties features together: they are no batch either.
UNLIKE = {
    "a constant that differs along the batch": f"{HEADER}, float[5,1] c = {{1, 2, 3, 4, 5}}>"
    "{ h = Mul(x, c)  n = Softmax(h)  y = Dropout(n, r, t) }",
    "a mask that the batch shares": f"{HEADER}, int64[2] s = {{5, 6}}>"
    "{ a = Reshape(x, s)  n = Softmax(a)"
    "  u = RandomUniform<shape = [1, 6]>()  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(n, m) }",
    "entries that meet": f"{HEADER}, int64[2] s = {{5, 6}}>"
    "{ a = Reshape(x, s)  m = Softmax<axis = 0>(a)  n = Softmax(m)  y = Dropout(n, r, t) }",
}


@pytest.mark.parametrize("text", UNLIKE.values(), ids=UNLIKE.keys())
def test_what_is_no_batch_of_independent_entries_does_not_lie_side_by_side(text: str) -> None:
    report = audit(ArtifactSubject(model(text), Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=64))
    assert report.execution.sampling == "looped"


def test_the_first_of_several_like_extents_is_taken_and_then_the_last() -> None:
    text = f"{HEADER}, int64[3] s = {{5, 5, 1}}> {{ a = Reshape(x, s)  y = Dropout(a, r, t) }}"
    proto = read(model(text)).proto
    joined = []
    for place in (0, -1):
        found = following(proto, {"x": 0}, Choice(place=place))
        assert found is not None
        (concat,) = (node for node in found.graph.node if node.op_type == "Concat")
        joined.append([name.endswith("extent") for name in concat.input])
    assert joined == [[True, False], [False, True, False]]


def test_a_model_without_such_constants_is_left_alone() -> None:
    assert following(read(model(f"{HEADER}> {{ y = Dropout(x, r, t) }}")).proto, {"x": 0}, Choice()) is None


def test_extents_in_a_body_do_not_decide_how_much_memory_a_step_has() -> None:
    """ONNX Runtime wrote the states of twenty entries into memory for the five that the body had declared."""
    body = helper.make_graph(
        [helper.make_node("Add", ["h", "x"], ["next"], name="add"), helper.make_node("Identity", ["next"], ["out"])],
        "body",
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [5, 3]) for name in ("h", "x")],
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [5, 3]) for name in ("next", "out")],
    )
    scan = helper.make_node("Scan", ["zeros", "x"], ["last", "y"], name="scan", body=body, num_scan_inputs=1)
    graph = helper.make_graph(
        [scan],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4, 5, 3])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4, 5, 3])],
        [numpy_helper.from_array(np.zeros((5, 3), dtype=np.float32), "zeros")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    found = following(proto, {"x": 1}, Choice())
    assert found is not None
    x = np.random.default_rng(0).standard_normal((4, 20, 3)).astype(np.float32)
    session = Session(freed(found, {"x": 1}), CPU, np.random.default_rng(0))
    assert session.run({"x": x}, ["y"])["y"] == pytest.approx(np.cumsum(x, axis=0), abs=1e-5)
