"""Claims about audits of what PyTorch exported: the verdicts that the catalogue declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dropaudit import Plan, audit
from dropaudit.plan import Provider, Role
from dropaudit.report import Report, Verdict
from dropaudit.subjects import ArtifactSubject, PairSubject
from dropaudit_models.torch import ready_made
from dropaudit_models.torch.catalogue import TORCH_MODELS, TorchModel
from dropaudit_models.torch.export import ExportedPair

PLAN = Plan(provider=Provider.CPU)
RUNS = 300
EACH_MODEL = pytest.mark.parametrize("model", TORCH_MODELS, ids=lambda model: model.name)
# Alpha dropout is judged by its own law, and what is random in both modes has no reference.
MEASURED = [model for model in TORCH_MODELS if model.name not in ("lstm-alpha", "lstm-always-on")]


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The example that a pair was exported with."""
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.fixture(scope="session")
def reports(pairs: dict[str, ExportedPair]) -> dict[str, Report]:
    """The audit of each pair on its example."""
    return {
        name: audit(
            PairSubject(
                train=pair.train.read_bytes(), inference=pair.inference.read_bytes(), inputs=arrays(pair.inputs)
            ),
            PLAN,
        )
        for name, pair in pairs.items()
    }


@EACH_MODEL
def test_a_pair_gets_its_declared_verdict_and_findings(model: TorchModel, reports: dict[str, Report]) -> None:
    report = reports[model.name]
    assert report.verdict in model.verdicts
    assert codes(report) >= set(model.codes)


@EACH_MODEL
def test_a_train_artifact_alone_shows_its_dropout_and_an_inference_artifact_none(
    model: TorchModel, pairs: dict[str, ExportedPair]
) -> None:
    pair = pairs[model.name]
    train = audit(ArtifactSubject(model=pair.train.read_bytes(), role=Role.TRAIN), PLAN)
    inference = audit(ArtifactSubject(model=pair.inference.read_bytes(), role=Role.INFERENCE), PLAN)
    assert train.sites
    if Verdict.FAIL not in model.verdicts:
        assert train.verdict in (Verdict.PASS, Verdict.WARN)
    assert ("DA103" in codes(inference)) == ("DA103" in model.codes)
    assert (inference.verdict is Verdict.PASS) == ("DA103" not in model.codes)


@pytest.mark.parametrize("model", MEASURED, ids=lambda model: model.name)
def test_the_modules_own_train_runs_lie_in_the_audits_interval(model: TorchModel, reports: dict[str, Report]) -> None:
    """The projection of a train output on the inference output, here from PyTorch, there from the artifact."""
    module, example = getattr(ready_made, model.factory)()
    with torch.no_grad():
        reference = module.eval()(*example).numpy()
        module.train()
        factors = np.array([(module(*example).numpy() * reference).sum() for _ in range(RUNS)]) / (reference**2).sum()
    interval = reports[model.name].outputs[0].scale_factor
    assert interval is not None
    error = 5 * factors.std() / np.sqrt(RUNS)
    assert interval.lower - error <= factors.mean() <= interval.upper + error
