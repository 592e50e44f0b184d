"""Claims about the forms of one model: without dropout, inverted, and the paper's first form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from dropaudit.errors import InvalidArgument
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import Parameters, parameters
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import TWO_VALUED, Draw
from dropaudit_models.lstm.spec import LOCKED, VARIATIONAL, FloatType, Head, Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import Form, build, dropout_sites, recipes
from support.lstm_by_hand import ByHand, run

OUTPUT_DROPOUT = LSTMSpec(layers=(Layer(10, Wrapper(output_keep_prob=0.7)),))
ALL_DROPOUT = LSTMSpec(
    layers=(Layer(6, Wrapper(input_keep_prob=0.9, state_keep_prob=0.8)), Layer(6, Wrapper(output_keep_prob=0.7))),
    head=Head.LINEAR,
    vocabulary=24,
    input_size=6,
    embedding_keep_prob=0.8,
    weight_keep_prob=0.6,
)


def sequences(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("keep_prob", [0.3, 0.5, 0.8])
def test_the_train_twin_divides_survivors_by_the_keep_probability_and_the_papers_does_not(keep_prob: float) -> None:
    spec = LSTMSpec(layers=(Layer(10, Wrapper(output_keep_prob=keep_prob)),))
    x = sequences(64, 8, 2)
    plain = run(build(spec, Form.WITHOUT), x)
    for form, factor in ((Form.TRAIN, 1 / keep_prob), (Form.PAPER_TRAIN, 1.0)):
        dropped = run(build(spec, form), x)
        kept = dropped != 0
        # Five standard deviations of the share of 5,120 cells.
        assert kept.mean() == pytest.approx(keep_prob, abs=0.035)
        np.testing.assert_allclose(dropped[kept], plain[kept] * factor, rtol=1e-5)


def mean_factor(spec: LSTMSpec, train: Form, inference: Form) -> tuple[float, float]:
    """Return the projection of train outputs on the inference output over 4,000 copies, and its standard error."""
    x = np.tile(sequences(1, 5, 2), (4_000, 1, 1))
    reference = run(build(spec, inference), x[:1])
    factors = np.einsum("btf,btf->b", run(build(spec, train), x), np.broadcast_to(reference, (4_000, 5, 10)))
    factors = factors / np.sum(reference**2)
    return float(factors.mean()), float(factors.std() / np.sqrt(len(factors)))


def test_both_forms_of_the_paper_preserve_the_mean_output_and_a_mixture_of_them_does_not() -> None:
    for train, inference in ((Form.TRAIN, Form.WITHOUT), (Form.PAPER_TRAIN, Form.PAPER_OUTPUTS)):
        mean, error = mean_factor(OUTPUT_DROPOUT, train, inference)
        assert abs(mean - 1) < 5 * error < 0.05
    mean, error = mean_factor(OUTPUT_DROPOUT, Form.PAPER_TRAIN, Form.WITHOUT)
    assert abs(mean - 0.7) < 5 * error


@pytest.mark.parametrize("head", [Head.LINEAR, Head.NONE])
def test_weights_times_q_give_what_outputs_times_q_give(head: Head) -> None:
    spec = LSTMSpec(
        layers=(Layer(6, Wrapper(input_keep_prob=0.9, output_keep_prob=0.8)), Layer(5, Wrapper(output_keep_prob=0.6))),
        head=head,
    )
    x = sequences(4, 7, 2)
    np.testing.assert_allclose(
        run(build(spec, Form.PAPER_WEIGHTS), x), run(build(spec, Form.PAPER_OUTPUTS), x), atol=1e-6
    )


def test_state_embedding_and_weight_dropout_have_their_paper_form_too() -> None:
    ids = np.random.default_rng(4).integers(0, 24, (4, 7))
    by_outputs, by_weights = (run(build(ALL_DROPOUT, form), ids) for form in (Form.PAPER_OUTPUTS, Form.PAPER_WEIGHTS))
    np.testing.assert_allclose(by_weights, by_outputs, atol=1e-6)
    assert not np.allclose(by_outputs, run(build(ALL_DROPOUT, Form.WITHOUT), ids), atol=1e-3)


def test_all_forms_share_the_weights() -> None:
    ids = np.random.default_rng(4).integers(0, 24, (4, 7))
    expected = ByHand(parameters(ALL_DROPOUT))(ids)
    np.testing.assert_allclose(run(build(ALL_DROPOUT, Form.WITHOUT), ids), expected, atol=2e-6)


def test_the_parameters_of_a_wrapper_are_where_tensorflow_has_them() -> None:
    wrapper = Wrapper(
        input_keep_prob=0.9, output_keep_prob=0.8, state_keep_prob=0.7, variational_recurrent=True, seed=3
    )
    found = recipes(LSTMSpec(layers=(Layer(4), Layer(4, wrapper))))
    assert {place: recipe.keep_prob for place, recipe in found.items()} == {
        Place(Spot.INPUT, 1): 0.9,
        Place(Spot.STATE_H, 1): 0.7,
        Place(Spot.OUTPUT, 1): 0.8,
    }
    assert {recipe.shared for recipe in found.values()} == {VARIATIONAL}
    assert len({recipe.seed for recipe in found.values()}) == 3


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("draw", [Draw.OPERATOR, Draw.LESS, Draw.FLOOR])
def test_variational_output_dropout_shows_one_mask_for_batch_and_time(draw: Draw, per_step: bool) -> None:
    wrapper = Wrapper(output_keep_prob=0.5, variational_recurrent=True)
    spec = LSTMSpec(layers=(Layer(64, wrapper),), draw=draw, per_step=per_step)
    kept = run(build(spec), sequences(4, 6, 2)) != 0
    assert np.array_equal(kept, np.broadcast_to(kept[:1, :1], kept.shape))
    assert 0 < kept.mean() < 1


@pytest.mark.parametrize("per_step", [False, True])
def test_locked_output_dropout_shows_one_mask_for_all_time_steps_of_an_example(per_step: bool) -> None:
    spec = LSTMSpec(
        layers=(Layer(64, Wrapper(output_keep_prob=0.5)),), draw=Draw.LESS, shared=LOCKED, per_step=per_step
    )
    kept = run(build(spec), sequences(4, 6, 2)) != 0
    assert np.array_equal(kept, np.broadcast_to(kept[:, :1], kept.shape))
    assert not np.array_equal(kept, np.broadcast_to(kept[:1], kept.shape))


def test_variational_state_dropout_repeats_one_mask_along_time() -> None:
    """The mask is drawn before the recurrence, whose body only reads it."""
    wrapper = Wrapper(state_keep_prob=0.5, variational_recurrent=True)
    spec = LSTMSpec(layers=(Layer(64, wrapper),), draw=Draw.LESS)
    model = build(spec)
    (scan,) = (node for node in model.graph.node if node.op_type == "Scan")
    drawn = [node.op_type for node in model.graph.node if node.op_type.startswith("Random")]
    (body,) = (attribute.g for attribute in scan.attribute if attribute.name == "body")
    assert drawn == ["RandomUniform"]
    assert not [node for node in body.node if node.op_type.startswith("Random")]


def test_the_runtime_draws_the_same_masks_in_the_bodies_of_both_directions() -> None:
    """With one kernel in both directions and one step the two halves are equal: only their masks could differ."""
    spec = LSTMSpec(layers=(Layer(32, Wrapper(output_keep_prob=0.5)),), bidirectional=True, draw=Draw.LESS)
    ((forward, _),) = parameters(spec).layers
    both = Parameters(((forward, forward),), None, None)
    written = replace(spec, per_step=True)
    y = run(lstm_model(written, dropout_sites(written), both), sequences(4, 1, 2))
    assert 0 < np.count_nonzero(y) < y.size
    assert np.array_equal(y[..., :32], y[..., 32:])


@pytest.mark.parametrize("draw", [Draw.OPERATOR, Draw.LESS, Draw.GAUSSIAN])
@pytest.mark.parametrize("dtype", FloatType)
def test_every_place_at_once_builds_and_runs_in_every_type(draw: Draw, dtype: FloatType) -> None:
    spec = LSTMSpec(
        input_size=6,
        layers=(Layer(6, Wrapper(input_keep_prob=0.9, state_keep_prob=0.8)), Layer(6, Wrapper(output_keep_prob=0.7))),
        vocabulary=24,
        embedding_keep_prob=0.8 if draw is not Draw.GAUSSIAN else 1.0,
        weight_keep_prob=0.6,
        bidirectional=True,
        draw=draw,
        dtype=dtype,
    )
    y = run(build(spec), np.random.default_rng(4).integers(0, 24, (4, 7)))
    assert y.shape == (4, 7, 12)
    assert np.isfinite(y).all()


def test_a_draw_that_the_runtime_cannot_run_is_refused() -> None:
    wrapped = (Layer(4, Wrapper(output_keep_prob=0.5)),)
    with pytest.raises(InvalidArgument, match="opset 22"):
        build(LSTMSpec(layers=wrapped, draw=Draw.LESS, opset=22))
    with pytest.raises(InvalidArgument, match="opset 13"):
        build(LSTMSpec(layers=wrapped, draw=Draw.BERNOULLI, opset=13))
    with pytest.raises(InvalidArgument, match="first form"):
        build(LSTMSpec(layers=wrapped, draw=Draw.ALPHA), Form.PAPER_TRAIN)


def test_where_no_chain_runs_the_papers_form_takes_the_operators_factor_back() -> None:
    spec = LSTMSpec(layers=(Layer(10, Wrapper(output_keep_prob=0.7)),), opset=22)
    x = sequences(16, 8, 2)
    plain, dropped = run(build(spec, Form.WITHOUT), x), run(build(spec, Form.PAPER_TRAIN), x)
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], plain[kept], rtol=1e-5)


@pytest.mark.parametrize("draw", TWO_VALUED)
def test_one_spec_gives_the_same_bytes_each_time(draw: Draw) -> None:
    spec = LSTMSpec(layers=(Layer(4, Wrapper(output_keep_prob=0.5, seed=1)),), draw=draw)

    def content() -> bytes:
        model: onnx.ModelProto = build(spec)
        written: bytes = model.SerializeToString()
        return written

    assert content() == content()


def test_embedding_dropout_drops_all_occurrences_of_an_id() -> None:
    spec = LSTMSpec(input_size=6, vocabulary=24, embedding_keep_prob=0.5, draw=Draw.LESS, layers=(Layer(8),))
    ids = np.tile(np.arange(24), (2, 1)).T.reshape(24, 2)
    y = run(build(spec), ids)
    silent = run(build(LSTMSpec(input_size=6, layers=(Layer(8),))), np.zeros((1, 2, 6), np.float32))
    rows = [bool(np.allclose(y[index], silent[0], atol=1e-7)) for index in range(24)]
    assert 0 < sum(rows) < 24
