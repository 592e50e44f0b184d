"""Claims about the ready-made PyTorch models: what is exported is the module, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from dropaudit_models.torch import ready_made
from dropaudit_models.torch.catalogue import TORCH_MODELS, TorchModel
from dropaudit_models.torch.export import ExportedPair
from dropaudit_models.torch.training import accuracy, trained_classifier

RUNS = 400
EACH_MODEL = pytest.mark.parametrize("model", TORCH_MODELS, ids=lambda model: model.name)


def runner(path: Path, inputs: Path) -> Callable[[], NDArray[Any]]:
    """Return a function that runs an artifact with fresh masks; fact: consecutive runs alone would be correlated."""
    session = onnxruntime.InferenceSession(
        str(path),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["EliminateDropout", "CommonSubexpressionElimination"],
    )
    with np.load(inputs) as arrays:
        feeds = {name: arrays[name] for name in arrays.files}
    seeds = np.random.default_rng(5)

    def run() -> NDArray[Any]:
        onnxruntime.set_seed(int(seeds.integers(2, 2**31 - 2)))
        (result,) = session.run(None, feeds)
        found: NDArray[Any] = result
        return found

    return run


def made(model: TorchModel) -> tuple[Any, tuple[Any, ...]]:
    """Make a model's module and example."""
    module, example = getattr(ready_made, model.factory)()
    return module, example


def zero_shares(runs: NDArray[Any]) -> NDArray[np.float64]:
    """Share of exact zeros of each run."""
    shares: NDArray[np.float64] = (runs == 0).reshape(len(runs), -1).mean(axis=1)
    return shares


def projections(runs: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """<y, y_ref> / <y_ref, y_ref> of each run."""
    factors: NDArray[np.float64] = (runs * reference).reshape(len(runs), -1).sum(axis=1) / (reference**2).sum()
    return factors


@EACH_MODEL
def test_the_inference_artifact_is_the_module_on_onnx_runtime(
    model: TorchModel, pairs: dict[str, ExportedPair]
) -> None:
    pair = pairs[model.name]
    if "DA103" in model.codes:
        assert pair.difference is None
        return
    module, example = made(model)
    with torch.no_grad():
        expected = module.eval()(*example).numpy()
    found = runner(pair.inference, pair.inputs)()
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, atol=1e-5 * scale)
    assert pair.difference is not None
    assert pair.difference <= 1e-5 * scale


@EACH_MODEL
def test_train_runs_of_module_and_artifact_have_one_distribution(
    model: TorchModel, pairs: dict[str, ExportedPair]
) -> None:
    """Shares of exact zeros, and projections on the inference output: mean and spread over 400 runs of each."""
    module, example = made(model)
    with torch.no_grad():
        reference = module.eval()(*example).numpy()
        module.train()
        of_module = np.stack([module(*example).numpy() for _ in range(RUNS)])
    run = runner(pairs[model.name].train, pairs[model.name].inputs)
    of_artifact = np.stack([run() for _ in range(RUNS)])
    for a, b in (
        (zero_shares(of_module), zero_shares(of_artifact)),
        (projections(of_module, reference), projections(of_artifact, reference)),
    ):
        # Five standard errors of the difference of two means; a spread of 400 values is known to 3.5 %.
        assert abs(a.mean() - b.mean()) <= 5 * np.sqrt((a.var() + b.var()) / RUNS) + 1e-12
        assert a.std() == pytest.approx(b.std(), rel=0.25, abs=1e-6)


@EACH_MODEL
def test_the_train_artifact_draws_new_masks_in_each_run(model: TorchModel, pairs: dict[str, ExportedPair]) -> None:
    run = runner(pairs[model.name].train, pairs[model.name].inputs)
    assert len({run().tobytes() for _ in range(5)}) == 5


def test_the_classifier_has_learned_and_dropout_costs_it_little() -> None:
    module, _ = trained_classifier()
    assert accuracy(module.eval()) > 0.95
    assert accuracy(module.train()) > 0.8


def test_the_trained_classifier_is_the_same_each_time() -> None:
    first, second = (trained_classifier()[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", ["lstm-weight-drop"])
def test_masks_that_the_optimizer_would_fold_are_noted(name: str, pairs: dict[str, ExportedPair]) -> None:
    assert [str(note.problem) for note in pairs[name].notes] == ["masks-folded"]


def test_a_healthy_model_has_no_notes(pairs: dict[str, ExportedPair]) -> None:
    assert pairs["lstm-stacked"].notes == pairs["lstm-alpha"].notes == ()
