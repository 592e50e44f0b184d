"""Claims about draws of our own: they have the law of the runtime's, and the rare is seen."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from scipy.stats import kstest, norm

from dropaudit.graph.draws.elementwise_region import region_of
from dropaudit.graph.draws.noise_map import noise_maps
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.measure.finding.region_sites import ElementKind, RegionReader
from dropaudit.measure.finding.region_values import RegionRunner
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.subjects import Array
from support.graphs import CHAIN, HEADER

CPU = choose(Provider.CPU)
SHAPE = (64, 16)
CONSTANTS = "float q = {0.7}, float r = {0.3}, bool t = {1}, float rare = {0.995}, float one = {1.0}"


def runner_of(body: str, **data: Array) -> RegionRunner:
    ones = ",".join(["1.0"] * 1024)
    model = name_nodes(
        onnx.parser.parse_model(
            f"{HEADER} g (float[64,16] x) => (float[64,16] y)<{CONSTANTS}, float[64,16] ones = {{{ones}}}> {{ {body} }}"
        )
    )
    (noise,) = noise_maps(scopes(model))
    region = region_of(noise)
    assert region is not None
    x = np.random.default_rng(5).standard_normal(SHAPE).astype(np.float32)
    known: dict[str, Array] = {
        root.tensor: np.ones(SHAPE, dtype=np.bool_ if root.position else np.float32) for root in region.roots
    }
    return RegionRunner(region, model, {"x": x, **known, **data}, CPU, np.random.default_rng(6))


def drawn(body: str, name: str = "u", **data: Array) -> Array:
    runner = runner_of(body, **data)
    return np.concatenate([runner.draw(number)[name].reshape(-1) for number in range(runner.runs)])


def test_a_uniform_draw_is_uniform_on_its_range() -> None:
    found = drawn("u = RandomUniformLike<low = -1.0, high = 3.0>(x)  y = Mul(x, u)")
    assert kstest(found, "uniform", args=(-1, 4)).statistic < 0.002


def test_a_normal_draw_is_normal() -> None:
    found = drawn("u = RandomNormalLike<mean = 2.0, scale = 0.5>(x)  y = Mul(x, u)")
    assert kstest(found, norm(2, 0.5).cdf).statistic < 0.002


def test_bernoulli_draws_one_with_the_probability_of_zero_as_the_runtime_does() -> None:
    body = "n = Shape(x)  a = Expand(q, n)  u = Bernoulli(a)  y = Mul(x, u)"
    found = drawn(body, a=np.full(SHAPE, 0.7, np.float32))
    assert set(np.unique(found)) == {0, 1}
    assert found.mean() == pytest.approx(0.3, abs=0.01)


def test_a_dropout_of_ones_is_its_scaled_mask() -> None:
    found = drawn("u = Dropout(ones, r, t)  y = Mul(x, u)")
    assert np.unique(found) == pytest.approx([0, 1 / 0.7], rel=1e-6)
    assert (found != 0).mean() == pytest.approx(0.7, abs=0.01)


def test_the_mask_of_an_operator_is_true_where_it_keeps() -> None:
    found = drawn("d, u = Dropout(x, r, t)  c = Cast<to = 1>(u)  y = Mul(x, c)")
    assert found.dtype == np.bool_
    assert found.mean() == pytest.approx(0.7, abs=0.01)


def test_each_cell_goes_through_all_parts_of_its_range() -> None:
    """An event that a cell sees once in 64 draws is seen for every cell."""
    runner = runner_of("u = RandomUniformLike(x)  y = Mul(x, u)")
    found = np.stack([runner.draw(number)["u"] for number in range(runner.runs)])
    assert runner.runs == 64
    np.testing.assert_array_equal(np.sort(np.floor(found * 64), axis=0)[:, 0, 0], np.arange(64))
    assert all(len(np.unique(np.floor(found[:, i, j] * 64))) == 64 for i in range(0, 64, 9) for j in range(0, 16, 5))


def test_cells_are_drawn_independently_of_each_other() -> None:
    runner = runner_of("u = RandomUniformLike(x)  y = Mul(x, u)")
    found = np.stack([runner.draw(number)["u"].reshape(-1)[:200] for number in range(runner.runs)])
    correlations = np.corrcoef(found.T)[np.triu_indices(200, 1)]
    assert abs(correlations.mean()) < 0.01
    assert correlations.std() == pytest.approx(1 / np.sqrt(63), rel=0.15)


def test_two_draws_with_one_seed_are_drawn_apart() -> None:
    """The law of one site is wanted here; what draws have to do with each other is seen on the artifact."""
    runner = runner_of("u = RandomUniformLike<seed = 3.0>(x)  v = RandomUniformLike<seed = 3.0>(x)  y = Sub(u, v)")
    values = runner.draw(0)
    assert not np.array_equal(values["u"], values["v"])


def test_a_mask_has_two_values_and_a_draw_has_more() -> None:
    runner = runner_of(f"{CHAIN.format(x='x')}  s = Div(m, q)  y = Mul(x, s)")
    assert runner.mask_values("s") == pytest.approx((0, 1 / 0.7), rel=1e-6)
    assert runner.mask_values("u") is None


def test_tensors_are_told_apart_by_their_values() -> None:
    runner = runner_of(f"{CHAIN.format(x='x')}  w = Sub(one, m)  s = Mul(u, u)  k = Mul(x, m)  y = Add(k, s)")
    reader = RegionReader(runner.values())
    reader.read()
    kinds = {name: reader.kinds[name] for name in ("u", "b", "m", "w", "s", "k")}
    noise, mask, data = ElementKind.NOISE, ElementKind.MASK, ElementKind.DATA
    assert kinds == {"u": noise, "b": mask, "m": mask, "w": mask, "s": noise, "k": data}


def test_what_is_dropped_once_in_two_hundred_times_is_a_mask() -> None:
    runner = runner_of("u = RandomUniformLike(x)  b = Less(u, rare)  m = Cast<to = 1>(b)  y = Mul(x, m)")
    reader = RegionReader(runner.values())
    (applied,) = reader.read()
    assert applied.law is not None
    assert applied.law.kept == pytest.approx(0.995, abs=0.004)


def test_over_further_runs_two_draws_meet_in_other_parts_of_their_ranges() -> None:
    """A cell keeps 20 %, where both draws are low; sixteen rounds of the same pairs would scatter four times as far."""
    runner = runner_of("u = RandomUniformLike(x)  v = RandomUniformLike(x)  s = Add(u, v)  y = Mul(x, s)")
    kept = np.zeros(SHAPE)
    for number in range(16 * runner.runs):
        draws = runner.draw(number)
        kept += (draws["u"] < 0.4) & (draws["v"] < 0.5)
    shares = kept / (16 * runner.runs)
    assert float(np.std(shares)) < 2 * np.sqrt(0.2 * 0.8 / (16 * runner.runs))
