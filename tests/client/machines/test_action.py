"""Claims about the action in examples/: it audits what it is given, and leaves what other steps want."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dropaudit_models import export

ACTION = Path(__file__).parents[3] / "examples" / "github-action"


def audited(folder: Path, models: str, options: str = "") -> subprocess.CompletedProcess[str]:
    """Run the action's one step in a folder, with the command on PATH and a file for the summary."""
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    given = {"models": models, "role": "train", "options": options, "results": action["inputs"]["results"]["default"]}
    environ = {name: given[re.findall(r"inputs\.(\w+)", value)[0]] for name, value in step["env"].items()}
    script = step["run"].replace("${{ github.action_path }}", str(ACTION))
    return subprocess.run(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            **environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_model_is_told_in_all_formats_and_the_gravest_status_is_the_steps(tmp_path: Path) -> None:
    export("lstm-dropout", tmp_path / "my models")
    export("lstm-dropout-unscaled", tmp_path)
    ended = audited(tmp_path, "my models/lstm-dropout.onnx\nlstm-dropout-unscaled.onnx\n", "--seed 3 --alpha '0.01'")
    assert ended.returncode == 1, ended.stderr
    names = {path.name for path in (tmp_path / "dropaudit-results").iterdir()}
    stems = ("1-lstm-dropout", "2-lstm-dropout-unscaled")
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("json", "xml", "sarif", "html", "md")}
    summary = (tmp_path / "summary.md").read_text()
    assert re.findall("^## (PASS|FAIL)", summary, re.MULTILINE) == ["PASS", "FAIL"]
    assert "my%20models/lstm-dropout.onnx" in (tmp_path / "dropaudit-results" / "1-lstm-dropout.sarif").read_text()
    assert "seed 3" in summary


def test_a_missing_model_is_an_error_in_all_formats_and_the_others_are_audited(tmp_path: Path) -> None:
    export("lstm-dropout", tmp_path)
    ended = audited(tmp_path, "missing.onnx\nlstm-dropout.onnx")
    assert ended.returncode == 2
    results = tmp_path / "dropaudit-results"
    assert "UNREADABLE_FILE" in (results / "1-missing.sarif").read_text()
    assert 'errors="1"' in (results / "1-missing.xml").read_text()
    assert "no audit was made" in (tmp_path / "summary.md").read_text()
    assert (results / "2-lstm-dropout.html").exists()


@pytest.mark.parametrize("options", ["$(touch owned)", "; touch owned"])
def test_options_are_words_and_no_program(tmp_path: Path, options: str) -> None:
    assert audited(tmp_path, "missing.onnx", options).returncode == 2
    assert not (tmp_path / "owned").exists()


def test_the_workflow_names_inputs_and_outputs_that_the_action_has() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    text = (ACTION / "workflow.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["audit"]["steps"]
    (used,) = [step for step in steps if step.get("id") == "dropaudit"]
    assert set(used["with"]) <= set(action["inputs"])
    assert set(re.findall(r"steps\.dropaudit\.outputs\.(\w+)", text)) <= set(action["outputs"])
