"""Claims about suites as files against a real server: applied, changed, pruned, refused, and exported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from support.command import dropaudit
from support.services import server

DOCUMENT = """\
owner: registry
suites:
  nightly:
    display_name: Every night
    members:
      - glob: "*.onnx"
      - glob: {pattern: "lstm-*", role: train, alias: production}
        overrides: {keep_prob: 0.5, options: {alpha: 0.01}}
      - named: {display_name: gru.onnx, version: 3}
      - pair_pattern: {train: "{name}-train.onnx", inference: "{name}-inference.onnx"}
    options: {alpha: 0.001, seed: 7, provider: cpu}
    schedule: {cron: "0 3 * * mon-fri", time_zone: Europe/Berlin, overlap: queue, grace: 15m, paused: true}
    notifications:
      - {webhook_url: "https://hooks.example/x", form: slack, trigger: on_recovery}
      - {webhook_url: "https://hooks.example/y", secret_from: NIGHTLY_WEBHOOK_SECRET_2}
    labels: {team: speech}
    accepted_findings:
      - code: DA304
        member: "classic-*"
        reason: meant
        accepted_by: anna
        expire_time: 2027-03-31
        range: {lower: 0, upper: 0.5}
    always_audit: true
  plain:
    members: [{glob: "*"}]
"""
SECRETS = {"NIGHTLY_WEBHOOK_SECRET_2": "hush"}


@pytest.fixture(scope="module")
def shared_address(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(shared_redis, tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def address(shared_address: str, redis_url: str) -> str:
    assert redis_url
    return shared_address


def suites(address: str, *arguments: object) -> CompletedProcess[str]:
    return dropaudit("suites", *arguments, "--address", address, environ={**os.environ, **SECRETS})


def written(folder: Path, text: str) -> Path:
    path = folder / "suites.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def actions(ended: CompletedProcess[str]) -> dict[str, str]:
    assert ended.returncode == 0, ended.stderr
    return {each["suite"]: each["action"] for each in json.loads(ended.stdout)["suites"]}


def test_a_document_is_applied_once_and_changes_nothing_the_second_time(address: str, tmp_path: Path) -> None:
    path = written(tmp_path, DOCUMENT)
    dry = suites(address, "apply", "-f", path, "--dry-run")
    assert dry.stdout == "create     suites/nightly\ncreate     suites/plain\n2 suites would change.\n", dry.stderr
    created = suites(address, "apply", "-f", path, "--format", "json")
    assert actions(created) == {"suites/nightly": "create", "suites/plain": "create"}
    again = suites(address, "apply", "-f", path)
    assert again.stdout == "unchanged  suites/nightly\nunchanged  suites/plain\nnothing changes.\n", again.stderr


def test_an_export_applied_changes_nothing(address: str, tmp_path: Path) -> None:
    suites(address, "apply", "-f", written(tmp_path, DOCUMENT))
    exported = suites(address, "export", "--owner", "registry")
    assert "hush" not in exported.stdout
    assert "NIGHTLY_WEBHOOK_SECRET_2" in exported.stderr
    again = suites(address, "apply", "-f", written(tmp_path, exported.stdout), "--format", "json")
    assert set(actions(again).values()) == {"unchanged"}


def test_what_differs_is_shown_then_changed_and_what_is_gone_is_pruned(address: str, tmp_path: Path) -> None:
    suites(address, "apply", "-f", written(tmp_path, DOCUMENT))
    path = written(tmp_path, DOCUMENT.partition("  plain:")[0].replace("0 3 * *", "30 4 * *"))
    dry = suites(address, "apply", "-f", path, "--dry-run")
    assert dry.stdout == (
        "update     suites/nightly\n"
        '    schedule.cron: "0 3 * * mon-fri" -> "30 4 * * mon-fri"\n'
        "left       suites/plain  (--prune deletes it)\n"
        "1 suite would change.\n"
    )
    pruned = suites(address, "apply", "-f", path, "--prune", "--format", "json")
    assert actions(pruned) == {"suites/nightly": "update", "suites/plain": "prune"}
    listed = json.loads(suites(address, "list", "--format", "json").stdout)["suites"]
    assert [each["name"] for each in listed] == ["suites/nightly"]
    assert set(actions(suites(address, "apply", "-f", path, "--prune", "--format", "json")).values()) == {"unchanged"}


def test_a_wrong_document_is_told_line_by_line_and_nothing_is_half_applied(address: str, tmp_path: Path) -> None:
    wrong = DOCUMENT.replace('"0 3 *', '"61 3 *').replace("Berlin", "Berlyn").replace("DA304", "DA999")
    ended = suites(address, "apply", "-f", written(tmp_path, wrong.replace('pattern: "lstm-*"', 'pattern: ""')))
    assert (ended.returncode, ended.stdout) == (2, "")
    lines = [line.partition("suites.yaml:")[2] for line in ended.stderr.splitlines()]
    assert [line.partition(":")[0] for line in lines] == ["7", "12", "12", "18"]
    assert suites(address, "list").stdout == ""


def test_what_only_the_service_knows_to_be_wrong_is_told_by_line_too(address: str, tmp_path: Path) -> None:
    private = DOCUMENT.replace('"https://hooks.example/x"', '"http://user:secret@hooks.example/"')
    ended = suites(
        address, "apply", "-f", written(tmp_path, private.replace('[{glob: "*"}]', "[{artifact: {model: x}}]"))
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert [line.partition("suites.yaml:")[2].partition(":")[0] for line in ended.stderr.splitlines()] == ["14", "26"]
    assert suites(address, "list").stdout == ""


def test_a_run_that_is_not_there_has_no_difference(address: str) -> None:
    ended = suites(address, "diff", "suites/none/runs/1")
    assert ended.returncode == 2
    assert ended.stderr.startswith("dropaudit: ")
