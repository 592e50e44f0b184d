"""Claims about `dropaudit models` and `dropaudit capture`, in an environment without PyTorch and TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from dropaudit.errors import InvalidArgument
from dropaudit_client.cli.app import app
from dropaudit_models.errors import ExportFailed, FrameworkMissing
from dropaudit_models.offers import Framework, export_offer, offers
from dropaudit_models.specimens import KINDS
from dropaudit_models.tensorflow.process import export_in_process
from dropaudit_models.torch.load import require_torch


def command(*arguments: object) -> list[str]:
    """Run `dropaudit` and return the lines it prints; errors leave as exceptions."""
    ended = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False, obj={})
    assert ended.exit_code == 0
    return ended.stdout.splitlines()


def test_the_list_shows_every_kind_with_the_findings_it_raises() -> None:
    lines = {line.split()[0]: line for line in command("models", "catalogue", "--framework", "native")}
    assert lines.keys() >= {kind.name for kind in KINDS} | {"lstm", "lstm-dropout", "lstm-dropout-unscaled"}
    assert "DA302" in lines["scale-doubled"]
    assert len(command("models", "catalogue")) == len(offers()) + 1


def test_a_single_artifact_is_one_file_and_a_pair_two(tmp_path: Path) -> None:
    (single,) = command("models", "export", "memory-dropped", "-o", tmp_path)
    train, inference = command("models", "export", "pair-outputs-times-q", "-o", tmp_path)
    for path in (single, train, inference):
        onnx.checker.check_model(onnx.load(path))
    assert inference.endswith("__inference.onnx")


def test_the_names_of_the_demo_export_to_their_own_files(tmp_path: Path) -> None:
    for name in ("lstm", "lstm-dropout", "lstm-dropout-unscaled"):
        assert command("models", "export", name, "-o", tmp_path) == [str(tmp_path / f"{name}.onnx")]


def test_a_corpus_is_written_and_its_labels_are_named(tmp_path: Path) -> None:
    (labels,) = command("models", "corpus", tmp_path / "corpus", "--count", 5, "--seed", 1)
    assert labels == str(tmp_path / "corpus" / "labels.json")


def test_an_unknown_name_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"no native model 'lstm-locked'.*locked"):
        export_offer("lstm-locked", tmp_path)
    with pytest.raises(InvalidArgument, match=r"no torch model 'locked'.*lstm-locked"):
        export_offer("locked", tmp_path, Framework.TORCH)


def test_without_pytorch_the_extra_is_named() -> None:
    with pytest.raises(FrameworkMissing, match=r"torch is not installed.*models-torch"):
        require_torch(lambda package: None)


def test_an_interpreter_without_tensorflow_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho 'No module named dropaudit_models' >&2\nexit 1\n")
    bare.chmod(0o755)
    with pytest.raises(FrameworkMissing, match="models-tensorflow"):
        export_in_process("seed", tmp_path, str(bare))
    with pytest.raises(InvalidArgument, match="cannot run"):
        export_in_process("seed", tmp_path, str(tmp_path / "nowhere"))


def test_an_exporter_that_fails_says_its_last_line(tmp_path: Path) -> None:
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'first' >&2\necho 'shapes differ' >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(ExportFailed, match="shapes differ"):
        export_in_process("seed", tmp_path, str(failing))


def test_the_interpreter_at_hand_is_the_default() -> None:
    assert export_offer.__defaults__ == (Framework.NATIVE, sys.executable)
