"""Claims about leaving out what comes before the first random operator."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.passes.cut_at_randomness import beyond, cut_at_randomness
from dropaudit.graph.passes.derive_mode import without_sites
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.measure.sampling.stochastic_part import FirstRuns, Silent, Source, opened, shortened
from dropaudit.plan import Provider
from dropaudit.runtime.batch_axis import COPIES, Tiling
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import tiled
from dropaudit.runtime.session import Session
from support.graphs import dense

CPU = choose(Provider.CPU)
X = {"x": np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)}


def named(body: str) -> onnx.ModelProto:
    return name_nodes(onnx.load_from_string(dense(body)))


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def session(model: onnx.ModelProto) -> Session:
    return Session(model, CPU, np.random.default_rng(0))


def test_only_what_randomness_reaches_is_left() -> None:
    cut = cut_at_randomness(named("a = Relu(x)  h = Tanh(a)  d = Dropout(h, r, t)  y = Neg(d)"), ["y"])
    assert cut is not None
    assert list(cut.frontier) == ["h"]
    assert operators(cut.model) == ["Dropout", "Neg"]
    assert [value.name for value in cut.model.graph.input] == ["h"]


def test_the_part_gives_what_the_whole_gives() -> None:
    model = named("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)")
    silent = without_sites(model, find_sites(model))
    cut = cut_at_randomness(model, ["y"])
    assert cut is not None
    part = beyond(silent, cut, ["y"])
    whole = session(silent).run(X, ("y",))["y"]
    assert session(part).run({"h": np.tanh(X["x"])}, ("y",))["y"] == pytest.approx(whole, rel=1e-6)


def test_shapes_are_computed_anew() -> None:
    """A shape that was taken from one replicate would cut a tile of several down to one."""
    cut = cut_at_randomness(named("h = Relu(x)  s = Shape(h)  d = Dropout(h, r, t)  y = Reshape(d, s)"), ["y"])
    assert cut is not None
    assert list(cut.frontier) == ["h"]
    assert operators(cut.model) == ["Shape", "Dropout", "Reshape"]


def test_nothing_is_left_out_where_randomness_comes_first() -> None:
    assert cut_at_randomness(named("d = Dropout(x, r, t)  y = Tanh(d)"), ["y"]) is None


def test_an_output_that_no_randomness_reaches_is_taken_as_it_is() -> None:
    cut = cut_at_randomness(named("h = Tanh(x)  y = Dropout(h, r, t)"), ["y", "h"])
    assert cut is not None
    assert (list(cut.frontier), cut.fixed) == (["h"], ("h",))
    assert [value.name for value in cut.model.graph.output] == ["y"]


def short(source: Source, silent: Silent) -> Source | None:
    whole = opened(source.model, ("y",))
    ready, names = session(whole.model), tuple(whole.probes.values())
    several = ready.run(tiled(X, {"x": 0}, COPIES), names)
    tiling = Tiling({"x": 0}, {"y": 0}, {name: several[name].shape for name in names}) if source.axes else None
    runs = FirstRuns(ready.run(X, ("y", *names)), tiling)
    found = shortened(source, whole, runs, silent, CPU, np.random.default_rng(0))
    return None if found is None else found.source


@pytest.mark.parametrize("axes", [{}, {"x": 0}], ids=["single runs", "tiled"])
def test_a_source_is_shortened_and_keeps_its_batch_axis(axes: dict[str, int]) -> None:
    model = named("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)")
    outputs = {"y": -np.tanh(X["x"])}
    source = short(Source(model, X, axes), Silent(without_sites(model, find_sites(model)), X, outputs))
    assert source is not None
    assert operators(source.model) == ["Dropout", "Neg"]
    assert source.axes == ({"h": 0} if axes else {})
    assert source.feeds["h"] == pytest.approx(np.tanh(X["x"]), rel=1e-6)


def test_a_part_that_gives_something_else_is_not_used() -> None:
    model = named("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)")
    wrong = Silent(without_sites(model, find_sites(model)), X, {"y": np.ones((8, 16), dtype=np.float32)})
    assert short(Source(model, X, {"x": 0}), wrong) is None
