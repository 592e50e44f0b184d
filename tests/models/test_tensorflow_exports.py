"""Claims about the graphs that TensorFlow exported, kept as fixtures; `make tensorflow-fixtures` makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from dropaudit_models.lstm.gate_weights import LSTMWeights
from dropaudit_models.seed_case import seed_case, seed_input
from dropaudit_models.tensorflow.catalogue import TENSORFLOW_MODELS
from dropaudit_models.tensorflow.seeds import seeds, without_seeds
from support.lstm_by_hand import Masks, cell_by_hand

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tensorflow"
X = np.random.default_rng(0).standard_normal((5, 6, 2)).astype(np.float32)
RUNS = 200


def runs(name: str, x: NDArray[np.float32], count: int = 1) -> list[list[NDArray[Any]]]:
    """Run a fixture in one session, which draws new masks in each run unless it is seeded."""
    session = onnxruntime.InferenceSession(
        str(FIXTURES / f"{name}.onnx"),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["EliminateDropout", "CommonSubexpressionElimination"],
    )
    return [session.run(None, {"x:0": x}) for _ in range(count)]


def weights_of(name: str) -> LSTMWeights:
    """The kernel of TensorFlow's cell as the export holds it; its bias is zero and left out, the forget bias 1."""
    arrays = map(numpy_helper.to_array, onnx.load(FIXTURES / f"{name}.onnx").graph.initializer)
    (kernel,) = (array for array in arrays if array.shape == (12, 40))
    return LSTMWeights(kernel.astype(float), np.zeros(40))


def test_the_labels_are_those_of_the_catalogue_and_name_the_files() -> None:
    rows = json.loads((FIXTURES / "labels.json").read_text())
    assert rows == [model.row() for model in TENSORFLOW_MODELS]
    assert {row["file"] for row in rows} == {path.name for path in FIXTURES.glob("*.onnx")}


def test_the_seed_example_has_survivors_of_exactly_twice_the_plain_output() -> None:
    shares = []
    for plain, dropped in runs("seed-case", seed_input(), RUNS):
        kept = dropped != 0
        assert np.array_equal(dropped[kept], 2 * plain[kept])
        shares.append(kept.mean())
    # Five standard deviations of the share of 10,000 cells.
    assert np.mean(shares) == pytest.approx(0.5, abs=0.025)


def test_the_seed_examples_plain_output_is_the_cell_and_its_printed_twin_has_the_same_shape() -> None:
    ((plain, _),) = runs("seed-case", seed_input())
    expected = cell_by_hand(weights_of("seed-case"), seed_input().astype(float))
    np.testing.assert_allclose(plain, expected, atol=2e-6)
    assert plain.shape == seed_case().inference.shape


@pytest.mark.parametrize(("name", "keep_prob"), [("wrapper-output", 0.6), ("keras-output", 0.6)])
def test_output_dropout_drops_outputs_and_scales_survivors(name: str, keep_prob: float) -> None:
    shares = []
    for plain, dropped in runs(name, X, RUNS):
        kept = dropped != 0
        np.testing.assert_allclose(dropped[kept], plain[kept] / keep_prob, rtol=2e-6)
        shares.append(kept.mean())
    # Five standard deviations of the share of 60,000 cells.
    assert np.mean(shares) == pytest.approx(keep_prob, abs=0.01)


def mean_differences(name: str) -> list[float]:
    """For each time step, how often the output of a unit in train mode is another than in inference mode."""
    different = [np.abs(dropped - plain) > 1e-6 for plain, dropped in runs(name, X, RUNS)]
    return [float(share) for share in np.mean(different, axis=(0, 1, 3))]


@pytest.mark.parametrize("name", ["wrapper-state", "keras-recurrent-dropout"])
def test_state_dropout_is_not_seen_in_the_first_step_and_always_later(name: str) -> None:
    first, second, *_ = mean_differences(name)
    assert first == 0
    assert second > 0.99


def test_state_dropout_of_the_wrapper_hits_h_and_leaves_the_memory_alone() -> None:
    """Of all 1,024 masks of ten units on h exactly one explains the second step, and c has none."""
    ((_, dropped),) = runs("wrapper-state", X)
    masks = ((np.arange(1024)[:, None] >> np.arange(10)) & 1) / 0.7
    for row in range(5):
        x = np.broadcast_to(X[row, :2].astype(float), (1024, 2, 2))
        tried = cell_by_hand(weights_of("wrapper-state"), x, Masks(h=masks))[:, 1]
        distance = np.abs(tried - dropped[row, 1]).max(axis=1)
        assert np.count_nonzero(distance < 2e-6) == 1


@pytest.mark.parametrize("name", ["wrapper-input", "keras-dropout"])
def test_input_dropout_is_seen_in_every_step(name: str) -> None:
    assert min(mean_differences(name)) > 0.2


def test_variational_masks_are_one_for_batch_and_time() -> None:
    for _, dropped in runs("wrapper-variational", X, 20):
        kept = dropped != 0
        assert np.array_equal(kept, np.broadcast_to(kept[:1, :1], kept.shape))


def test_as_written_every_session_replays_one_sequence_and_repaired_ones_have_no_seed() -> None:
    for model in TENSORFLOW_MODELS:
        found = seeds(onnx.load(FIXTURES / f"{model.name}.onnx"))
        assert set(found.values()) == ({0.0} if model.seeded else set())
    first, second = (runs("seed-case-as-written", seed_input(), 3) for _ in range(2))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_tf2onnx_makes_one_mask_of_two_unseeded_ones_unless_they_are_told_apart() -> None:
    def drawn(name: str) -> int:
        return sum(node.op_type == "RandomUniform" for node in onnx.load(FIXTURES / f"{name}.onnx").graph.node)

    assert (drawn("wrapper-variational-as-written"), drawn("wrapper-variational")) == (1, 2)


def test_inference_mode_holds_no_random_operator() -> None:
    (first,), (second,) = runs("keras-inference", X, 2)
    assert np.array_equal(first, second)
    assert b"Random" not in (FIXTURES / "keras-inference.onnx").read_bytes()


def test_seeds_are_taken_from_bodies_too_and_nothing_else_changes() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[N] x, bool c) => (float[N] y) {'
        "u = RandomUniformLike<seed = 3.0, high = 2.0>(x)"
        "v = If<then_branch = a () => (float[N] w) { w = RandomNormalLike<seed = 4.0>(x) },"
        "       else_branch = b () => (float[N] w) { w = Identity(x) }>(c)"
        "y = Add(u, v) }"
    )
    for index, node in enumerate(model.graph.node):
        node.name = f"n{index}"
    assert sorted(seeds(model).values()) == [3.0, 4.0]
    changed = without_seeds(model)
    assert seeds(changed) == {}
    assert changed.graph.node[0].attribute[0].name == "high"
    assert sorted(seeds(model).values()) == [3.0, 4.0]
