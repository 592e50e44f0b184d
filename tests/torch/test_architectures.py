"""Claims about well-known architectures: both exporters, both modes, each role, and pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from dropaudit import Plan
from dropaudit.inputs import read_npz
from dropaudit.plan import Provider
from dropaudit_evaluation.labels import parse_labels
from dropaudit_evaluation.outcome import audit_row, disagreements
from dropaudit_models.torch.architectures.catalogue import ARCHITECTURES, Architecture, Exporter, Mode, Trait
from dropaudit_models.torch.architectures.corpus import write_architectures
from dropaudit_models.torch.architectures.export import made
from dropaudit_models.torch.architectures.rows import artifact_name, inputs_name, rows

PLAN = Plan(provider=Provider.CPU)
RUNS = 60
EXPORTS = tuple(product(ARCHITECTURES, Exporter))
EACH_EXPORT = pytest.mark.parametrize(
    ("architecture", "exporter"), EXPORTS, ids=[f"{each.name}-{exporter}" for each, exporter in EXPORTS]
)
Run = Callable[[], NDArray[Any]]


def row_id(row: dict[str, Any]) -> str:
    return f"{row['file']}-{'pair' if 'inference' in row else row['role']}"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are slowed down by threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every export, with its labels."""
    return write_architectures(tmp_path_factory.mktemp("architectures")).parent


@pytest.mark.parametrize("row", rows(), ids=row_id)
def test_an_architecture_gets_its_declared_verdict_and_findings(row: dict[str, Any], folder: Path) -> None:
    (label,) = parse_labels(msgspec.json.encode([row]), row["file"])
    assert disagreements(label, audit_row(folder, label, PLAN)) == ()


def runner(path: Path, inputs: Path) -> Run:
    """Return a function that runs an artifact with fresh masks."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(
        path, options, ["CPUExecutionProvider"], disabled_optimizers=["EliminateDropout"]
    )
    feeds, seeds = dict(read_npz(inputs)), np.random.default_rng(5)

    def run() -> NDArray[Any]:
        onnxruntime.set_seed(int(seeds.integers(2, 2**31 - 2)))
        found: NDArray[Any] = session.run(None, feeds)[0]
        return found

    return run


def as_written(architecture: Architecture, exporter: Exporter) -> Run:
    """Return a function that runs the module in train mode, but for what the exporter is known to leave out."""
    module, example = made(architecture)
    module.train()
    for part in module.modules():
        if isinstance(part, torch.nn.MultiheadAttention):
            part.dropout = 0.0
        if isinstance(part, torch.nn.BatchNorm2d) and exporter is Exporter.DYNAMO:
            part.eval()

    def run() -> NDArray[Any]:
        with torch.no_grad():
            found: NDArray[Any] = module(*example).numpy()
        return found

    return run


@EACH_EXPORT
def test_train_runs_of_module_and_artifact_have_one_mean_and_spread(
    architecture: Architecture, exporter: Exporter, folder: Path
) -> None:
    """Projections on the evaluation artifact's output; five standard errors, and half of a spread of 60 values."""
    if Trait.FROZEN in architecture.holds(exporter):
        return
    inputs = folder / inputs_name(architecture, exporter)
    train, reference = (runner(folder / artifact_name(architecture, exporter, mode), inputs) for mode in Mode)
    plain = reference().astype(np.float64)
    torch.manual_seed(1)
    found, expected = (
        np.array([(run() * plain).sum() for _ in range(RUNS)]) / (plain**2).sum()
        for run in (train, as_written(architecture, exporter))
    )
    # Layer scale leaves less of the branches than float32 can add up.
    rounding = 1e-6
    assert abs(found.mean() - expected.mean()) <= 5 * np.sqrt((found.var() + expected.var()) / RUNS) + rounding
    assert found.std() == pytest.approx(expected.std(), rel=0.5, abs=rounding)


@EACH_EXPORT
def test_an_artifact_varies_between_runs_where_it_holds_something_random(
    architecture: Architecture, exporter: Exporter, folder: Path
) -> None:
    held = architecture.holds(exporter)
    expected = {Mode.TRAIN: Trait.FROZEN not in held, Mode.EVAL: Trait.SAMPLING in held}
    for mode, varies in expected.items():
        run = runner(folder / artifact_name(architecture, exporter, mode), folder / inputs_name(architecture, exporter))
        assert (len({run().tobytes() for _ in range(8)}) > 1) == varies, mode


def operators(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


@EACH_EXPORT
def test_a_default_session_deletes_the_operators_that_are_said_to_lie_inside(
    architecture: Architecture, exporter: Exporter, folder: Path, tmp_path: Path
) -> None:
    path, kept = folder / artifact_name(architecture, exporter, Mode.TRAIN), tmp_path / "kept.onnx"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(kept)
    onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    written, left = (operators(onnx.load(each)) for each in (path, kept))
    held = architecture.holds(exporter)
    # Operators of rate 0 are deleted too, and are no sites.
    idle = architecture.name == "vit-drop-path"
    assert (left["Dropout"] < written["Dropout"] and not idle) == (Trait.OPERATORS in held)
    assert (left["Dropout"] > 0) == (Trait.SPARED in held)
    assert left["RandomUniformLike"] == written["RandomUniformLike"]
    assert (written["RandomUniformLike"] > 0) == (Trait.CHAINS in held)
    assert (written["RandomNormalLike"] > 0) == (Trait.NOISE in held)
