"""Claims about the reference LSTMs, each against TensorFlow's cell in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from dropaudit.errors import InvalidArgument
from dropaudit_models.lstm.alterations import constant_mask
from dropaudit_models.lstm.gate_weights import LSTMWeights, seeded_weights
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import Parameters, parameters
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.spec import FloatType, Head, Layer, LSTMSpec, Recurrence, Wrapper
from support.lstm_by_hand import ByHand, Masks, cell_by_hand, run

# Rounding of some hundred operations on values below 1, at 2^-11, 2^-24 and 2^-53.
TOLERANCES = {FloatType.FLOAT16: 6e-3, FloatType.FLOAT32: 2e-6, FloatType.FLOAT64: 1e-12}


@pytest.mark.parametrize("recurrence", [Recurrence.OPERATOR, Recurrence.SCAN])
@pytest.mark.parametrize(("batch", "steps"), [(5, 1), (1, 7), (3, 16)])
def test_the_onnx_lstm_is_tensorflows_cell(recurrence: Recurrence, batch: int, steps: int) -> None:
    spec = LSTMSpec(recurrence=recurrence)
    x = np.random.default_rng(1).standard_normal((batch, steps, 2)).astype(np.float32)
    expected = cell_by_hand(seeded_weights(input_size=2, units=10, seed=0), x.astype(float))
    np.testing.assert_allclose(run(lstm_model(spec), x), expected, atol=2e-6)


@pytest.mark.parametrize("dtype", FloatType)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("recurrence", [Recurrence.AUTO, Recurrence.SCAN])
@pytest.mark.parametrize("opset", [13, 17, 18, 22])
def test_stacks_of_layers_agree_with_numpy_in_every_type(
    dtype: FloatType, bidirectional: bool, recurrence: Recurrence, opset: int
) -> None:
    spec = LSTMSpec(
        input_size=3,
        layers=(Layer(4), Layer(5)),
        bidirectional=bidirectional,
        head=Head.LINEAR,
        dtype=dtype,
        recurrence=recurrence,
        opset=opset,
    )
    x = np.random.default_rng(2).standard_normal((3, 6, 3)).astype(spec.numpy_dtype)
    found = run(lstm_model(spec), x)
    assert found.dtype == spec.numpy_dtype
    np.testing.assert_allclose(found, ByHand(parameters(spec))(x), atol=TOLERANCES[dtype])


@pytest.mark.parametrize("opset", [11, 12])
def test_the_operator_is_written_at_older_opsets_too_and_scan_is_not(opset: int) -> None:
    x = np.random.default_rng(3).standard_normal((2, 5, 2)).astype(np.float32)
    spec = LSTMSpec(opset=opset)
    np.testing.assert_allclose(run(lstm_model(spec), x), ByHand(parameters(spec))(x), atol=2e-6)
    with pytest.raises(InvalidArgument, match="opset 13"):
        LSTMSpec(opset=opset, recurrence=Recurrence.SCAN)


def test_time_first_is_the_same_model_on_turned_data() -> None:
    x = np.random.default_rng(4).standard_normal((3, 6, 2)).astype(np.float32)
    for recurrence in (Recurrence.OPERATOR, Recurrence.SCAN):
        by_batch = run(lstm_model(LSTMSpec(bidirectional=True, recurrence=recurrence)), x)
        turned = lstm_model(LSTMSpec(bidirectional=True, recurrence=recurrence, batch_first=False))
        np.testing.assert_array_equal(run(turned, x.transpose(1, 0, 2)).transpose(1, 0, 2), by_batch)


def test_ids_are_looked_up_in_the_embedding_table() -> None:
    spec = LSTMSpec(input_size=5, vocabulary=11, head=Head.SOFTMAX)
    ids = np.random.default_rng(5).integers(0, 11, (4, 6))
    logits = ByHand(parameters(spec))(ids)
    expected = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(run(lstm_model(spec), ids), expected, atol=2e-6)


def test_a_bias_and_another_forget_bias_reach_their_gates() -> None:
    rng = np.random.default_rng(2)
    drawn = LSTMWeights(seeded_weights(3, 4, 1).kernel, rng.standard_normal(16), forget_bias=0.25)
    x = rng.standard_normal((2, 5, 3)).astype(np.float32)
    for recurrence in (Recurrence.OPERATOR, Recurrence.SCAN):
        spec = LSTMSpec(input_size=3, layers=(Layer(4),), recurrence=recurrence)
        found = run(lstm_model(spec, weights=Parameters(((drawn,),), None, None)), x)
        np.testing.assert_allclose(found, cell_by_hand(drawn, x.astype(float)), atol=2e-6)


def mask(*shape: int) -> Any:
    return np.random.default_rng(6).choice([0.0, 2.5], shape)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("spot", "layer", "masks"),
    [
        (Spot.INPUT, 0, Masks(input=mask(3, 6, 2))),
        (Spot.OUTPUT, 0, Masks(output=mask(3, 6, 1))),
        (Spot.INPUT, 1, Masks(input=mask(3, 6, 1))),
        (Spot.STATE_H, 0, Masks(h=mask(3, 4))),
        (Spot.STATE_H, 1, Masks(h=mask(3, 4))),
        (Spot.STATE_C, 0, Masks(c=mask(3, 4))),
        (Spot.WEIGHT, 1, Masks(recurrent=mask(4, 16))),
    ],
)
def test_a_site_reaches_what_it_should_and_nothing_else(
    spot: Spot, layer: int, masks: Masks, bidirectional: bool
) -> None:
    """State dropout hits h and never c, and the output of a step does not show it until the next one."""
    spec = LSTMSpec(layers=(Layer(4), Layer(4)), bidirectional=bidirectional, recurrence=Recurrence.SCAN)
    (values,) = (value for value in vars(masks).values() if not np.isscalar(value))
    model = lstm_model(spec, {Place(spot, layer): constant_mask(values)})
    x = np.random.default_rng(7).standard_normal((3, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(run(model, x), ByHand(parameters(spec), {layer: masks})(x), atol=2e-6)


@pytest.mark.parametrize("spot", [Spot.INPUT, Spot.OUTPUT])
def test_a_mask_drawn_in_each_step_reaches_that_step(spot: Spot) -> None:
    spec = LSTMSpec(per_step=True)
    values = mask(3, 2) if spot is Spot.INPUT else mask(3, 10)
    masks = Masks(input=values[:, None]) if spot is Spot.INPUT else Masks(output=values[:, None])
    model = lstm_model(spec, {Place(spot): constant_mask(values)})
    x = np.random.default_rng(8).standard_normal((3, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(run(model, x), ByHand(parameters(spec), {0: masks})(x), atol=2e-6)


def test_the_kernel_is_glorot_uniform_and_the_bias_zero() -> None:
    weights = seeded_weights(input_size=30, units=50, seed=0)
    limit = np.sqrt(6 / (80 + 200))
    assert weights.kernel.shape == (80, 200)
    assert np.abs(weights.kernel).max() <= limit
    # The standard deviation of the squared deviate's mean over 16,000 draws is 0.6 %.
    assert weights.kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not weights.bias.any()


def test_one_seed_gives_one_kernel_and_layers_and_directions_have_their_own() -> None:
    assert np.array_equal(seeded_weights(2, 10, 4).kernel, seeded_weights(2, 10, 4).kernel)
    assert not np.array_equal(seeded_weights(2, 10, 4).kernel, seeded_weights(2, 10, 5).kernel)
    drawn = parameters(LSTMSpec(input_size=8, layers=(Layer(4), Layer(4)), bidirectional=True))
    kernels = [weights.kernel for directions in drawn.layers for weights in directions]
    assert all(not np.array_equal(a, b) for i, a in enumerate(kernels) for b in kernels[:i])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"opset": 10}, "opset 10"),
        ({"layers": ()}, "at least one layer"),
        ({"dtype": FloatType.FLOAT64, "recurrence": Recurrence.OPERATOR}, "use Scan"),
        ({"weight_keep_prob": 0.0}, "keep probability"),
        ({"embedding_keep_prob": 1.5}, "keep probability"),
    ],
)
def test_a_spec_that_cannot_be_built_says_why(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidArgument, match=complaint):
        LSTMSpec(**options)


def test_a_keep_probability_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="keep probability"):
        Wrapper(state_keep_prob=-0.1)


def test_every_name_in_a_model_is_used_once() -> None:
    spec = LSTMSpec(layers=(Layer(4), Layer(4)), bidirectional=True, recurrence=Recurrence.SCAN, head=Head.SOFTMAX)
    names: list[str] = []

    def collect(graph: onnx.GraphProto) -> None:
        for node in graph.node:
            names.append(node.name)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    collect(attribute.g)

    collect(lstm_model(spec).graph)
    assert len(names) == len(set(names))
