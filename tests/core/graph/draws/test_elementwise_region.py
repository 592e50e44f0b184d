"""Claims about the part of a graph that follows its draws element by element."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from dropaudit.graph.draws.elementwise_region import Region, model_of, region_of, works_element_by_element
from dropaudit.graph.draws.noise_map import noise_maps
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.reading.unique_names import name_nodes
from support.graphs import CHAIN, HEADER

WEIGHTS = ",".join(str(i / 16) for i in range(16))
CONSTANTS = (
    "float r = {0.3}, float none = {0.0}, bool t = {1}, float q = {0.7}, float[4] ones = {1.0, 1.0, 1.0, 1.0},"
    f"float[4] b = {{0.1, 0.2, 0.3, 0.4}}, float[4,4] W = {{{WEIGHTS}}}"
)


def graph(body: str) -> onnx.ModelProto:
    return name_nodes(
        onnx.parser.parse_model(f"{HEADER} g (float[8,4] x) => (float[8,4] y) <{CONSTANTS}> {{ {body} }}")
    )


def region(body: str) -> Region | None:
    (noise,) = noise_maps(scopes(graph(body)))
    return region_of(noise)


def found(body: str) -> Region:
    result = region(body)
    assert result is not None
    return result


def test_a_region_goes_from_the_draw_to_the_first_operator_that_mixes_elements() -> None:
    part = found(f"{CHAIN.format(x='x')}  s = Mul(x, m)  h = Relu(s)  y = MatMul(h, W)")
    assert [root.tensor for root in part.roots] == ["u"]
    assert [node.op_type for node in part.nodes] == ["Less", "Cast", "Mul", "Relu"]
    assert part.entering == ("x",)


def test_what_comes_of_draws_and_numbers_alone_is_pure_and_what_met_data_is_not() -> None:
    part = found(f"{CHAIN.format(x='x')}  d = Div(m, q)  y = Mul(x, d)")
    assert {"u", "m", "d"} <= part.pure
    assert "y" not in part.pure
    assert part.touched["y"] == frozenset({"u"})


def test_what_mixes_elements_of_draws_alone_belongs_to_it() -> None:
    """DropBlock pools a draw before it meets data."""
    part = found(
        "u = RandomUniformLike(x)  a = Less(u, q)  c = Cast<to = 1>(a)  i = Unsqueeze(c, axes)"
        "  m = MaxPool<kernel_shape = [3], pads = [1, 1]>(i)  k = Squeeze(m, axes)  y = Mul(x, k)".replace(
            "axes", "one"
        ).replace("u = ", "one = Constant<value = int64[1] {1}>()  u = ", 1)
    )
    assert "MaxPool" in [node.op_type for node in part.nodes]
    assert "k" in part.pure


def test_without_a_draw_there_is_no_region() -> None:
    assert region("y = Relu(x)") is None


def test_an_operator_on_data_is_a_site_by_itself_and_no_root() -> None:
    assert region("h = Relu(x)  y = Dropout(h, r, t)") is None


def test_the_mask_of_an_operator_is_a_root_where_it_is_read() -> None:
    part = found("d, m = Dropout(x, r, t)  c = Cast<to = 1>(m)  y = Mul(x, c)")
    assert [(root.tensor, root.position) for root in part.roots] == [("m", 1)]


def test_a_dropout_of_ones_is_a_root() -> None:
    assert [root.tensor for root in found("d = Dropout(ones, r, t)  y = Mul(x, d)").roots] == ["d"]


def test_a_dropout_that_never_drops_is_none() -> None:
    assert region("d = Dropout(ones, none, t)  y = Mul(x, d)") is None


def test_a_draw_after_another_is_a_root_of_its_own() -> None:
    part = found("u = RandomUniformLike(x)  v = RandomNormalLike(u)  a = Add(u, v)  y = Add(x, a)")
    assert {root.tensor for root in part.roots} == {"u", "v"}
    assert part.touched["a"] == frozenset({"u", "v"})


def test_different_weights_are_data_and_a_number_is_not() -> None:
    part = found("u = RandomUniform<shape = [4]>()  a = Less(u, q)  m = Cast<to = 1>(a)  w = Mul(b, m)  y = Add(x, w)")
    assert "m" in part.pure
    assert "w" not in part.pure


def test_the_chance_of_a_bernoulli_that_data_gives_enters() -> None:
    part = found("p = Sigmoid(x)  m = Bernoulli(p)  y = Mul(x, m)")
    assert set(part.entering) == {"x", "p"}


def test_a_region_is_a_model_of_its_own() -> None:
    body = f"{CHAIN.format(x='x')}  d = Div(m, q)  s = Mul(x, d)  y = MatMul(s, W)"
    part, whole = found(body), graph(body)
    arrays = {"u": np.full((2, 4), 0.6, np.float32), "x": np.ones((2, 4), np.float32)}
    own = model_of(part, whole, arrays, ("m", "s", "x"))
    assert [value.name for value in own.graph.output] == ["m", "s"]
    (s,) = ReferenceEvaluator(own).run(["s"], arrays)
    np.testing.assert_allclose(np.asarray(s), np.full((2, 4), 1 / 0.7), rtol=1e-6)


@pytest.mark.parametrize("operator", ["MatMul(s, W)", "Softmax(s)", "ReduceMean(s)", "LayerNormalization(s, ones)"])
def test_operators_that_mix_elements_of_data_lie_outside(operator: str) -> None:
    part = found(f"{CHAIN.format(x='x')}  s = Mul(x, m)  e = {operator}  y = Add(x, e)")
    assert [node.op_type for node in part.nodes] == ["Less", "Cast", "Mul"]


@pytest.mark.parametrize("equation", ["ij,ij->ij", "ij, j -> ij", "...j,j->...j", "ij,->ij"])
def test_an_einsum_that_sums_nothing_up_works_element_by_element(equation: str) -> None:
    node = onnx.helper.make_node("Einsum", ["x", "m"], ["y"], equation=equation)
    assert works_element_by_element(node)


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->i", "ij,ij->ji", "ij,i->ij", "ij,ij", "ii->i"])
def test_an_einsum_that_sums_or_turns_axes_does_not(equation: str) -> None:
    node = onnx.helper.make_node("Einsum", ["x", "m"], ["y"], equation=equation)
    assert not works_element_by_element(node)
