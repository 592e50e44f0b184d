"""Claims about the command that makes an audit again."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
import numpy as np
import pytest

from dropaudit import ArtifactSubject, PairSubject, Plan, Provider, Role, audit
from dropaudit.report import Execution, Report, Seconds, Verdict, from_json
from dropaudit_formats.again import command_of
from dropaudit_models import export
from dropaudit_models.catalogue import SEED_LSTM
from dropaudit_models.lstm.twins import Form, build
from dropaudit_models.seed_case import seed_case
from support.command import dropaudit


def timeless(report: Report) -> Report:
    execution = msgspec.structs.replace(report.execution, seconds=Seconds(), placement="", settings=None)
    return msgspec.structs.replace(report, execution=execution)


def test_the_command_makes_the_same_report_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export("lstm-dropout", tmp_path)
    plan = Plan(provider=Provider.CPU, seed=7, tolerance=0.05, max_replicates=128, alpha=0.01)
    report = audit(ArtifactSubject(path.read_bytes(), Role.TRAIN, keep_prob=0.5), plan)
    command = command_of(report, path.name)
    assert command == (
        "dropaudit run lstm-dropout.onnx --role train --provider cpu --seed 7 --replicates 128 --keep-prob 0.5 "
        "--alpha 0.01 --tolerance 0.05"
    )
    monkeypatch.chdir(tmp_path)
    again = dropaudit(*shlex.split(command)[1:], "--format", "json")
    assert timeless(from_json(msgspec.json.decode(again.stdout))) == timeless(report)


def test_names_of_files_that_a_report_does_not_hold_stand_in_capitals(tmp_path: Path) -> None:
    train, plain = (export(name, tmp_path).read_bytes() for name in ("lstm-dropout", "lstm"))
    inputs = {"x": np.ones((8, 16, 2), dtype=np.float32)}
    report = audit(PairSubject(train=train, inference=plain, inputs=inputs), Plan(provider=Provider.CPU))
    command = command_of(report, "audits/123")
    assert command.startswith("dropaudit run MODEL.onnx --inference INFERENCE.onnx --inputs INPUTS.npz --provider cpu")


def test_recorded_outputs_are_compared_again() -> None:
    assert command_of(audit(seed_case()), "y.npy") == "dropaudit compare y.npy TRAIN.npy --keep-prob 0.5"


def test_a_name_is_data_for_the_shell_too() -> None:
    assert "'a b;$(rm x)\".onnx'" in command_of(
        audit(ArtifactSubject(_plain(), Role.INFERENCE), Plan(provider=Provider.CPU)), 'a b;$(rm x)".onnx'
    )


def test_a_report_of_an_older_version_has_no_command() -> None:
    report = Report(verdict=Verdict.PASS, summary="", execution=Execution(provider="cpu"))
    assert command_of(report, "m.onnx") == ""


def _plain() -> bytes:
    content: bytes = build(SEED_LSTM, Form.WITHOUT).SerializeToString()
    return content
