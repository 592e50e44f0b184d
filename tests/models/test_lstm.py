"""Claims about the reference LSTMs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit_models import export, reference_models
from dropaudit_models.lstm import lstm_model, no_dropout, output_dropout, unscaled_dropout
from dropaudit_models.seed_case import seed_case, seed_input
from dropaudit_models.weights import LSTMWeights, seeded_weights

Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def lstm_cell_by_hand(weights: LSTMWeights, x: Floats) -> Floats:
    """TF's LSTMCell step by step.

    [x, h] @ kernel + bias = i, j, f, o; c = sigmoid(f + 1) c + sigmoid(i) tanh(j); h = sigmoid(o) tanh(c).
    """
    batch, steps, _ = x.shape
    h = c = np.zeros((batch, weights.units))
    outputs = []
    for step in range(steps):
        gates = np.concatenate([x[:, step], h], axis=1) @ weights.kernel.astype(float) + weights.bias
        i, j, f, o = (gates[:, k * weights.units : (k + 1) * weights.units] for k in range(4))
        c = sigmoid(f + weights.forget_bias) * c + sigmoid(i) * np.tanh(j)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def run(model: onnx.ModelProto, x: Floats) -> Floats:
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, ["CPUExecutionProvider"], disabled_optimizers=["EliminateDropout"]
    )
    found: Floats = session.run(None, {"x": x.astype(np.float32)})[0]
    return found


@pytest.mark.parametrize(("batch", "steps"), [(5, 1), (1, 7), (3, 16)])
def test_the_onnx_lstm_is_tensorflows_cell(batch: int, steps: int) -> None:
    weights = seeded_weights(input_size=2, units=10, seed=0)
    x = np.random.default_rng(1).standard_normal((batch, steps, 2))
    found = run(lstm_model(weights, no_dropout), x)
    np.testing.assert_allclose(found, lstm_cell_by_hand(weights, x), atol=2e-6)


def test_a_bias_and_another_forget_bias_reach_their_gates() -> None:
    rng = np.random.default_rng(2)
    drawn = seeded_weights(input_size=3, units=4, seed=1)
    weights = LSTMWeights(drawn.kernel, rng.standard_normal(16).astype(np.float32), forget_bias=0.25)
    x = rng.standard_normal((2, 5, 3))
    np.testing.assert_allclose(run(lstm_model(weights, no_dropout), x), lstm_cell_by_hand(weights, x), atol=2e-6)


def test_the_kernel_is_glorot_uniform_and_the_bias_zero() -> None:
    weights = seeded_weights(input_size=30, units=50, seed=0)
    limit = np.sqrt(6 / (80 + 200))
    assert weights.kernel.shape == (80, 200)
    assert np.abs(weights.kernel).max() <= limit
    assert weights.kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not weights.bias.any()


def test_one_seed_gives_one_kernel() -> None:
    assert np.array_equal(seeded_weights(2, 10, 4).kernel, seeded_weights(2, 10, 4).kernel)
    assert not np.array_equal(seeded_weights(2, 10, 4).kernel, seeded_weights(2, 10, 5).kernel)


@pytest.mark.parametrize("keep_prob", [0.3, 0.5, 0.8])
def test_the_twins_drop_the_plain_output_and_scale_or_not(keep_prob: float) -> None:
    weights = seeded_weights(2, 10, 0)
    x = np.random.default_rng(3).standard_normal((64, 8, 2))
    plain = run(lstm_model(weights, no_dropout), x)
    for dropout, factor in ((output_dropout(keep_prob), 1 / keep_prob), (unscaled_dropout(keep_prob), 1.0)):
        dropped = run(lstm_model(weights, dropout), x)
        kept = dropped != 0
        assert kept.mean() == pytest.approx(keep_prob, abs=0.03)
        np.testing.assert_allclose(dropped[kept], plain[kept] * factor, rtol=1e-5)


def test_exported_files_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for model in reference_models():
        first, second = export(model.name, tmp_path / "a"), export(model.name, tmp_path / "b")
        assert first.read_bytes() == second.read_bytes()
        onnx.checker.check_model(onnx.load(first))


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="lstm-dropout-unscaled"):
        export("gru", tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableFile, match="cannot write"):
        export("lstm", tmp_path / "file" / "below")


def test_the_seed_case_is_five_rows_of_ten_units() -> None:
    case = seed_case()
    assert case.inference.shape == case.train[0].shape == (5, 1, 10)
    assert seed_input().ravel().tolist() == list(range(1, 11))
    assert np.count_nonzero(case.train[0]) == 23
