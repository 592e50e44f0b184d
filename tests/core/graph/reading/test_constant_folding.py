"""Claims about what operators make of constants: what ONNX's own definitions make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from dropaudit.graph.reading.constant_folding import fold
from dropaudit.graph.reading.constants import constants_of

OPSET = 17
# The first version that the reference implements, where that is a later one of the same meaning.
IMPLEMENTED = {"DequantizeLinear": 19}
RNG = np.random.default_rng(3)

Values = NDArray[Any]
Case = tuple[str, list[Values], dict[str, Any]]


def floats(*shape: int, dtype: type = np.float32) -> Values:
    return np.asarray(3 * RNG.standard_normal(shape)).astype(dtype)


def positive(*shape: int, dtype: type = np.float32) -> Values:
    return np.asarray(0.1 + RNG.random(shape)).astype(dtype)


def whole(*shape: int) -> Values:
    """Return numbers of either sign, none of them zero."""
    return np.asarray(RNG.integers(1, 8, shape) * RNG.choice([-1, 1], shape))


def truths(*shape: int) -> Values:
    return np.asarray(RNG.random(shape) < 0.5)


def bits(*shape: int) -> Values:
    return RNG.integers(0, 256, shape).astype(np.uint8)


def ints(*numbers: int) -> Values:
    return np.array(numbers, dtype=np.int64)


def number(value: float | bool, dtype: type = np.float32) -> Values:
    return np.array(value, dtype=dtype)


ONE_OPERAND = (
    "Abs",
    "Neg",
    "Sign",
    "Floor",
    "Ceil",
    "Round",
    "Exp",
    "Tanh",
    "Relu",
    "Sigmoid",
    "Identity",
    "Reciprocal",
)
# ReduceSum takes its axes as an input.
REDUCTIONS = (
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum",
    "ReduceLogSumExp",
)
TYPES: tuple[type, ...] = (np.float16, np.float32, np.float64)
CASES: list[Case] = [
    *((operator, [floats(3, 4, dtype=dtype)], {}) for operator in ONE_OPERAND for dtype in TYPES),
    *((operator, [positive(3, 4, dtype=dtype)], {}) for operator in ("Sqrt", "Log") for dtype in TYPES),
    *((operator, [whole(3, 4)], {}) for operator in ("Abs", "Neg", "Sign", "Identity")),
    *(
        (operator, [positive(3, 4, dtype=dtype), floats(4, dtype=dtype)], {})
        for operator in ("Add", "Sub", "Mul", "Div", "Pow")
        for dtype in TYPES
    ),
    *((operator, [whole(3, 4), whole(4)], {}) for operator in ("Add", "Sub", "Mul", "Div", "Mod")),
    *((operator, [truths(3, 4), truths(4)], {}) for operator in ("And", "Or", "Xor", "Equal")),
    *(
        (operator, [values(3, 4), values(4)], {})
        for operator in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
        for values in (whole, floats)
    ),
    *((operator, [floats(3, 4), floats(4), floats(3, 1)], {}) for operator in ("Min", "Max", "Sum", "Mean")),
    *((f"Bitwise{name}", [bits(3, 4), bits(4)], {}) for name in ("And", "Or", "Xor")),
    ("BitwiseNot", [bits(3, 4)], {}),
    *(("BitShift", [bits(3, 4), bits(4) % 8], {"direction": direction}) for direction in ("LEFT", "RIGHT")),
    *(("CastLike", [floats(3), like], {}) for like in (whole(1), truths(1), floats(1, dtype=np.float16))),
    *(("Flatten", [floats(2, 3, 4)], {"axis": axis}) for axis in (0, 1, 2, 3, -1)),
    ("Flatten", [floats(2, 3)], {}),
    ("Round", [np.array([0.5, 1.5, 2.5, -0.5, -1.5], dtype=np.float32)], {}),
    ("Not", [truths(5)], {}),
    ("Pow", [floats(3, 4), ints(2)], {}),
    ("Pow", [np.abs(whole(3, 4)), number(2.0)], {}),
    ("Mod", [floats(3, 4), floats(4)], {"fmod": 1}),
    ("Mod", [whole(3, 4), whole(4)], {"fmod": 1}),
    ("Where", [truths(3, 4), floats(4), floats(3, 1)], {}),
    ("Where", [truths(3, 1), whole(3, 4), whole()], {}),
    ("Min", [floats(3, 4)], {}),
    ("Max", [whole(3, 4), whole(4)], {}),
    ("Reshape", [floats(3, 4), ints(2, -1)], {}),
    ("Reshape", [floats(3, 4), ints(0, 2, 2)], {}),
    ("Expand", [floats(3, 1), ints(2, 1, 4)], {}),
    ("Expand", [floats(), ints(2, 3)], {}),
    ("Tile", [floats(2, 3), ints(2, 3)], {}),
    ("Range", [number(0, np.int64), number(7, np.int64), number(2, np.int64)], {}),
    ("Range", [number(7, np.int64), number(0, np.int64), number(-2, np.int64)], {}),
    ("Range", [number(1), number(2), number(0.25)], {}),
    ("Shape", [floats(2, 3, 4)], {}),
    ("Shape", [floats(2, 3, 4)], {"start": 1}),
    ("Shape", [floats(2, 3, 4)], {"start": -2, "end": -1}),
    ("Size", [floats(2, 3)], {}),
    *(("Cast", [floats(3, 4)], {"to": to}) for to in (6, 7, 9, 10, 11)),
    ("Cast", [truths(3)], {"to": 1}),
    ("Cast", [whole(3)], {"to": 1}),
    ("Clip", [floats(3, 4), number(-1), number(1)], {}),
    ("Clip", [floats(3, 4), number(-1)], {}),
    ("Clip", [floats(3, 4)], {}),
    ("Clip", [whole(5), number(-1, np.int64), number(3, np.int64)], {}),
    ("ConstantOfShape", [ints(2, 3)], {}),
    ("ConstantOfShape", [ints()], {}),
    ("ConstantOfShape", [ints(2, 3)], {"value": numpy_helper.from_array(ints(4))}),
    ("Squeeze", [floats(1, 3, 1)], {}),
    ("Squeeze", [floats(1, 3, 1), ints(0)], {}),
    ("Squeeze", [floats(1, 3, 1), ints(-1, 0)], {}),
    ("Unsqueeze", [floats(3), ints(0, 2)], {}),
    ("Unsqueeze", [floats(3), ints(-1)], {}),
    ("Transpose", [floats(2, 3, 4)], {}),
    ("Transpose", [floats(2, 3, 4)], {"perm": [1, 2, 0]}),
    ("Concat", [floats(2, 3), floats(2, 1)], {"axis": -1}),
    ("Concat", [floats(2, 3), floats(1, 3)], {"axis": 0}),
    ("Gather", [floats(4, 3), ints(1, -1)], {}),
    ("Gather", [floats(4, 3), number(2, np.int64)], {"axis": 1}),
    ("Gather", [floats(4, 3), np.array([[0, 1], [2, 0]])], {"axis": 1}),
    ("Slice", [floats(5, 6), ints(1), ints(4)], {}),
    ("Slice", [floats(5, 6), ints(1, -3), ints(100, 100), ints(0, 1)], {}),
    ("Slice", [floats(5, 6), ints(0), ints(-1), ints(-1), ints(2)], {}),
    ("QuantizeLinear", [floats(3, 4), number(0.05), number(128, np.uint8)], {}),
    ("QuantizeLinear", [floats(3, 4), number(0.01), number(-3, np.int8)], {}),
    ("QuantizeLinear", [positive(3, 4), number(0.05)], {}),
    ("DequantizeLinear", [np.arange(0, 250, 7).astype(np.uint8), number(0.05), number(128, np.uint8)], {}),
    ("DequantizeLinear", [np.arange(-100, 100, 7).astype(np.int8), number(0.05)], {}),
    *((operator, [floats(3, 4)], {}) for operator in ("Softplus", "Softsign", "Erf", "Sin", "Cos", "Tan", "Atan")),
    ("Mean", [floats(3, 4), floats(4), floats(3, 1)], {}),
    ("CastLike", [whole(3, 4), floats(1)], {}),
    *(("Flatten", [floats(2, 3, 4)], {"axis": axis}) for axis in (0, 1, 2, 3, -1)),
    *(
        (operator, [positive(2, 3, 4)], {**attributes, "keepdims": keepdims})
        for operator in REDUCTIONS
        for attributes in ({}, {"axes": [1]}, {"axes": [-1, 0]})
        for keepdims in (0, 1)
    ),
    ("ReduceSum", [floats(2, 3, 4)], {}),
    ("ReduceSum", [floats(2, 3, 4), ints(0, 2)], {"keepdims": 0}),
    ("ReduceSum", [floats(2, 3, 4)], {"noop_with_empty_axes": 1}),
    *(("ReduceMax", [whole(3, 4)], {"axes": [axis]}) for axis in (0, 1)),
    ("MatMul", [floats(3, 4), floats(4, 2)], {}),
    ("MatMul", [floats(5, 3, 4), floats(4)], {}),
    ("Gemm", [floats(3, 4), floats(4, 2)], {}),
    ("Gemm", [floats(4, 3), floats(2, 4), floats(2)], {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("Einsum", [floats(3, 4), floats(4, 2)], {"equation": "ij,jk->ik"}),
    *(
        (operator, [floats(3, 4, dtype=np.float64)], attributes)
        for operator in ("Softmax", "LogSoftmax")
        for attributes in ({}, {"axis": 0})
    ),
    ("Dropout", [floats(3, 4)], {}),
    ("Dropout", [floats(3, 4), number(0.5), number(False, np.bool_)], {}),
]


def described(case: Case) -> str:
    operator, values, attributes = case
    shapes = " ".join(f"{value.dtype}{list(value.shape)}" for value in values)
    return f"{operator} {shapes} {' '.join(attributes)}".strip()


def node_of(case: Case) -> onnx.NodeProto:
    operator, values, attributes = case
    return helper.make_node(operator, [f"i{number}" for number in range(len(values))], ["y"], **attributes)


def by_definition(case: Case) -> Values:
    """Return what the operator's reference implementation makes of the same values."""
    _, values, _ = case
    node = node_of(case)
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in zip(node.input, values, strict=True)
    ]
    graph = helper.make_graph([node], "g", inputs, [onnx.ValueInfoProto(name="y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", IMPLEMENTED.get(node.op_type, OPSET))])
    (found,) = ReferenceEvaluator(model).run(None, dict(zip(node.input, values, strict=True)))
    return np.asarray(found)


