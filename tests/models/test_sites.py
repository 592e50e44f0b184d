"""Claims about every spelling of dropout, on a tensor whose values are known."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from dropaudit.report import Axis
from dropaudit_models.lstm.model import finished
from dropaudit_models.lstm.recipe import TWO_VALUED, UNIFORM_CHAINS, Draw, Recipe
from dropaudit_models.lstm.sites import SELU_NEGATIVE, site
from dropaudit_models.lstm.spec import opsets_of
from dropaudit_models.writing import GraphWriter, Wire
from support.lstm_by_hand import run

SHAPE = (40, 25, 30)
AXES = (Axis.BATCH, Axis.TIME, Axis.FEATURE)
X = np.random.default_rng(0).uniform(1, 2, SHAPE).astype(np.float32)
# Five standard deviations of a share of 30,000 independent cells, at most.
SHARE = 5 * 0.5 / math.sqrt(X.size)


def applied(recipe: Recipe, x: NDArray[Any] = X, opset: int = 17) -> NDArray[Any]:
    """Apply a site to x, a graph input of free batch and time."""
    writer = GraphWriter(opset, x.dtype)
    wire = site(recipe)(writer, Wire("x", AXES, (None, None, x.shape[2])))
    writer.rename(wire.name, "y")
    shape = ["batch", "time", x.shape[2]]
    given = helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), shape)
    return run(finished(writer, given, shape), x)


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("draw", [Draw.OPERATOR, *UNIFORM_CHAINS])
def test_a_spelling_keeps_the_asked_share_and_divides_it_by_the_keep_probability(draw: Draw, keep_prob: float) -> None:
    y = applied(Recipe(keep_prob=keep_prob, draw=draw))
    kept = y != 0
    assert kept.mean() == pytest.approx(keep_prob, abs=SHARE)
    np.testing.assert_allclose(y[kept] / X[kept], 1 / keep_prob, rtol=3e-7)


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.7])
def test_a_bernoulli_mask_keeps_the_drop_rate_on_this_runtime(keep_prob: float) -> None:
    y = applied(Recipe(keep_prob=keep_prob, draw=Draw.BERNOULLI))
    assert (y != 0).mean() == pytest.approx(1 - keep_prob, abs=SHARE)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
@pytest.mark.parametrize("draw", TWO_VALUED)
def test_a_spelling_works_in_half_and_double_precision(draw: Draw, dtype: Any) -> None:
    y = applied(Recipe(keep_prob=0.5, draw=draw), X.astype(dtype))
    kept = y != 0
    assert y.dtype == dtype
    assert kept.mean() == pytest.approx(0.5, abs=SHARE)
    np.testing.assert_array_equal(y[kept], 2 * X.astype(dtype)[kept])


@pytest.mark.parametrize(("draw", "factor"), list(product(TWO_VALUED, [1.0, 1.7, 0.4])))
def test_another_factor_than_the_healthy_one_is_applied_to_what_is_kept(draw: Draw, factor: float) -> None:
    y = applied(Recipe(keep_prob=0.5, draw=draw, factor=factor))
    kept = y != 0
    np.testing.assert_allclose(y[kept] / X[kept], factor, rtol=3e-7)


@pytest.mark.parametrize("draw", TWO_VALUED)
@pytest.mark.parametrize(
    "shared", [{Axis.TIME}, {Axis.BATCH}, {Axis.FEATURE}, {Axis.BATCH, Axis.TIME}], ids=lambda axes: "-".join(axes)
)
def test_a_shared_mask_is_one_along_the_shared_axes_and_varies_along_the_others(draw: Draw, shared: set[Axis]) -> None:
    kept = applied(Recipe(keep_prob=0.5, draw=draw, shared=frozenset(shared))) != 0
    for index, axis in enumerate(AXES):
        constant = bool(np.all(kept == kept.take([0], axis=index)))
        assert constant == (axis in shared)


@pytest.mark.parametrize("draw", Draw)
def test_a_draw_runs_at_each_opset_that_it_claims(draw: Draw) -> None:
    for opset in opsets_of(draw):
        assert np.all(np.isfinite(applied(Recipe(keep_prob=0.5, draw=draw), opset=opset)))


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.7])
def test_gaussian_dropout_multiplies_by_a_normal_of_mean_one_and_variance_p_over_q(keep_prob: float) -> None:
    factor = applied(Recipe(keep_prob=keep_prob, draw=Draw.GAUSSIAN)) / X
    variance = (1 - keep_prob) / keep_prob
    assert factor.mean() == pytest.approx(1, abs=5 * math.sqrt(variance / X.size))
    assert factor.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / X.size))
    assert (factor != 0).all()


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.7])
def test_alpha_dropout_keeps_mean_and_variance_of_standardized_data(keep_prob: float) -> None:
    """Klambauer et al. 2017: for inputs of mean 0 and variance 1 the result has mean 0 and variance 1."""
    x = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    y = applied(Recipe(keep_prob=keep_prob, draw=Draw.ALPHA), x)
    assert y.mean() == pytest.approx(0, abs=5 / math.sqrt(x.size))
    # The fourth moment of the result is at most that of a two-point law at these rates: 5 deviations are below 5 %.
    assert y.var() == pytest.approx(1, rel=0.05)
    a = (keep_prob + SELU_NEGATIVE**2 * keep_prob * (1 - keep_prob)) ** -0.5
    dropped = a * SELU_NEGATIVE * keep_prob
    assert np.isclose(y, dropped, atol=1e-5).mean() == pytest.approx(1 - keep_prob, abs=SHARE)


def test_a_seeded_site_replays_its_masks_in_every_session_and_another_does_not() -> None:
    for draw in (Draw.OPERATOR, Draw.LESS, Draw.FLOOR):
        seeded, free = Recipe(keep_prob=0.5, draw=draw, seed=12.0), Recipe(keep_prob=0.5, draw=draw)
        assert np.array_equal(applied(seeded), applied(seeded))
        if draw is Draw.OPERATOR:
            assert not np.array_equal(applied(free), applied(free))


def test_an_operator_without_or_with_a_false_training_mode_drops_nothing() -> None:
    for training in (False, None):
        np.testing.assert_array_equal(applied(Recipe(keep_prob=0.5, training=training)), X)


def test_uniform_draws_are_float32_whatever_the_model_is() -> None:
    writer = GraphWriter(17, np.dtype(np.float16))
    site(Recipe(keep_prob=0.5, draw=Draw.LESS))(writer, Wire("x", AXES, (None, None, 3)))
    (drawn,) = (node for node in writer.nodes if node.op_type == "RandomUniformLike")
    assert helper.get_node_attr_value(drawn, "dtype") == TensorProto.FLOAT
