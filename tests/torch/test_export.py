"""Claims about exporting modules of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit_models.errors import ExportFailed
from dropaudit_models.torch.export import export_pair
from dropaudit_models.torch.load import capture
from dropaudit_models.torch.notes import Problem

EXAMPLE = (torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0)),)


class Modes(nn.Module):
    """A module whose submodules stand in different modes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 8)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(self.first(x))


class ConstantMask(nn.Module):
    """Masks of ones: the exporter's optimizer computes them once."""

    def __init__(self, masks: int = 1) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(masks))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x) * functional.dropout(torch.ones(4, 1, 3), 0.3, self.training)
        return x


class BernoulliMask(nn.Module):
    """The same with torch.bernoulli."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.bernoulli(torch.full((4, 6, 3), 0.5)) * 2 if self.training else x


class LiveMask(nn.Module):
    """Two masks made alike from the data's shape, which the optimizer would merge into one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(2):
            x = torch.tanh(x) * functional.dropout(x.new_ones(x.shape[0], 1, 3), 0.3, self.training)
        return x


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def test_every_submodule_has_its_own_mode_again_also_after_a_failure(tmp_path: Path) -> None:
    module = Modes().train()
    module.drop.eval()
    export_pair(module, EXAMPLE, tmp_path)
    assert (module.training, module.first.training, module.drop.training) == (True, True, False)
    with pytest.raises(ExportFailed):
        export_pair(module, (torch.zeros(2, 2),), tmp_path)
    assert (module.training, module.first.training, module.drop.training) == (True, True, False)


def test_the_module_still_computes_and_learns_after_the_export(tmp_path: Path) -> None:
    module = nn.LSTM(3, 4, 2, dropout=0.5, batch_first=True).eval()
    before = module(*EXAMPLE)[0]
    export_pair(module, EXAMPLE, tmp_path)
    after = module(*EXAMPLE)[0]
    assert torch.equal(before, after)
    after.sum().backward()
    assert module.weight_hh_l0.grad is not None


@pytest.mark.parametrize(
    ("module", "masks", "operator"),
    [
        (ConstantMask(), 1, "Dropout"),
        (ConstantMask(2), 2, "Dropout"),
        (LiveMask(), 2, "Dropout"),
        (BernoulliMask(), 1, "Bernoulli"),
    ],
    ids=["constant", "two-constants", "two-made-alike", "bernoulli"],
)
def test_masks_that_the_exporter_would_fold_or_merge_stay_random_operators(
    module: nn.Module, masks: int, operator: str, tmp_path: Path
) -> None:
    pair = export_pair(module, EXAMPLE, tmp_path)
    assert operators(pair.train).count(operator) == masks
    assert [note.problem for note in pair.notes] == [Problem.MASKS_FOLDED]
    assert operator not in operators(pair.inference)


def test_an_ordinary_module_is_written_optimized_and_without_notes(tmp_path: Path) -> None:
    pair = export_pair(Modes(), EXAMPLE, tmp_path)
    assert pair.notes == ()
    assert operators(pair.train)[-1] == "Dropout"
    assert len(operators(pair.train)) <= 3
    assert "Dropout" not in operators(pair.inference)


def test_the_example_is_written_under_the_artifacts_input_names(tmp_path: Path) -> None:
    pair = export_pair(Modes(), EXAMPLE, tmp_path, name="mine")
    names = [value.name for value in onnx.load(pair.train).graph.input]
    with np.load(pair.inputs) as arrays:
        assert arrays.files == names
        np.testing.assert_array_equal(arrays[names[0]], EXAMPLE[0].numpy())
    assert sorted(path.name for path in tmp_path.glob("mine.*")) == [
        "mine.inference.onnx",
        "mine.inputs.npz",
        "mine.train.onnx",
    ]


def test_a_free_batch_dimension_can_be_asked_for(tmp_path: Path) -> None:
    pair = export_pair(Modes(), EXAMPLE, tmp_path, dynamic_shapes=({0: "batch"},))
    for path in (pair.train, pair.inference):
        (value,) = onnx.load(path).graph.input
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        (nn.Sequential(nn.Linear(3, 3)), Problem.NO_DROPOUT),
        (nn.Sequential(nn.Dropout(0.5), nn.Flatten(0, 1), nn.BatchNorm1d(3)), Problem.BATCH_STATISTICS),
    ],
    ids=["nothing-random", "batch-norm"],
)
def test_known_problems_of_a_module_are_noted(module: nn.Module, problem: Problem, tmp_path: Path) -> None:
    assert problem in {note.problem for note in export_pair(module, EXAMPLE, tmp_path).notes}


def test_dropout_of_a_one_layer_lstm_is_noted_to_have_no_effect(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        module = nn.LSTM(3, 4, dropout=0.5, batch_first=True)
    problems = {note.problem for note in export_pair(module, EXAMPLE, tmp_path).notes}
    assert problems == {Problem.ONE_LAYER, Problem.NO_DROPOUT}


def test_batch_norm_is_in_inference_mode_in_both_artifacts(tmp_path: Path) -> None:
    pair = export_pair(nn.Sequential(nn.Flatten(0, 1), nn.BatchNorm1d(3)), EXAMPLE, tmp_path)
    for path in (pair.train, pair.inference):
        for node in onnx.load(path).graph.node:
            training = [attribute.i for attribute in node.attribute if attribute.name == "training_mode"]
            assert node.op_type != "BatchNormalization" or training in ([], [0])


def test_a_function_of_ones_own_is_found_by_module_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\n\ndef made():\n    return torch.nn.Dropout(0.5), torch.ones(2, 8)\n\n"
        "def wrong():\n    return 3\n\nvalue = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    assert capture("mine:made", tmp_path / "out").train == tmp_path / "out" / "made.train.onnx"
    for target, complaint in (
        ("mine:wrong", "not int"),
        ("mine:value", "not a function"),
        ("mine:absent", "cannot find"),
        ("nowhere:made", "cannot find"),
        ("mine", "MODULE:FUNCTION"),
    ):
        with pytest.raises(InvalidArgument, match=complaint):
            capture(target, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableFile, match="cannot write"):
        export_pair(Modes(), EXAMPLE, tmp_path / "file")