@pytest.mark.parametrize("case", CASES, ids=described)
def test_an_operator_is_folded_to_what_its_definition_says(case: Case) -> None:
    expected, found = by_definition(case), fold(node_of(case), case[1], OPSET)
    assert found is not None
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    # Sums are added up in another order, so that small ones among large terms differ by more of their own size.
    precision = 2e-3 if expected.dtype == np.float16 else 1e-6
    largest = float(np.max(np.abs(expected.astype(np.float64)), initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=precision, atol=precision * largest)


def test_what_would_be_large_is_not_made() -> None:
    assert fold(helper.make_node("Expand", ["x", "s"], ["y"]), [floats(1), ints(2**11, 2**11)], OPSET) is None
    assert fold(helper.make_node("ConstantOfShape", ["s"], ["y"]), [ints(2**40)], OPSET) is None
    assert fold(helper.make_node("Range", ["a", "b", "c"], ["y"]), [ints(0), ints(2**30), ints(1)], OPSET) is None
    assert fold(helper.make_node("Add", ["a", "b"], ["y"]), [floats(2**11, 2**9), floats(2**11, 2**9)], OPSET) is None
    assert fold(helper.make_node("MatMul", ["a", "b"], ["y"]), [floats(2**8, 2**8), floats(2**8)], OPSET) is None


def test_what_an_operator_refuses_is_no_constant() -> None:
    assert fold(helper.make_node("Add", ["a", "b"], ["y"]), [floats(2), floats(3)], OPSET) is None
    assert fold(helper.make_node("Reshape", ["a", "b"], ["y"]), [floats(2), ints(3)], OPSET) is None
    assert fold(helper.make_node("Gather", ["a", "b"], ["y"]), [floats(2), ints(5)], OPSET) is None


def test_an_operator_that_is_not_known_is_no_constant() -> None:
    assert fold(helper.make_node("Det", ["a"], ["y"]), [floats(2, 2)], OPSET) is None


@pytest.mark.parametrize(("opset", "last", "folded"), [(12, True, False), (12, False, True), (10, None, True)])
def test_a_dropout_passes_a_constant_on_only_where_it_never_drops(opset: int, last: bool | None, folded: bool) -> None:
    inputs = [floats(4)] if last is None else [floats(4), number(0.5), number(last, np.bool_)]
    node = helper.make_node("Dropout", [f"i{n}" for n in range(len(inputs))], ["y"])
    found = fold(node, inputs, opset)
    assert (found is not None) == folded


def test_attributes_of_older_opsets_are_read_as_attributes() -> None:
    clip = fold(helper.make_node("Clip", ["x"], ["y"], min=-1.0, max=0.5), [np.array([-3.0, 0.0, 3.0])], 10)
    assert clip is not None
    assert clip.tolist() == [-1.0, 0.0, 0.5]
    squeezed = fold(helper.make_node("Squeeze", ["x"], ["y"], axes=[0]), [floats(1, 3, 1)], 11)
    assert squeezed is not None
    assert squeezed.shape == (3, 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a = Sub(one, p)  y = Div(one, a)", 1.25),
        ("a = Sub(one, p)  y = Reciprocal(a)", 1.25),
        ("a = Sub(one, p)  b = Mul(a, a)  y = Sqrt(b)", 0.8),
        ("a = Sub(one, p)  y = Pow(a, minus)", 1.25),
        ("a = Neg(p)  y = Add(a, one)", 0.8),
        ("a = Clip(p, , tenth)  y = Sub(one, a)", 0.9),
    ],
)
def test_a_factor_that_a_graph_computes_is_a_constant(body: str, expected: float) -> None:
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {OPSET}]> g (float[N] x) => (float y)'
        f"<float one = {{1.0}}, float p = {{0.2}}, float minus = {{-1.0}}, float tenth = {{0.1}}> {{ {body} }}"
    )
    assert constants_of(model.graph, OPSET)["y"] == pytest.approx(expected, rel=1e-6)


def test_a_dropout_with_its_default_rate_makes_no_constant() -> None:
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {OPSET}]> g (float[2] x) => (float[2] y)'
        "<float[2] ones = {1.0, 1.0}, bool t = {1}> { m = Dropout(ones, , t)  y = Mul(x, m) }"
    )
    assert "m" not in constants_of(model.graph, OPSET)


def test_a_default_that_a_caller_may_override_is_no_constant() -> None:
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {OPSET}]> g (float[2] x, float p = {{0.2}}) => (float[2] y)'
        "{ q = Neg(p)  y = Mul(x, q) }"
    )
    assert constants_of(model.graph, OPSET) == {}
