"""Claims about suites and their runs from the command and both clients, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from dropaudit.plan import Role
from dropaudit_client import AsyncAuditClient, AuditClient
from dropaudit_client.resources import Glob, Run, RunAudit, RunState
from dropaudit_client.runs.members import MlflowModel, NamedModel, PairPattern, TritonRepository, UriGlob
from dropaudit_client.runs.resources import Receiver
from dropaudit_client.terminal.outcome import Exit, FailOn
from dropaudit_formats.writing import Form
from dropaudit_models.seed_case import seed_case
from dropaudit_store.records import Failure
from support.batches import Batches, failing
from support.clock import RealTime
from support.command import dropaudit, sentence
from support.reports import finding
from support.services import eventually, server


@pytest.fixture(scope="module")
def shared_address(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with server(shared_redis, folder, model_prefixes="file:///models,s3://models") as address:
        yield address


@pytest.fixture
def address(shared_address: str, redis_url: str) -> str:
    """Address of a server whose Redis is empty."""
    assert redis_url
    return shared_address


@pytest.fixture
def client(address: str) -> Iterator[AuditClient]:
    with AuditClient(address) as client:
        yield client


@pytest.fixture
def worker(redis_client: redis.Redis) -> Batches:
    """The work of a worker, behind the server."""
    return Batches(redis_client, RealTime())


def end(worker: Batches, name: str, reports: Any = None) -> None:
    """Do what a worker does to a run, until it is concluded."""
    read = worker.runs.read
    # A run is listed as soon as it has begun; the server makes its audits after that.
    eventually(lambda: 0 < len(read.members(name)) == len(read.assigned(name)), "its audits are not made")
    record = read.get("nightly", name.rpartition("/")[2])
    worker.finish(record, reports)
    worker.conclude(record)


def test_a_run_waits_for_its_end_and_exits_as_its_worst_member(
    address: str, client: AuditClient, worker: Batches
) -> None:
    for name in ("a.onnx", "b.onnx"):
        client.upload_model(name.encode(), display_name=name)
    at = ("--address", address)
    assert dropaudit("suites", "create", "nightly", "--glob", "*.onnx", "--role", "train", *at).returncode == 0
    assert "b.onnx" in dropaudit("suites", "preview", "nightly", *at).stdout

    def run(reports: Any, *more: str) -> Any:
        with ThreadPoolExecutor(1) as pool:
            before = {each.name for each in client.list_runs("suites/nightly")}
            waiting = pool.submit(dropaudit, "suites", "run", "nightly", "--wait", *at, *more)
            eventually(lambda: {each.name for each in client.list_runs("suites/nightly")} - before, "no run begins")
            (name,) = {each.name for each in client.list_runs("suites/nightly")} - before
            end(worker, name, reports)
            return waiting.result(60)

    assert run({}).returncode == Exit.OK
    failed = run({"b.onnx": failing(finding("DA301", "drop"))})
    assert failed.returncode == Exit.FAIL
    first, *_ = failed.stdout.splitlines()
    assert first.startswith("FAIL  suites/nightly/runs/")
    assert "Since suites/nightly/runs/" in failed.stdout
    assert "new ERROR DA301" in failed.stdout
    not_made = run({"a.onnx": Failure(reason="INVALID_MODEL", message="no model")}, "--format", "json")
    assert not_made.returncode == Exit.NOT_MADE
    told = json.loads(not_made.stdout)
    assert (told["verdict"], told["counts"]["failed"]) == ("FAIL", 1)
    assert [each["member"] for each in told["comparison"]["members"]] == ["a.onnx", "b.onnx"]
    listed = dropaudit("list", "nightly", *at).stdout.splitlines()
    assert (len(listed), listed[0].split()[:2]) == (4, ["NAME", "STATE"])
    latest = client.get_suite("suites/nightly").last_run
    assert dropaudit("get", latest, *at).returncode == Exit.NOT_MADE
    assert dropaudit("watch", latest, "--format", "json", *at).returncode == Exit.NOT_MADE
    refused = dropaudit("suites", "run", "nightly", "--format", "html", *at)
    assert (refused.returncode, "text or json" in refused.stderr) == (Exit.NOT_MADE, True)


def test_a_run_is_told_in_every_format_and_exits_as_its_worst_member(
    address: str, client: AuditClient, worker: Batches, tmp_path: Path
) -> None:
    client.upload_model(b"one", display_name="a.onnx")
    client.create_suite("nightly", [Glob("*")])
    made = client.run_suite("suites/nightly")
    end(worker, made.name, {"a.onnx": failing(finding("DA301", "drop"))})
    at = ("--address", address)
    for form, word in (
        ("html", "<!DOCTYPE html>"),
        ("junit", "<testsuites"),
        ("sarif", '"2.1.0"'),
        ("markdown", "## FAIL: nightly"),
        ("json", '"members"'),
        ("text", "FAIL  suites/nightly"),
    ):
        place = tmp_path / f"run.{form}"
        told = dropaudit("suites", "report", "nightly", "--format", form, "-o", place, *at)
        assert (told.returncode, told.stdout) == (Exit.FAIL, "")
        assert word in place.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run.json").read_text())["run"] == made.name
    linked = dropaudit("suites", "report", made.name, "--format", "html", "--links", "https://audits.example.com", *at)
    assert 'href="https://audits.example.com/audits/' in linked.stdout
    assert dropaudit("get", made.name, "--format", "html", *at).stdout.startswith("<!DOCTYPE html>")
    client.create_suite("never", [Glob("*")])
    never = dropaudit("suites", "report", "never", "--format", "junit", *at)
    assert (never.returncode, "has not run yet" in never.stdout) == (Exit.NOT_MADE, True)


async def test_both_clients_return_documents(address: str, client: AuditClient, worker: Batches) -> None:
    client.upload_model(b"one", display_name="a.onnx")
    client.create_suite("nightly", [Glob("*")])
    name = client.run_suite("suites/nightly").name
    end(worker, name)
    page = client.render_report(name, Form.HTML)
    assert page.startswith("<!DOCTYPE html>")
    async with AsyncAuditClient(address) as other:
        assert await other.render_report(name, Form.HTML) == page


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "expected"),
    [
        (["PASS", "WARN"], FailOn.FAIL, Exit.OK),
        (["PASS", "WARN"], FailOn.WARN, Exit.FAIL),
        (["PASS", "INCONCLUSIVE"], FailOn.FAIL, Exit.INCONCLUSIVE),
        (["INCONCLUSIVE", None], FailOn.FAIL, Exit.NOT_MADE),
        ([None, "FAIL", "INCONCLUSIVE"], FailOn.FAIL, Exit.NOT_MADE),
        ([], FailOn.FAIL, Exit.INCONCLUSIVE),
    ],
)
def test_the_exit_status_is_that_of_the_worst_member(
    verdicts: list[str | None], fail_on: FailOn, expected: Exit
) -> None:
    from dropaudit.report import Verdict
    from dropaudit_client.cli.runs import status_of
    from dropaudit_client.resources import Trigger

    audits = tuple(RunAudit("audits/a", None, Verdict(each) if each else None, "") for each in verdicts)
    whole = None if verdicts else Verdict.INCONCLUSIVE
    run = Run("suites/a/runs/b", RunState.FINISHED, Trigger.MANUAL, whole, audits, None, None, None)
    assert status_of(run, fail_on) is expected


def test_findings_are_accepted_and_baselines_pinned_from_the_command(
    address: str, client: AuditClient, worker: Batches
) -> None:
    client.upload_model(b"a", display_name="a.onnx")
    client.create_suite("nightly", [Glob("*", Role.TRAIN)])
    at = ("--address", address)
    broken = {"a.onnx": failing(finding("DA301", "drop"))}
    first = client.run_suite("suites/nightly").name
    end(worker, first, broken)
    accepted = dropaudit("suites", "accept", "nightly", "DA301", "--reason", "known", "--until", "2099-12-31", *at)
    assert accepted.returncode == 0
    assert dropaudit("suites", "baseline", "nightly", first, *at).returncode == 0
    second = client.run_suite("suites/nightly").name
    end(worker, second, broken)
    found = client.get_run(second)
    assert (found.verdict, found.audits[0].accepted) == ("PASS", 1)
    assert found.baseline_comparison is not None
    assert (found.baseline_comparison.base, found.baseline_comparison.status) == (first, "RECOVERED")
    assert "accepted ERROR DA301" in dropaudit("get", second, *at).stdout
    unknown = dropaudit("suites", "accept", "nightly", "DA999", "--reason", "x", *at)
    assert "DA999" in sentence(unknown)


def test_a_run_is_cancelled_and_a_suite_paused_and_resumed(address: str, client: AuditClient) -> None:
    client.upload_model(b"a", display_name="a.onnx")
    at = ("--address", address, "--format", "json")
    made = dropaudit(
        "suites", "create", "nightly", "--model", "a.onnx", "--cron", "0 3 * * *", "--time-zone", "Europe/Berlin", *at
    )
    (suite,) = json.loads(made.stdout)["suites"]
    assert (suite["timeZone"], "nextTime" in suite) == ("Europe/Berlin", True)
    (paused,) = json.loads(dropaudit("suites", "pause", "nightly", *at).stdout)["suites"]
    (resumed,) = json.loads(dropaudit("suites", "resume", "nightly", *at).stdout)["suites"]
    assert (paused["paused"], "nextTime" in paused, resumed["paused"]) == (True, False, False)
    name = client.run_suite("suites/nightly").name
    (run,) = json.loads(dropaudit("cancel", name, *at).stdout)["runs"]
    assert run["state"] == "CANCELLED"


def test_every_kind_of_member_can_be_made_from_the_command(address: str, client: AuditClient) -> None:
    model = client.upload_model(b"a", display_name="a.onnx")
    words = (
        *(
            "--glob",
            "lstm-*",
            "--alias",
            "production",
            "--model",
            "a.onnx",
            "--model",
            "a.onnx:1",
            "--model",
            model.name,
        ),
        *("--files", "s3://models/**/*.onnx", "--pairs", "{name}-t,{name}-i", "--triton", "file:///models/triton"),
        *("--mlflow", "models:/lstm@champion", "--role", "train", "--notify", "https://example.com/hook"),
    )
    assert dropaudit("suites", "create", "nightly", *words, "--address", address).returncode == 0
    members = client.get_suite("suites/nightly").members
    assert members[0] == Glob("lstm-*", Role.TRAIN, "production")
    assert members[1:3] == (NamedModel("a.onnx", role=Role.TRAIN), NamedModel("a.onnx", version=1, role=Role.TRAIN))
    assert members[4:] == (
        UriGlob("s3://models/**/*.onnx", Role.TRAIN),
        PairPattern("{name}-t", "{name}-i"),
        TritonRepository("file:///models/triton", role=Role.TRAIN),
        MlflowModel("models:/lstm@champion", Role.TRAIN),
    )
    # What the client reads it can send again.
    changed = client.update_suite("suites/nightly", members=members)
    assert changed.members == members
    refused = dropaudit("suites", "create", "other", "--pairs", "one", "--address", address)
    assert "TRAIN,INFERENCE" in sentence(refused)


def test_notifications_are_listed_and_sent_again(address: str, client: AuditClient, worker: Batches) -> None:
    client.upload_model(b"a", display_name="a.onnx")
    receiver = Receiver("https://example.com/hook", "ALWAYS", secret="key")
    client.create_suite("nightly", [Glob("*"), seed_case()], notifications=[receiver])
    run = client.run_suite("suites/nightly")
    end(worker, run.name)
    (delivery,) = client.list_deliveries("suites/nightly")
    assert (delivery.run, delivery.state, delivery.trigger) == (run.name, "PENDING", "ALWAYS")
    listed = dropaudit("suites", "deliveries", "nightly", "--address", address).stdout.splitlines()
    assert listed[1].split()[:3] == [delivery.name, "PENDING", "0"]
    assert dropaudit("suites", "redeliver", delivery.name, "--address", address).returncode == 0


async def test_the_asynchronous_client_does_all_of_it_too(address: str, worker: Batches) -> None:
    async with AsyncAuditClient(address) as client:
        await client.upload_model(b"a", display_name="a.onnx")
        await client.create_suite("nightly", [Glob("*")], cron="0 3 * * *", time_zone="Europe/Berlin")
        assert (await client.pause_suite("suites/nightly")).paused
        assert not (await client.resume_suite("suites/nightly")).paused
        assert (await client.preview_suite("suites/nightly")).total == 1
        first = await client.run_suite("suites/nightly")
        end(worker, first.name)
        seen = [each async for each in client.watch_run(first.name)]
        assert (seen[-1].finished, seen[-1].verdict) == (True, "PASS")
        second = await client.run_suite("suites/nightly", always_audit=True)
        assert (await client.cancel_run(second.name)).finished
        assert (await client.compare(first.name)).status == "FIRST"
        assert [each async for each in client.list_deliveries("suites/nightly")] == []
        assert [each.version async for each in client.model_history("a.onnx")] == [1]
