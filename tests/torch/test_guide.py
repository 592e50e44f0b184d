"""Claims about docs/exporting.md: its PyTorch snippets run."""

from __future__ import annotations

from pathlib import Path

from support.guide import follow


def test_the_pytorch_snippets_run(tmp_path: Path) -> None:
    assert follow("torch", tmp_path) >= 5
    assert (tmp_path / "artifacts" / "made.inputs.npz").exists()
    assert (tmp_path / "by-hand.train.onnx").exists()
