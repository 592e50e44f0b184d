"""Claims about docs/exporting.md: its TensorFlow snippets run, in TensorFlow's environment."""

from __future__ import annotations

from pathlib import Path

import onnx

from support.guide import follow


def test_the_tensorflow_snippets_run(tmp_path: Path) -> None:
    assert follow("tensorflow", tmp_path) >= 4
    for name in ("seed-case", "keras.train"):
        onnx.checker.check_model(onnx.load(tmp_path / f"{name}.onnx"))
