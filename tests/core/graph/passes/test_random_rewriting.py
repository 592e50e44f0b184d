"""Claims about passes over random operators: seeds, draws without spread, random branches, fed factors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import pytest

from dropaudit.graph.passes.branches import decided, open_conditions, with_random_branches_joined
from dropaudit.graph.passes.derive_mode import without_sites
from dropaudit.graph.passes.runnable.silent_draws import without_silent_draws
from dropaudit.graph.passes.seeds import holds_dropout, holds_seeds, seeded, seeds_of, with_seeds
from dropaudit.graph.passes.site_factors import with_factors
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.subjects import Array
from support.graphs import CHAIN, HEADER, dense

X = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)


def parsed(content: bytes) -> onnx.ModelProto:
    return name_nodes(onnx.load_from_string(content))


def runs(model: onnx.ModelProto, count: int, **more: Array) -> list[Array]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["EliminateDropout", "CommonSubexpressionElimination"],
    )
    return [np.asarray(session.run(None, {"x": X, **more})[0]) for _ in range(count)]


def run(model: onnx.ModelProto, **more: Array) -> Array:
    return runs(model, 1, **more)[0]


def counting(first: int = 70) -> Iterator[int]:
    while True:
        yield first
        first += 1


def drawn(model: onnx.ModelProto) -> onnx.ModelProto:
    numbers = counting()
    return seeded(model, lambda: next(numbers))


TWO_DRAWS = "u = RandomUniformLike{0}(x)  v = RandomUniformLike{1}(x)  y = Sub(u, v)"


def test_seeds_are_known_by_node_and_zero_and_one_are_the_same() -> None:
    model = parsed(dense(TWO_DRAWS.format("<seed = 0.0>", "<seed = 1.0>")))
    assert seeds_of(model) == {"RandomUniformLike_0": 1.0, "RandomUniformLike_1": 1.0}
    assert holds_seeds(model)
    assert not holds_seeds(parsed(dense(TWO_DRAWS.format("", ""))))


def test_equal_seeds_stay_equal_and_others_become_others() -> None:
    equal = seeds_of(drawn(parsed(dense(TWO_DRAWS.format("<seed = 5.0>", "<seed = 5.0>")))))
    other = seeds_of(drawn(parsed(dense(TWO_DRAWS.format("<seed = 5.0>", "<seed = 6.0>")))))
    assert len(set(equal.values())) == 1
    assert len(set(other.values())) == 2
    assert 5.0 not in equal.values()


@pytest.mark.parametrize(("first", "second", "same"), [(0, 1, True), (5, 5, True), (5, 6, False)])
def test_the_runtime_draws_alike_before_and_after(first: int, second: int, same: bool) -> None:
    model = parsed(dense(TWO_DRAWS.format(f"<seed = {first}.0>", f"<seed = {second}.0>")))
    for each in (model, drawn(model)):
        assert bool(np.all(run(each) == 0)) == same


def test_a_dropout_without_a_seed_gets_one_and_a_draw_without_one_is_left() -> None:
    model = parsed(dense(f"d = Dropout(x, r, t)  {CHAIN.format(x='d')}  y = Mul(d, m)"))
    assert list(seeds_of(drawn(model))) == ["Dropout_0"]
    assert holds_dropout(model)


def test_seeds_are_given_by_node() -> None:
    model = parsed(dense(TWO_DRAWS.format("", "")))
    assert seeds_of(with_seeds(model, {"RandomUniformLike_1": 9})) == {"RandomUniformLike_1": 9.0}
    alike = with_seeds(model, {"RandomUniformLike_0": 9, "RandomUniformLike_1": 9})
    assert np.all(run(alike) == 0)


def test_a_model_is_not_changed_by_a_pass() -> None:
    model = parsed(dense(TWO_DRAWS.format("<seed = 5.0>", "<seed = 5.0>")))
    content = model.SerializeToString()
    drawn(model)
    with_seeds(model, {"RandomUniformLike_1": 9})
    without_silent_draws(model)
    with_random_branches_joined(model)
    assert model.SerializeToString() == content


@pytest.mark.parametrize(
    "draw",
    [
        "n = RandomNormalLike<mean = 2.0, scale = 0.0>(x)",
        "n = RandomNormal<mean = 2.0, scale = 0.0, shape = [8, 16]>()",
        "n = RandomNormalLike<mean = 2.0, scale = 0.0, dtype = 1>(x)",
    ],
)
def test_a_normal_draw_without_spread_is_its_mean(draw: str) -> None:
    still = without_silent_draws(parsed(dense(f"{draw}  y = Mul(x, n)")))
    assert not any(node.op_type.startswith("Random") for node in still.graph.node)
    np.testing.assert_array_equal(run(still), 2 * X)


@pytest.mark.parametrize(("kind", "dtype"), [("double", np.float64), ("float16", np.float16)])
def test_its_type_is_that_of_the_tensor_it_is_like(kind: str, dtype: type) -> None:
    model = name_nodes(
        onnx.parser.parse_model(
            f"{HEADER} g ({kind}[8,16] x) => ({kind}[8,16] y)"
            "{ n = RandomNormalLike<mean = 2.0, scale = 0.0>(x)  y = Add(x, n) }"
        )
    )
    session = onnxruntime.InferenceSession(without_silent_draws(model).SerializeToString())
    (found,) = session.run(None, {"x": X.astype(dtype)})
    np.testing.assert_allclose(np.asarray(found), X.astype(dtype) + 2, rtol=1e-3)


def test_other_draws_are_left_alone() -> None:
    model = parsed(dense("n = RandomNormalLike<scale = 0.5>(x)  y = Mul(x, n)"))
    assert without_silent_draws(model) is model


RANDOM_BRANCH = (
    "u = RandomUniform<shape = [1]>()  c = Less(u, q)"
    "  y = If(c) <then_branch = a () => (float[8,16] p) { w = Neg(x)  p = Relu(w) },"
    " else_branch = b () => (float[8,16] p) { w = Abs(x)  p = Identity(w) }>"
)


def test_both_branches_of_a_random_if_are_computed_and_one_result_is_taken() -> None:
    model = parsed(dense(RANDOM_BRANCH))
    joined = with_random_branches_joined(model)
    assert "If" not in [node.op_type for node in joined.graph.node]
    assert len({node.name for node in joined.graph.node}) == len(joined.graph.node)
    taken = {found.tobytes() for found in runs(joined, 64)}
    assert taken == {np.maximum(-X, 0).tobytes(), np.abs(X).tobytes()}


def test_results_that_nobody_asks_for_are_left_out() -> None:
    model = parsed(dense(RANDOM_BRANCH))
    node = next(node for node in model.graph.node if node.op_type == "If")
    for attribute in node.attribute:
        extra = attribute.g.node.add()
        extra.CopyFrom(onnx.helper.make_node("Neg", ["x"], ["more"], name=f"more/{attribute.name}"))
        attribute.g.output.append(onnx.helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, [8, 16]))
    node.output.append("")
    assert run(with_random_branches_joined(model)).shape == X.shape


@pytest.mark.parametrize("condition", ["c = Cast<to = 9>(zero)", "a = ReduceMean<keepdims = 0>(x)  c = Less(a, q)"])
def test_an_if_that_no_draw_decides_is_left_alone(condition: str) -> None:
    body = RANDOM_BRANCH.replace("u = RandomUniform<shape = [1]>()  c = Less(u, q)", condition)
    model = parsed(dense(body))
    assert with_random_branches_joined(model) is model
    assert open_conditions(model) == ("c",)


def test_a_random_condition_is_not_open() -> None:
    assert open_conditions(parsed(dense(RANDOM_BRANCH))) == ()


@pytest.mark.parametrize(("truth", "expected"), [(True, np.maximum(-X, 0)), (False, np.abs(X))])
def test_a_condition_that_is_known_leaves_one_branch(truth: bool, expected: Array) -> None:
    model = parsed(dense(RANDOM_BRANCH.replace("u = RandomUniform<shape = [1]>()  c = Less(u, q)", "c = Not(t)")))
    np.testing.assert_array_equal(run(decided(model, {"c": truth})), expected)


def test_each_site_gets_a_factor_of_its_own() -> None:
    body = f"d = Dropout(x, r, t)  h = Neg(d)  {CHAIN.format(x='h')}  s = Mul(h, m)  y = Div(s, q)"
    model = parsed(dense(body))
    sites = find_sites(model)
    changed, names = with_factors(without_sites(model, sites), sites)
    assert [dtype for _, dtype in names] == [np.dtype(np.float32)] * 2
    first, second = (name for name, _ in names)
    found = run(changed, **{first: np.array(2, np.float32), second: np.array(5, np.float32)})
    np.testing.assert_allclose(found, -10 * X, rtol=1e-6)


def test_a_dropout_of_an_opset_without_seeds_gets_none() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 4, opset_import: ["" : 11]> g (float[8,16] x) => (float[8,16] y) { y = Dropout<ratio = 0.3>(x) }'
    )
    assert np.array_equal(run(drawn(name_nodes(model))), X)
