"""Claims about the random operators of a model, and the outputs that their numbers reach."""

from __future__ import annotations

import onnx
import pytest

from dropaudit.graph.draws.random_operators import draws_masks, random_operators
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.reading.unique_names import name_nodes
from support.graphs import HEADER

CONSTANTS = "float r = {0.3}, float none = {0.0}, bool t = {1}, bool off = {0}, float q = {0.7}"


def graph(body: str, signature: str = "(float[N,4] x) => (float[N,4] y, float[N,4] z)") -> onnx.ModelProto:
    return name_nodes(onnx.parser.parse_model(f"{HEADER} g {signature} <{CONSTANTS}> {{ {body} }}"))


def reached(model: onnx.ModelProto, *, switched_on: bool = True) -> dict[str, set[str]]:
    found = random_operators(scopes(model), switched_on=switched_on)
    return {operator.op_type: set(operator.outputs) for operator in found}


def test_a_draw_reaches_the_outputs_that_its_numbers_reach_and_no_others() -> None:
    model = graph("u = RandomUniformLike(x)  a = Add(x, u)  y = Relu(a)  z = Neg(x)")
    assert reached(model) == {"RandomUniformLike": {"y"}}


def test_the_shape_of_a_draw_tells_none_of_its_numbers() -> None:
    model = graph("u = RandomNormalLike(x)  v = RandomUniformLike(u)  n = Shape(u)  y = Expand(q, n)  z = Add(x, v)")
    assert reached(model) == {"RandomNormalLike": set(), "RandomUniformLike": {"z"}}


@pytest.mark.parametrize("product", ["Mul(none, u)", "Mul(u, none)", "MatMul(empty, u)"])
def test_what_meets_zeros_alone_reaches_nothing(product: str) -> None:
    zeros = "empty = Constant<value = float[4,4] {0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}>()"
    body = f"{zeros}  u = RandomUniform<shape = [4,4]>()  h = {product}  y = Add(x, h)  z = Mul(u, q)"
    assert reached(graph(body)) == {"RandomUniform": {"z"}}


def test_what_nobody_reads_reaches_nothing() -> None:
    assert reached(graph("u = RandomUniformLike(x)  y = Relu(x)  z = Neg(x)")) == {"RandomUniformLike": set()}


@pytest.mark.parametrize(
    ("body", "draws"),
    [
        ("y = Dropout(x, r, t)  z = Neg(x)", True),
        ("y = Dropout(x, none, t)  z = Neg(x)", False),
        ("y = Dropout(x, r, off)  z = Neg(x)", False),
        ("y = Dropout(x, r)  z = Neg(x)", False),
        ("y = Dropout(x, , t)  z = Neg(x)", True),
    ],
)
def test_a_dropout_draws_where_it_can_drop(body: str, draws: bool) -> None:
    assert reached(graph(body)) == ({"Dropout": {"y"}} if draws else {})


@pytest.mark.parametrize(("default", "at_rest"), [("", False), (" = {0}", False), (" = {1}", True)])
def test_a_dropout_that_an_input_switches_draws_at_rest_where_its_default_is_on(default: str, at_rest: bool) -> None:
    signature = f"(float[N,4] x, bool mode{default}) => (float[N,4] y, float[N,4] z)"
    model = graph("y = Dropout(x, r, mode)  z = Neg(x)", signature)
    assert reached(model, switched_on=True) == {"Dropout": {"y"}}
    assert (reached(model, switched_on=False) != {}) == at_rest


def test_a_random_condition_touches_everything_that_an_if_returns() -> None:
    model = graph(
        "u = RandomUniform<shape = [1]>()  a = Less(u, q)  z = Neg(x)"
        "  y = If(a) <then_branch = p () => (float[N,4] i) { i = Relu(x) },"
        " else_branch = o () => (float[N,4] j) { j = Identity(x) }>"
    )
    assert reached(model) == {"RandomUniform": {"y"}}


def test_what_a_branch_draws_reaches_the_result_that_holds_it() -> None:
    model = graph(
        "c = Constant<value = bool {1}>()"
        "  y, z = If(c) <then_branch = p () => (float[N,4] i, float[N,4] k)"
        " { u = RandomUniformLike(x)  i = Add(x, u)  k = Neg(x) },"
        " else_branch = o () => (float[N,4] j, float[N,4] l) { j = Identity(x)  l = Neg(x) }>"
    )
    assert reached(model) == {"RandomUniformLike": {"y"}}


def test_noise_that_a_loop_carries_reaches_what_it_ends_with() -> None:
    model = graph(
        "n = Constant<value = int64 {3}>()  c = Constant<value = bool {1}>()  z = Neg(x)"
        "  y = Loop(n, c, x) <body = b (int64 i, bool go, float[N,4] h) => (bool on, float[N,4] k)"
        " { on = Identity(go)  u = RandomUniformLike(h)  k = Add(h, u) }>"
    )
    assert reached(model) == {"RandomUniformLike": {"y"}}


def test_noise_of_one_carried_tensor_reaches_another_only_where_the_body_mixes_them() -> None:
    body = "on = Identity(go)  u = RandomUniformLike(h)  k = Add(h, u)  m = {mixed}"
    for mixed, outputs in (("Neg(l)", {"y"}), ("Add(l, h)", {"y", "z"})):
        model = graph(
            "n = Constant<value = int64 {3}>()  c = Constant<value = bool {1}>()"
            "  y, z = Loop(n, c, x, x) <body = b (int64 i, bool go, float[N,4] h, float[N,4] l)"
            f" => (bool on, float[N,4] k, float[N,4] m) {{ {body.format(mixed=mixed)} }}>"
        )
        assert reached(model) == {"RandomUniformLike": outputs}


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("y = Dropout(x, r, t)  z = Neg(x)", False),
        ("y, m = Dropout(x, r, t)  z = Cast<to = 1>(m)", True),
        ("o = Expand(q, n)  d = Dropout(o, r, t)  y = Mul(x, d)  z = Neg(x)", True),
        ("u = RandomUniformLike(x)  y = Add(x, u)  z = Neg(x)", True),
        ("y = Relu(x)  z = Neg(x)", False),
    ],
)
def test_more_than_operators_on_data_is_drawn_where_a_mask_is_made(body: str, more: bool) -> None:
    model = graph(body, "(float[N,4] x, int64[2] n) => (float[N,4] y, float[N,4] z)")
    assert draws_masks(scopes(model)) == more
