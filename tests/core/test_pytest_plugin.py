"""Claims about audits in tests of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest

from dropaudit import Plan, Provider, RecordedSubject, Role
from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.pytest import Model, assert_dropout_scaling
from dropaudit.report import Severity, Verdict
from dropaudit_models import export
from support.graphs import dense

PLAN = Plan(provider=Provider.CPU)
OWN_TESTS = """
from pathlib import Path
from dropaudit import Role

def test_healthy(dropout_audit):
    assert dropout_audit(Path("lstm-dropout.onnx"), role=Role.TRAIN).verdict == "PASS"

def test_faulty(dropout_audit):
    dropout_audit(Path("lstm-dropout-unscaled.onnx"), role=Role.TRAIN)
"""


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "model"])
def test_a_healthy_model_passes_however_it_is_given(kind: str, tmp_path: Path) -> None:
    path = export("lstm-dropout", tmp_path)
    forms: dict[str, Model] = {
        "path": path,
        "text": str(path),
        "bytes": path.read_bytes(),
        "model": onnx.load(path),
    }
    given = forms[kind]
    assert assert_dropout_scaling(given, role=Role.TRAIN, plan=PLAN).verdict is Verdict.PASS


def test_a_faulty_model_fails_with_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    path = export("lstm-dropout-unscaled", tmp_path)
    with pytest.raises(AssertionError) as failed:
        assert_dropout_scaling(path, role=Role.TRAIN, plan=PLAN)
    told = str(failed.value)
    assert told.startswith("FAIL: ")
    assert "ERROR DA301 scale-missing  output_dropout" in told
    assert "Remedy: Divide kept values" in told
    assert "DA405" not in told


def test_what_is_allowed_does_not_fail(tmp_path: Path) -> None:
    path = export("lstm-dropout-unscaled", tmp_path)
    report = assert_dropout_scaling(path, role=Role.TRAIN, plan=PLAN, allow={"DA301", "DA305"})
    assert report.verdict is Verdict.FAIL


def test_warnings_fail_where_that_is_asked_for() -> None:
    model = dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)")
    assert assert_dropout_scaling(model, role=Role.TRAIN, plan=PLAN).verdict is Verdict.WARN
    with pytest.raises(AssertionError, match="DA102"):
        assert_dropout_scaling(model, role=Role.TRAIN, plan=PLAN, fail_on=Severity.WARNING)


def test_pairs_and_recorded_outputs_are_audited_too(tmp_path: Path) -> None:
    train, plain = export("lstm-dropout", tmp_path), export("lstm", tmp_path)
    assert assert_dropout_scaling(train, inference=plain, plan=PLAN).verdict is Verdict.PASS
    ones = np.ones(50, dtype=np.float32)
    recorded = RecordedSubject(inference=ones, train=(np.where(np.arange(50) % 2, 3 * ones, 0),), keep_prob=0.5)
    with pytest.raises(AssertionError, match="DA303"):
        assert_dropout_scaling(recorded)


def test_an_undecided_test_fails_unless_that_is_allowed() -> None:
    # Of one element, 64 replicates say too little.
    model = dense("d = Dropout(x, r, t)  y = Neg(d)", columns=1)
    short = Plan(provider=Provider.CPU, max_replicates=64)
    inputs = {"x": np.ones((1, 1), dtype=np.float32)}
    with pytest.raises(AssertionError, match="DA901"):
        assert_dropout_scaling(model, role=Role.TRAIN, plan=short, inputs=inputs)
    report = assert_dropout_scaling(model, role=Role.TRAIN, plan=short, inputs=inputs, allow={"DA901"})
    assert report.verdict is Verdict.INCONCLUSIVE


def test_an_audit_that_cannot_be_made_is_no_failed_assertion(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        assert_dropout_scaling(tmp_path / "missing.onnx")
    with pytest.raises(InvalidModel):
        assert_dropout_scaling(b"no model")


def test_the_plugin_gives_a_fixture_that_notes_the_verdict(tmp_path: Path) -> None:
    for name in ("lstm-dropout", "lstm-dropout-unscaled"):
        export(name, tmp_path)
    (tmp_path / "test_own.py").write_text(OWN_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", *("-p", "dropaudit.pytest"), "-q", "--junit-xml", "own.xml"]
    # Only this plugin, whether or not the environment has it as an entry point.
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "1 failed, 1 passed" in ended.stdout
    assert "ERROR DA301 scale-missing" in ended.stdout
    assert "dropaudit/pytest.py" not in ended.stdout.split("short test summary")[0].split("FAILURES")[1].split("E  ")[0]
    noted = {each.get("name"): each.get("value") for each in ElementTree.parse(tmp_path / "own.xml").iter("property")}
    assert noted["dropaudit.verdict"] == "PASS"


def test_the_plugin_is_what_the_package_declares_and_loads_neither_onnx_nor_its_runtime() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["entry-points"]
    assert declared["pytest11"] == {"dropaudit": "dropaudit.pytest"}
    script = (
        "import sys, dropaudit.pytest; "
        "print([name for name in ('onnx', 'onnxruntime', 'grpc', 'rich') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"
