"""The evaluation from a folder to its exit status, on models made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropaudit_evaluation.__main__ import run
from dropaudit_evaluation.processes import over_processes
from support.fragile import square_or_die
from support.graphs import CHAIN, dense, model

HEALTHY: dict[str, Any] = {"file": "healthy.onnx", "role": "train", "verdict": ["PASS"], "codes": []}
UNSCALED: dict[str, Any] = {"file": "unscaled.onnx", "role": "train", "verdict": ["FAIL"], "codes": ["DA301"]}
BROKEN: dict[str, Any] = {"file": "broken.onnx", "role": "train", "exit": 2, "error": "invalid-model"}
PAIR: dict[str, Any] = {
    "file": "healthy.onnx",
    "inference": "inference.onnx",
    "inputs": "x.npz",
    "verdict": ["PASS"],
    "no_errors": True,
    "keep_prob_in": [0.65, 0.75],
}

# Batch normalization in training, spelled out behind a mask, in an operator set older than loops without a state.
TIED = (
    "g (float[N,16] x) => (float[N,16] y) <float q = {0.7}> { u = RandomUniformLike(x)  b = Less(u, q)"
    "  k = Cast<to = 1>(b)  h = Mul(x, k)  d = Div(h, q)  m = ReduceMean<axes = [0]>(d)  c = Sub(d, m)  s = Mul(c, c)"
    "  v = ReduceMean<axes = [0]>(s)  e = Add(v, q)  w = Sqrt(e)  y = Div(c, w) }"
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Write four files and no labels."""
    (tmp_path / "healthy.onnx").write_bytes(dense("y = Dropout(x, r, t)"))
    (tmp_path / "inference.onnx").write_bytes(dense("y = Identity(x)"))
    (tmp_path / "unscaled.onnx").write_bytes(dense(f"{CHAIN.format(x='x')}  y = Mul(x, m)"))
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    np.savez(tmp_path / "x.npz", x=np.ones((64, 16), np.float32))
    return tmp_path


def evaluate(corpus: Path, *rows: dict[str, Any], processes: int = 1) -> int:
    (corpus / "labels.json").write_text(json.dumps(rows))
    return run([str(corpus), "--processes", str(processes)])


def test_right_labels_exit_with_0(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(corpus, HEALTHY, UNSCALED, BROKEN, PAIR) == 0
    printed = capsys.readouterr().out
    assert "4 of 4 files agree with their labels" in printed
    assert "DA301  scale-missing                       1          .          .          ." in printed


def test_a_wrong_label_exits_with_1_and_says_where_and_why(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(corpus, HEALTHY, UNSCALED | {"codes": ["DA302"]}, processes=2) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "unscaled.onnx in role train" in lines
    assert "    DA302 is missing" in lines
    assert "1 of 2 files agree with their labels" in lines


def test_audits_that_draw_one_by_one_are_counted_with_their_reason(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "tied.onnx").write_bytes(model(TIED, '<ir_version: 5, opset_import: ["" : 10]>'))
    tied = {"file": "tied.onnx", "role": "train"}
    evaluate(corpus, HEALTHY, UNSCALED, BROKEN, tied)
    lines = capsys.readouterr().out.splitlines()
    assert "1 of 3 audits that draw replicates draw them one by one (33%)" in lines
    assert (
        "    1 since statistics over the batch tie its entries together; a loop wants operator set 11, no Dropout in a "
        "body, and none with the seed of another operator: tied.onnx"
    ) in lines


@pytest.mark.parametrize("labels", [None, "no labels", '[{"file": "gone.onnx"}]'])
def test_a_folder_without_usable_labels_exits_with_2(
    corpus: Path, labels: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if labels is not None:
        (corpus / "labels.json").write_text(labels)
    assert run([str(corpus)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_no_rows_agree_with_nothing(corpus: Path) -> None:
    assert evaluate(corpus) == 0


def test_a_process_that_dies_takes_down_its_own_item_only() -> None:
    found = dict(over_processes(square_or_die, [1, 2, 3, 4], processes=2))
    assert found == {1: 1, 2: 4, 3: None, 4: 16}
