"""The command's contract: what is on stdout, what on stderr, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import typer

from dropaudit.findings import CATALOGUE
from dropaudit.report import Verdict, from_json
from dropaudit_client.cli.app import app, branch
from dropaudit_client.terminal.outcome import Exit, FailOn, exit_status
from support.command import COMMAND, dropaudit, sentence
from support.graphs import dense

Recording = tuple[Path, Path]


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, Path]:
    """Inverted dropout with keep probability 0.5: 24 of 50 elements kept, each doubled."""
    inference = np.linspace(0.1, 1.0, 50, dtype=np.float32)
    mask = np.arange(50) % 25 < 12
    paths = tmp_path / "inference.npy", tmp_path / "train.npy"
    np.save(paths[0], inference)
    np.save(paths[1], np.where(mask, inference * 2, 0).astype(np.float32))
    return paths


def test_json_is_the_report_and_nothing_else_on_stdout(recording: Recording) -> None:
    ended = dropaudit("compare", *recording, "--keep-prob", 0.5, "--format", "json")
    assert from_json(json.loads(ended.stdout)).verdict is Verdict.PASS
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_wrong_declaration_exits_with_1(recording: Recording) -> None:
    ended = dropaudit("compare", *recording, "--keep-prob", 0.8)
    assert ended.returncode == 1
    assert "FAIL" in ended.stdout


def test_text_in_a_pipe_is_plain_and_fits_80_columns(recording: Recording) -> None:
    ended = dropaudit("compare", *recording)
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_a_report_file_leaves_stdout_empty(recording: Recording, tmp_path: Path) -> None:
    ended = dropaudit("compare", *recording, "--format", "json", "-o", tmp_path / "report.json")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("compare", "missing.npy", "missing.npy"), "UNREADABLE_FILE"),
        (("compare", "/", "/"), "UNREADABLE_FILE"),
        (("compare", "missing.npy"), "INVALID_ARGUMENT"),
        (("run", "missing.onnx"), "UNREADABLE_FILE"),
        (("run", "/"), "UNREADABLE_FILE"),
        (("run", __file__), "INVALID_MODEL"),
        (("run", __file__, "--role", "nonsense"), "INVALID_ARGUMENT"),
        (("run", __file__, "--alpha", "2"), "INVALID_ARGUMENT"),
        (("run", __file__, "-o", "/missing/report.json"), "UNREADABLE_FILE"),
        (("inspect", __file__), "INVALID_MODEL"),
        (("submit", __file__, __file__), "INVALID_ARGUMENT"),
        (("get", "audits/1", "--address", "127.0.0.1:1"), "SERVICE_UNAVAILABLE"),
    ],
)
def test_bad_use_is_one_json_error_and_status_2(arguments: tuple[str, ...], reason: str) -> None:
    ended = dropaudit(*arguments, "--format", "json")
    assert json.loads(ended.stdout)["error"]["reason"] == reason
    assert (ended.returncode, ended.stderr) == (2, "")


@pytest.mark.parametrize("arguments", [("compare", "missing.npy", "missing.npy"), ("run", __file__), ("nonsense",)])
def test_bad_use_is_one_sentence_on_stderr(arguments: tuple[str, ...]) -> None:
    assert sentence(dropaudit(*arguments)) != ""


@pytest.mark.parametrize(("form", "start"), [("html", "<!DOCTYPE html>"), ("junit", "<?xml"), ("sarif", "{")])
def test_every_format_goes_to_stdout_or_to_a_file(recording: Recording, tmp_path: Path, form: str, start: str) -> None:
    ended = dropaudit("compare", *recording, "--format", form)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(start)
    filed = dropaudit("compare", *recording, "--format", form, "-o", tmp_path / "report")
    assert (filed.returncode, filed.stdout) == (0, "")
    assert (tmp_path / "report").read_text().startswith(start)


@pytest.mark.parametrize("arguments", [("inspect", __file__), ("explain",)])
def test_what_is_no_report_has_no_report_format(arguments: tuple[str, ...]) -> None:
    ended = dropaudit(*arguments, "--format", "sarif")
    assert ended.returncode == 2
    assert "'text', 'json'" in ended.stderr


def test_a_reader_that_leaves_early_sees_no_traceback(recording: Recording) -> None:
    command = [*COMMAND, "compare", *map(str, recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == Exit.READER_GONE


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_one_sentence(recording: Recording) -> None:
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "compare", *map(str, recording)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_version_is_told() -> None:
    assert dropaudit("--version").stdout.startswith("dropaudit ")


@pytest.mark.parametrize(
    ("verdict", "fail_on", "status"),
    [
        (Verdict.PASS, FailOn.WARN, 0),
        (Verdict.WARN, FailOn.FAIL, 0),
        (Verdict.WARN, FailOn.WARN, 1),
        (Verdict.FAIL, FailOn.FAIL, 1),
        (Verdict.INCONCLUSIVE, FailOn.WARN, 3),
    ],
)
def test_the_exit_status_tells_the_verdict(verdict: Verdict, fail_on: FailOn, status: int) -> None:
    assert exit_status(verdict, fail_on) == status


def test_comparing_imports_no_runtime_and_no_service_and_reads_no_metadata(recording: Recording) -> None:
    heavy = ("grpc", "onnx", "onnxruntime", "google.protobuf", "rich.progress", "redis", "celery", "email", "numpy.ma")
    script = (
        "import sys; from dropaudit_client.command import run;"
        f"status = run(['compare', *{[str(path) for path in recording]!r}], {{}});"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr); sys.exit(status)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "[]\n")


@pytest.mark.parametrize("command", ["run", "models"])
def test_a_command_that_is_named_first_is_the_only_one_that_is_read(command: str) -> None:
    tree = typer.main.get_group(branch([command, "--help"]))
    assert list(tree.commands) == [command]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["runn"], ["--tls", "list"]])
def test_whoever_names_no_command_first_is_told_of_all(arguments: list[str]) -> None:
    assert branch(arguments) is app


EVIL = "a\x1b[2J\x9b1m\u202e"


@pytest.mark.parametrize("command", ["inspect", "run"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_names_from_a_model_steer_no_terminal(command: str, form: str, tmp_path: Path) -> None:
    ended = dropaudit(command, named(tmp_path, "Dropout"), "--format", form)
    assert "a\\" in ended.stdout
    assert not set(ended.stdout + ended.stderr) & set("\x1b\x9b\u202e")
    if form == "json":
        assert json.loads(ended.stdout)["sites"][0]["name"] == EVIL


def test_names_from_a_model_steer_no_terminal_in_an_error(tmp_path: Path) -> None:
    said = sentence(dropaudit("run", named(tmp_path, "Dropsome")))
    assert not set(said) & set("\x1b\x9b\u202e")


def named(folder: Path, operator: str) -> Path:
    """Write a model whose only node has a name that would clear a terminal."""
    found = onnx.load_from_string(dense("y = Dropout(x, r, t)"))
    found.graph.node[0].name = EVIL
    found.graph.node[0].op_type = operator
    path = folder / "named.onnx"
    path.write_bytes(found.SerializeToString())
    return path


def test_a_code_is_explained_with_every_section() -> None:
    ended = dropaudit("explain", "DA102")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("# DA102 removed-by-runtime\n")
    assert "## Confirm" in ended.stdout


def test_without_a_code_all_are_listed_in_80_columns() -> None:
    lines = dropaudit("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("DA")] == list(CATALOGUE)
    assert max(map(len, lines)) <= 80


def test_explanations_come_as_json_too() -> None:
    one = json.loads(dropaudit("explain", "DA301", "--format", "json").stdout)
    every = json.loads(dropaudit("explain", "--format", "json").stdout)["explanations"]
    assert one in every
    assert [each["code"] for each in every] == list(CATALOGUE)


def test_an_unknown_code_says_which_exist() -> None:
    ended = dropaudit("explain", "DA000", "--format", "json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.returncode, error["reason"]) == (2, "INVALID_ARGUMENT")
    assert "DA101, DA102" in error["message"]
