"""Claims about single runs that leave out what nobody waits for, and are not gone on with for ever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed
from dropaudit.graph.passes.expose import narrowed
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.measure.sampling.single_runs import single_runs
from dropaudit.measure.sampling.thrift import ThriftyRuns
from dropaudit.plan import Provider
from dropaudit.runtime.parallel import Stream
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import Runs
from dropaudit.runtime.session import Tensors
from support.graphs import HEADER

CPU = choose(Provider.CPU)
X = {"x": np.ones((2, 4), dtype=np.float32)}
SIGNATURE = "g (float[N,4] x) => (float[N,4] m, float[N,4] y) <float r = {0.3}, bool t = {1}>"


def graph(tail: int, dropout: str = "Dropout") -> onnx.ModelProto:
    """Return x -> m, y: a mask, and a number of operators behind it."""
    steps = "  ".join(f"h{i + 1} = Tanh(h{i})" for i in range(tail))
    body = f"m = {dropout}(x, r, t)  h0 = Neg(m)  {steps}  y = Neg(h{tail})"
    return name_nodes(onnx.parser.parse_model(f"{HEADER} {SIGNATURE} {{ {body} }}"))


class Made:
    """Makes runs, and keeps the models that they were made of."""

    def __init__(self) -> None:
        self.models: list[onnx.ModelProto] = []

    def __call__(self, model: onnx.ModelProto) -> Runs:
        self.models.append(model)
        return single_runs(model, CPU, np.random.default_rng(0), fewest_cells=1)


def test_what_an_output_does_not_need_is_left_out_and_bodies_keep_what_they_read() -> None:
    body = (
        "a = Relu(x)  b = Neg(x)  z = Tanh(b)  c = Less(r, r)"
        "  y = If(c) <then_branch = p () => (float[N,4] o) { o = Abs(a) },"
        " else_branch = q () => (float[N,4] e) { e = Exp(a) }>"
    )
    signature = "g (float[N,4] x) => (float[N,4] y, float[N,4] z) <float r = {0.3}>"
    part = narrowed(name_nodes(onnx.parser.parse_model(f"{HEADER} {signature} {{ {body} }}")), ["y"])
    assert [node.op_type for node in part.graph.node] == ["Relu", "Less", "If"]
    assert [value.name for value in part.graph.output] == ["y"]


def test_once_nobody_waits_for_an_output_its_nodes_are_not_run() -> None:
    made = Made()
    runs = ThriftyRuns(graph(20), made)
    assert set(runs.run(X, ("m", "y"))) == {"m", "y"}
    assert set(runs.run(X, ("m",))) == {"m"}
    assert set(runs.run(X, ("m",))) == {"m"}
    assert [len(model.graph.node) for model in made.models] == [23, 1]
    assert set(runs.run(X, ("y",))) == {"y"}


def test_a_model_of_which_nearly_all_is_needed_is_not_made_anew() -> None:
    made = Made()
    runs = ThriftyRuns(graph(20), made)
    for names in (("m", "y"), ("y",), ("y", "m")):
        runs.run(X, names)
    assert len(made.models) == 1


class Refused:
    """Does not run, as what is left of a model may not."""

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        raise ExecutionFailed("the runtime said so")


def test_where_a_part_does_not_run_the_whole_does() -> None:
    made = Made()
    runs = ThriftyRuns(graph(20), lambda model: made(model) if len(model.graph.node) > 1 else Refused())
    runs.run(X, ("m", "y"))
    assert set(runs.run(X, ("m",))) == {"m"}
    assert set(runs.run(X, ("m",))) == {"m"}
    assert len(made.models) == 2


def test_each_run_leaves_fewer_and_less_of_a_model_leaves_more() -> None:
    runs = ThriftyRuns(graph(200), Made())
    everything, mask = runs.left(("m", "y")), runs.left(("m",))
    assert mask > 3 * everything > 0
    for _ in range(100):
        runs.run(X, ("m", "y"))
    assert runs.left(("m", "y")) == everything - 100


def test_the_default_limit_is_within_reach_of_small_models_and_not_where_each_run_takes_a_session() -> None:
    assert ThriftyRuns(graph(20), Made()).left(("m", "y")) > 65_536
    model = graph(20, "Dropout<seed = 5>")
    dear = ThriftyRuns(model, lambda part: Stream(part, CPU, np.random.default_rng(0), 1))
    assert 5_000 < dear.left(("m", "y")) < 20_000
