"""Claims about recurrent operators whose states have another batch than their data, which CUDA does not check."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from dropaudit.runtime.checked_states import with_checked_states
from dropaudit.subjects import Array

HIDDEN, FEATURES, STEPS = 3, 2, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
RANDOM = np.random.default_rng(0)


def tensor(*shape: int) -> Array:
    return RANDOM.standard_normal(shape).astype(np.float32)


def recurrent(operator: str, *, states: bool = True, lengths: bool = True) -> onnx.ModelProto:
    """A layer whose states and lengths are inputs of any batch."""
    gates = GATES[operator] * HIDDEN
    weights = {"w": tensor(1, gates, FEATURES), "r": tensor(1, gates, HIDDEN), "b": tensor(1, 2 * gates)}
    inputs = ["x", *weights, "lengths" if lengths else ""]
    inputs += (["h", "c"] if operator == "LSTM" else ["h"]) if states else []
    node = helper.make_node(operator, inputs, ["y"], hidden_size=HIDDEN, name="layer")
    kinds = {"x": (TensorProto.FLOAT, 3), "lengths": (TensorProto.INT32, 1), "h": (TensorProto.FLOAT, 3)}
    kinds["c"] = kinds["h"]
    values = [
        helper.make_tensor_value_info(name, kinds[name][0], [None] * kinds[name][1]) for name in inputs if name in kinds
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph([node], "g", values, [output], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def feeds(model: onnx.ModelProto, data: int, given: int) -> dict[str, Array]:
    """Data of one batch, states and lengths of another."""
    known = {
        "x": tensor(STEPS, data, FEATURES),
        "lengths": np.full(given, STEPS, dtype=np.int32),
        "h": tensor(1, given, HIDDEN),
        "c": tensor(1, given, HIDDEN),
    }
    return {value.name: known[value.name] for value in model.graph.input}


def run(model: onnx.ModelProto, values: dict[str, Array]) -> Array:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found: Array = session.run(None, values)[0]
    return found


@pytest.mark.parametrize("operator", GATES)
def test_states_of_the_right_batch_are_taken_as_they_are(operator: str) -> None:
    model = recurrent(operator)
    values = feeds(model, 5, 5)
    assert np.array_equal(run(with_checked_states(model), values), run(model, values))


@pytest.mark.parametrize("operator", GATES)
@pytest.mark.parametrize(("states", "lengths"), [(True, False), (False, True)])
@pytest.mark.parametrize("given", [2, 6])
def test_states_and_lengths_of_another_batch_are_refused_by_what_comes_before(
    operator: str, states: bool, lengths: bool, given: int
) -> None:
    """Not by the operator, whose kernel on CUDA does not look."""
    model = recurrent(operator, states=states, lengths=lengths)
    with pytest.raises(Exception, match="Expand"):
        run(with_checked_states(model), feeds(model, 3, given))


@pytest.mark.parametrize("operator", GATES)
def test_one_state_serves_a_whole_batch(operator: str) -> None:
    model = recurrent(operator)
    values = feeds(model, 3, 1)
    given = {
        name: value if name == "x" else np.repeat(value, 3, axis=-2 if value.ndim > 1 else 0)
        for name, value in values.items()
    }
    assert np.array_equal(run(with_checked_states(model), values), run(model, given))


def test_operators_in_bodies_are_checked_too() -> None:
    branch = recurrent("GRU", lengths=False).graph
    body = helper.make_graph(list(branch.node), "body", [], list(branch.output), list(branch.initializer))
    choice = helper.make_node("If", ["flag"], ["z"], then_branch=body, else_branch=body, name="choice")
    inputs = [*branch.input, helper.make_tensor_value_info("flag", TensorProto.BOOL, [])]
    output = helper.make_tensor_value_info("z", TensorProto.FLOAT, [None] * 4)
    graph = helper.make_graph([choice], "g", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    values = {"x": tensor(STEPS, 3, FEATURES), "h": tensor(1, 2, HIDDEN), "flag": np.array(True)}
    with pytest.raises(Exception, match="Expand"):
        run(with_checked_states(model), values)


def test_a_model_without_given_states_is_left_alone() -> None:
    model = recurrent("LSTM", states=False, lengths=False)
    assert with_checked_states(model) is model
