"""Claims about the reference models and the seed case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit_models import export, reference_models
from dropaudit_models.seed_case import seed_case, seed_input


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
