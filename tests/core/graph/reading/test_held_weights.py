"""Claims about large weights: held once, whatever models and sessions are made of an artifact."""

from __future__ import annotations

import gc

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.reading.constants import values_of
from dropaudit.graph.reading.held_weights import held_values, with_weights_held
from dropaudit.measure.case import read
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session, nodes_of_default_session
from support.graphs import dense

CPU = choose(Provider.CPU)
WEIGHTS = np.random.default_rng(0).standard_normal((2048, 4096)).astype(np.float32) / 64
X = {"x": np.random.default_rng(1).standard_normal((2, 2048)).astype(np.float32)}


@pytest.fixture(scope="module")
def content() -> bytes:
    """x -> MatMul -> Dropout -> Relu -> y, of 32 MiB."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="product"),
        helper.make_node("Dropout", ["h", "ratio", "training"], ["d"], name="dropout"),
        helper.make_node("Relu", ["d"], ["y"], name="relu"),
    ]
    given = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 2048])
    made = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 4096])
    constants = {"w": WEIGHTS, "ratio": np.float32(0.3), "training": np.bool_(True)}
    graph = helper.make_graph(
        nodes, "g", [given], [made], [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    found: bytes = model.SerializeToString()
    return found


def test_a_model_refers_to_its_large_weights_and_their_values_are_known(content: bytes) -> None:
    draft = read(content)
    assert draft.proto.ByteSize() < 10_000
    assert np.array_equal(values_of(draft.proto.graph.initializer[0]), WEIGHTS)


def test_small_models_hold_their_own_weights() -> None:
    assert read(dense("y = Dropout(x, r, t)")).weights == ()


def test_weights_are_let_go_with_the_artifact(content: bytes) -> None:
    draft = read(content)
    proto = draft.proto
    assert held_values(proto.graph.initializer[0]) is not None
    del draft
    gc.collect()
    assert held_values(proto.graph.initializer[0]) is None


def test_a_session_of_a_model_that_refers_to_weights_answers_as_one_that_holds_them(content: bytes) -> None:
    whole, light = onnx.load_from_string(content), onnx.load_from_string(content)
    weights = with_weights_held(light)
    assert len(weights) == 1
    masks = []
    for model in (whole, light):
        session = Session(model, CPU, np.random.default_rng(7))
        found = session.run(X, ["y"])["y"]
        masks.append(found != 0)
        np.testing.assert_allclose(found[found != 0], (X["x"] @ WEIGHTS / 0.7)[found != 0], rtol=1e-3, atol=1e-4)
    assert np.array_equal(*masks)


def test_what_a_default_session_leaves_is_the_same(content: bytes) -> None:
    light = onnx.load_from_string(content)
    weights = with_weights_held(light)
    assert weights
    assert nodes_of_default_session(light, CPU) == nodes_of_default_session(onnx.load_from_string(content), CPU)


def test_weights_that_nothing_reads_are_no_reason_to_refuse_a_model(content: bytes) -> None:
    model = onnx.load_from_string(content)
    model.graph.initializer.append(numpy_helper.from_array(WEIGHTS, "unused"))
    weights = with_weights_held(model)
    assert len(weights) == 2
    assert Session(model, CPU, np.random.default_rng(7)).run(X, ["y"])["y"].shape == (2, 4096)
    assert nodes_of_default_session(model, CPU)


def test_an_audit_of_a_large_model_reports_its_bytes_and_site(content: bytes) -> None:
    report = audit(ArtifactSubject(content, Role.TRAIN, X), Plan(provider=Provider.CPU, max_replicates=256))
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.keep_prob.lower < 0.7 < site.keep_prob.upper
    assert report.execution.artifacts[0].bytes == len(content)
