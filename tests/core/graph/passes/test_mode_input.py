"""Claims about models whose mode is an input."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.passes.derive_mode import without_sites
from dropaudit.graph.passes.mode_input import MODE, switched_operators, with_mode_input
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.measure.sampling.modes import in_both_modes
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session
from support.graphs import CHAIN, dense

CPU = choose(Provider.CPU)
X = {"x": np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)}
TWO = "a = Relu(x)  d = Dropout(a, r, t)  e = Tanh(d)  f = Dropout(e, r, t)  y = Neg(f)"


def named(body: str) -> onnx.ModelProto:
    return name_nodes(onnx.load_from_string(dense(body)))


def silenced(model: onnx.ModelProto) -> onnx.ModelProto:
    return without_sites(model, find_sites(model))


@pytest.mark.parametrize(
    ("body", "switched"),
    [
        (TWO, {"Dropout_0", "Dropout_1"}),
        ("y = Neg(x)", set()),
        (f"{CHAIN.format(x='x')}  s = Mul(x, m)  y = Div(s, q)", set()),
        # The scale before a mask is bypassed with it.
        ("s = Mul(x, q)  y = Dropout(s, r, t)", set()),
    ],
    ids=["operators", "no randomness", "a chain", "a scale of its own"],
)
def test_operators_are_named_where_their_mode_alone_tells_the_models_apart(body: str, switched: set[str]) -> None:
    model = named(body)
    assert switched_operators(model, silenced(model)) == switched


def test_the_input_takes_the_place_of_the_constant() -> None:
    model = with_mode_input(named(TWO), {"Dropout_1"})
    modes = [node.input[2] for node in model.graph.node if node.op_type == "Dropout"]
    assert modes == ["t", MODE]
    assert [value.name for value in model.graph.input] == ["x", MODE]


def test_one_session_answers_in_each_mode_as_a_session_of_its_own() -> None:
    model = named(TWO)
    modes = in_both_modes(model, switched_operators(model, silenced(model)), CPU, np.random.default_rng(0))
    alone = Session(silenced(model), CPU, np.random.default_rng(0)).run(X, ("y",))["y"]
    assert np.array_equal(modes.silent.run(X, ("y",))["y"], alone)
    dropped = modes.train.run(X, ("y",))["y"]
    assert (dropped == 0).mean() > (alone == 0).mean() + 0.1
    assert modes.train.output_names == ("y",)
