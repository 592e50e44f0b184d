"""Claims about the interpreter that the truth of spellings rests on: ONNX's definitions, and what seeds mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import parser

from dropaudit_evaluation.spellings.generate import spelling
from dropaudit_evaluation.spellings.grammar.laws import MONOTONE, normal, uniform
from dropaudit_evaluation.spellings.numbers.interpreter import Interpreter
from dropaudit_evaluation.spellings.numbers.streams import Streams

REPLICATES = 4000


def run(body: str, replicates: int = REPLICATES, **feeds: Any) -> np.ndarray[Any, Any]:
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g (float[4] x) => (float[4] y) {{ {body} }}')
    given = {"x": np.ones(4, np.float32)} | feeds
    (output,) = Interpreter(model, Streams(replicates, np.random.default_rng(0))).run(given)
    return output


def test_a_dropout_operator_keeps_one_minus_its_ratio_and_scales_in_float32() -> None:
    y = run("r = Constant<value = float {0.3}>()  t = Constant<value = bool {1}>()  y = Dropout(x, r, t)")
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / (np.float32(1) - np.float32(0.3))}
    assert abs((y != 0).mean() - 0.7) < 0.02


def test_a_dropout_operator_without_train_mode_does_nothing() -> None:
    assert np.all(run("r = Constant<value = float {0.3}>()  y = Dropout(x, r)") == 1)


def test_bernoulli_draws_a_one_with_one_minus_its_probability_as_the_runtime_does() -> None:
    q = np.full(4, 0.9, np.float32)
    assert abs(run("y = Bernoulli(x)", x=q).mean() - 0.1) < 0.02


def test_equal_seeds_draw_the_same_and_no_seeds_do_not() -> None:
    equal = run("a = RandomUniformLike<seed = 3.0>(x)  b = RandomUniformLike<seed = 3.0>(x)  y = Sub(a, b)")
    absent = run("a = RandomUniformLike(x)  b = RandomUniformLike(x)  y = Sub(a, b)")
    assert not equal.any()
    assert absent.all()


@pytest.mark.parametrize("name", MONOTONE)
def test_a_monotone_function_takes_the_quantile_with_it(name: str) -> None:
    function = MONOTONE[name]
    low, high = max(function.within[0], -3.0), min(function.within[1], 5.0)
    draws = np.random.default_rng(0).uniform(low, high, 100_000)
    quantile = function.of(uniform("u", low, high), "f").quantile(0.3)
    assert abs((function.function(draws) < quantile).mean() - 0.3) < 0.01


def test_a_quantile_beyond_one_lies_where_no_draw_comes() -> None:
    assert uniform("u", -1.0, 1.0).quantile(1.2) > 1.0
    assert normal("z", 0.0, 1.0).quantile(1.2) > 8.0


def test_a_multinomial_draws_categories_with_their_chances() -> None:
    """Chances 0.2 and 0.8, given as logarithms up to a constant."""
    logarithms = np.log([[0.2, 0.8]] * 4).astype(np.float32) + 3
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[4,2] x) => (int32[4,5] y)'
        " { y = Multinomial<sample_size = 5, dtype = 6>(x) }"
    )
    (found,) = Interpreter(model, Streams(REPLICATES, np.random.default_rng(0))).run({"x": logarithms})
    assert found.shape == (REPLICATES, 4, 5)
    assert abs(found.mean() - 0.8) < 0.01


SAME = {
    "GRU": (
        "(float[3,2,4] x, float[1,12,4] w, float[1,12,4] r, float[1,24] b, float[1,2,4] h) => (float[3,1,2,4] y)",
        "y = GRU<hidden_size = 4>(x, w, r, b, , h)",
    ),
    "GRU without a first state": (
        "(float[3,2,4] x, float[1,12,4] w, float[1,12,4] r, float[1,24] b) => (float[3,1,2,4] y)",
        "y = GRU<hidden_size = 4>(x, w, r, b)",
    ),
    "pool over a square": ("(float[2,1,6,6] x) => (float[2,1,4,4] y)", "y = MaxPool<kernel_shape = [3, 3]>(x)"),
    "the place of the largest": ("(float[2,5,3] x) => (int64[2,5] y)", "y = ArgMax<axis = -1, keepdims = 0>(x)"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_interpreter_computes_what_the_runtime_computes(name: str) -> None:
    signature, body = SAME[name]
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {signature} {{ {body} }}')
    rng = np.random.default_rng(0)
    feeds = {
        info.name: rng.standard_normal([dim.dim_value for dim in info.type.tensor_type.shape.dim]).astype(np.float32)
        for info in model.graph.input
    }
    (expected,) = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        None, feeds
    )
    (found,) = Interpreter(model, Streams(1, rng)).run(feeds)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)


def deterministic(content: bytes) -> onnx.ModelProto:
    """The model with every random operator in it given a rate at which it draws nothing but one value."""
    model = onnx.load_model_from_string(content)
    for node in model.graph.node:
        if node.op_type.startswith("RandomUniform"):
            _set(node, low=0.25, high=0.25)
    return model


def _set(node: onnx.NodeProto, **values: float) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name not in values]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in values.items())


def _is_settled(model: onnx.ModelProto) -> bool:
    text = str(model)
    others = ("RandomNormal", "Bernoulli", "Multinomial", "ArgMax", '"Dropout"', "g_name")
    return not model.functions and not any(word in text for word in others) and 'op_type: "Random' in text


def test_the_interpreter_computes_what_the_runtime_computes_once_draws_are_settled() -> None:
    onnxruntime.set_default_logger_severity(3)
    rng = np.random.default_rng(0)
    compared = 0
    for number in range(150):
        model = deterministic(spelling(3, number).model)
        names = [(info.name, info.type.tensor_type) for info in model.graph.input]
        if not _is_settled(model) or any(kind.elem_type != onnx.TensorProto.FLOAT for _, kind in names):
            continue
        if any(each.op_type in ("If", "Loop", "Scan") for each in model.graph.node):
            continue
        feeds = {
            name: rng.standard_normal([dim.dim_value or 8 for dim in kind.shape.dim]).astype(np.float32)
            for name, kind in names
        }
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (expected,) = session.run(None, feeds)
        (found,) = Interpreter(model, Streams(1, rng)).run(feeds)
        np.testing.assert_allclose(found[0], expected, rtol=2e-2, atol=2e-2)
        compared += 1
    assert compared >= 20
