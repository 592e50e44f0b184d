"""Claims about examples/: each runs, and ends as its text says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dropaudit.report import Verdict, from_json
from dropaudit_client.local.service import LocalService
from support.graphs import dense

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TABLE = (EXAMPLES / "README.md").read_text(encoding="utf-8")


def ran(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run an example to its end, with this environment's commands on PATH."""
    program = [str(EXAMPLES / name)] if name.endswith(".sh") else [sys.executable, str(EXAMPLES / name)]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        [*program, *map(str, arguments)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_table_has_every_example_and_nothing_else() -> None:
    there = {f"{entry.name}/" if entry.is_dir() else entry.name for entry in EXAMPLES.iterdir()}
    assert set(re.findall(r"^\| \[([^]]+)\]", TABLE, re.MULTILINE)) == there - {"README.md", "__pycache__/"}


def test_the_library_accepts_a_right_model_and_refuses_a_faulty_one(healthy: Path, faulty: Path) -> None:
    right, wrong = ran("library.py", healthy), ran("library.py", faulty)
    assert (right.returncode, right.stderr) == (0, "")
    assert right.stdout.startswith("PASS  ")
    assert "scale 2, expected 2" in right.stdout
    assert wrong.returncode == 1
    assert "ERROR DA301 output_dropout: " in wrong.stdout


def test_the_library_shows_a_site_that_was_not_measured(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(dense("d = Dropout(x, zero, t)  y = Neg(d)"))
    ended = ran("library.py", tmp_path / "model.onnx")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "DA105" in ended.stdout


def test_a_pair_passes_and_leaves_its_report(tmp_path: Path) -> None:
    for name, switch in (("train", "t"), ("inference", "off")):
        content = dense(f"h = Relu(x)  d = Dropout(h, r, {switch})  y = Neg(d)", extra=", bool off = {0}")
        (tmp_path / f"{name}.onnx").write_bytes(content)
    np.savez(tmp_path / "inputs.npz", x=np.ones((4, 16), np.float32))
    ended = ran("pair.py", tmp_path / "train.onnx", tmp_path / "inference.onnx", tmp_path / "inputs.npz")
    assert (ended.returncode, ended.stderr) == (0, "")
    report = from_json(json.loads((tmp_path / "train.report.json").read_text(encoding="utf-8")))
    assert report.execution.inputs[0].shape == (4, 16)
    assert not report.execution.inputs[0].synthesized


def test_the_gate_lets_no_faulty_model_through_and_shows_what_is_wrong(tmp_path: Path) -> None:
    models, results = tmp_path / "models", tmp_path / "results"
    models.mkdir()
    (models / "a b.onnx").write_bytes(dense("y = Relu(x)"))
    assert ran("ci_gate.sh", models, results).returncode == 0
    (models / "drops.onnx").write_bytes(dense("h = Relu(x)  d = Dropout(h, r, t)  u = Mul(d, q)  y = Neg(u)"))
    (models / "damaged.onnx").write_bytes(b"not a model")
    ended = ran("ci_gate.sh", models, results)
    assert ended.returncode == 1
    assert re.findall(r"^(\w+) +(.+)$", ended.stdout, re.MULTILINE)[:3] == [
        ("ok", "a b"),
        ("error", "damaged"),
        ("FAIL", "drops"),
    ]
    assert ElementTree.parse(results / "drops.xml").getroot().tag == "testsuites"
    assert json.loads((results / "drops.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (results / "drops.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    assert not (results / "a b.html").exists()


def test_the_gate_refuses_a_folder_without_models(tmp_path: Path) -> None:
    assert ran("ci_gate.sh", tmp_path, tmp_path / "results").returncode == 2


@pytest.mark.system
def test_the_client_follows_an_audit_and_a_second_call_finds_the_same(service: LocalService, faulty: Path) -> None:
    first, second = (ran("client.py", faulty, service.address, "7") for _ in range(2))
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr) == (1, "")
    assert first.stdout.splitlines()[-1] == second.stdout.splitlines()[-1]
    assert first.stdout.splitlines()[-1].startswith("FAIL  output_dropout: DA301")
    assert first.stdout.split()[0] == second.stdout.split()[0]


@pytest.mark.system
def test_the_client_says_in_a_sentence_that_no_service_answers(healthy: Path) -> None:
    ended = ran("client.py", healthy, "127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


@pytest.mark.system
def test_the_suite_runs_over_a_folder_and_can_be_run_again(service: LocalService, healthy: Path, faulty: Path) -> None:
    for _ in range(2):
        ended = ran("suite.py", healthy.parent, service.address)
        assert (ended.returncode, ended.stderr) == (1, "")
        *lines, last = ended.stdout.splitlines()
        assert sorted(line.split()[0] for line in lines) == [Verdict.FAIL, Verdict.PASS]
        assert last.startswith("FAIL  suites/nightly/runs/")
