"""Claims about both clients and the command against a real server; the test is the worker."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from dropaudit.plan import Phase, Plan, Progress, Role
from dropaudit.report import to_json
from dropaudit_client import AsyncAuditClient, AuditClient, Security, ServiceError, ServiceUnavailable
from dropaudit_client.local.service import free_port
from dropaudit_client.resources import AuditState, Finished, Glob, NewAudit, Priority
from dropaudit_models.seed_case import seed_case
from dropaudit_server.interceptors.tokens import hash_of
from dropaudit_server.probe import answers_tls
from dropaudit_store.audits.lifecycle import AuditStore
from support.certificates import issue
from support.command import dropaudit
from support.handwork import succeed
from support.reports import report_with
from support.services import server

CONTENT = bytes(range(256)) * 5000


@pytest.fixture(scope="module")
def shared_address(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(shared_redis, tmp_path_factory.mktemp("server")) as address:
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
def audits(redis_client: redis.Redis) -> AuditStore:
    return AuditStore(redis_client)


def test_models_are_listed_downloaded_and_deleted(client: AuditClient) -> None:
    model = client.upload_model(CONTENT, display_name="m.onnx")
    assert list(client.list_models()) == [model] == [client.get_model(model.name)]
    assert b"".join(client.download_model(model.name)) == CONTENT
    client.delete_model(model.name)
    assert list(client.list_models()) == []


def test_audits_are_made_in_a_batch_listed_cancelled_and_deleted(client: AuditClient, audits: AuditStore) -> None:
    asked = [NewAudit(seed_case(), Plan(seed=number), {"number": str(number)}) for number in range(3)]
    first, second, third = client.create_audits(asked)
    assert [audit.labels["number"] for audit in (first, second, third)] == ["0", "1", "2"]
    succeed(audits, first.name)
    assert client.cancel_audit(second.name).state is AuditState.CANCELLED
    assert [audit.name for audit in client.list_audits()] == [third.name, second.name, first.name]
    assert next(audit.name for audit in client.list_audits(newest_first=False)) == first.name
    (found,) = client.list_audits("finding = DA301")
    assert (found.name, found.verdict) == (first.name, "FAIL")
    client.delete_audit(first.name)
    with pytest.raises(ServiceError) as caught:
        client.delete_audit(third.name)
    assert caught.value.reason == "AUDIT_NOT_FINISHED"


def test_a_list_goes_over_all_pages(client: AuditClient) -> None:
    made = client.create_audits([NewAudit(seed_case(), priority=Priority.BATCH)] * 120)
    assert [audit.name for audit in client.list_audits()] == [audit.name for audit in made][::-1]
    assert made[0].priority is Priority.BATCH


def test_suites_are_listed_changed_and_deleted(client: AuditClient) -> None:
    made = client.create_suite("nightly", [Glob("*.onnx", Role.TRAIN)], cron="0 3 * * *", labels={"team": "x"})
    paused = client.update_suite("suites/nightly", paused=True, display_name="Nightly")
    assert (paused.paused, paused.cron, paused.display_name) == (True, "0 3 * * *", "Nightly")
    assert (paused.members, dict(paused.labels)) == (made.members, {"team": "x"})
    changed = client.update_suite(
        "suites/nightly", cron="", members=[Glob("lstm-*")], plan=Plan(seed=7), labels={"a": "b"}
    )
    assert (changed.cron, changed.members, dict(changed.labels)) == (None, (Glob("lstm-*"),), {"a": "b"})
    assert list(client.list_suites()) == [changed]
    client.delete_suite("suites/nightly")
    assert list(client.list_suites()) == []


async def test_the_asynchronous_client_does_all_of_it_too(address: str, audits: AuditStore) -> None:
    async with AsyncAuditClient(address) as client:
        model = await client.upload_model(CONTENT)
        assert [each async for each in client.list_models()] == [model]
        assert b"".join([chunk async for chunk in client.download_model(model.name)]) == CONTENT
        await client.delete_model(model.name)
        first, second = await client.create_audits([NewAudit(seed_case())] * 2)
        await client.cancel_audit(first.name)
        assert [each.name async for each in client.list_audits("state = QUEUED")] == [second.name]
        await client.delete_audit(first.name)
        suite = await client.create_suite("nightly", [Glob("*")])
        await client.update_suite(suite.name, display_name="Nightly")
        assert [each.display_name async for each in client.list_suites()] == ["Nightly"]
        assert await client.list_runs(suite.name) == []
        await client.delete_suite(suite.name)
        succeed(audits, second.name)
        events = [event async for event in client.watch(second.name)]
        assert isinstance(events[-1], Finished)


def test_a_watch_goes_on_when_the_server_comes_back(redis_url: str, audits: AuditStore, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with AuditClient(address) as client, ThreadPoolExecutor(1) as pool:
        with server(redis_url, tmp_path, listen=address):
            name = client.create_audit(seed_case()).name
            lease = audits.claim(name.removeprefix("audits/"), 60.0)
            assert lease is not None
            watching = pool.submit(lambda: [event.sequence for event in client.watch(name)])
            audits.progress(lease, Progress(phase=Phase.SAMPLING))
        audits.progress(lease, Progress(phase=Phase.JUDGING))
        with server(redis_url, tmp_path, listen=address):
            audits.succeed(lease, to_json(report_with()))
            assert watching.result(30) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("patience", [60.0, 0.0])
def test_a_watch_where_no_server_has_ever_answered_ends_soon(patience: float) -> None:
    began = time.monotonic()
    with AuditClient("127.0.0.1:1", patience=patience) as client, pytest.raises(ServiceUnavailable):
        next(client.watch("audits/a"))
    # The channel's own few tries, instead of a minute.
    assert time.monotonic() - began < 20


async def test_an_async_watch_where_no_server_has_ever_answered_ends_soon() -> None:
    began = time.monotonic()
    async with AsyncAuditClient("127.0.0.1:1") as client:
        with pytest.raises(ServiceUnavailable):
            await anext(client.watch("audits/a"))
    assert time.monotonic() - began < 20


def test_a_call_to_somebody_who_takes_connections_and_says_nothing_ends_soon() -> None:
    began = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        AuditClient(f"127.0.0.1:{silent.getsockname()[1]}") as client,
        pytest.raises(ServiceUnavailable, match="no server answers"),
    ):
        client.get_audit("audits/a")
    assert time.monotonic() - began < 15


def test_a_token_over_tls_is_taken_and_another_is_not(redis_url: str, tmp_path: Path) -> None:
    certificates, tokens = issue(tmp_path), tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"name": "ci", "sha256": hash_of("right"), "scope": "write"}]}))
    settings = {
        "tls_certificate": certificates.server,
        "tls_key": certificates.server_key,
        "tls_client_ca": certificates.authority,
        "tokens_file": tokens,
    }
    files: dict[str, Any] = {
        "ca": certificates.authority,
        "certificate": certificates.client,
        "key": certificates.client_key,
    }
    with server(redis_url, tmp_path, ready=lambda address: answers_tls(address, 1.0), **settings) as address:
        named = address.replace("127.0.0.1", "localhost")
        with AuditClient(named, security=Security("right", **files)) as client:
            name = client.create_audit(seed_case()).name
        with AuditClient(named, security=Security("wrong", **files)) as client, pytest.raises(ServiceError) as caught:
            list(client.list_models())
        assert (caught.value.code, caught.value.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
        options = [word for option, path in files.items() for word in (f"--{option}", path)]
        ended = dropaudit(*options, "list", "--address", named, environ={**os.environ, "DROPAUDIT_TOKEN": "right"})
        assert (ended.returncode, ended.stdout.splitlines()[1].split()[0]) == (0, name)


def test_the_command_lists_cancels_and_deletes(address: str, client: AuditClient) -> None:
    model = client.upload_model(CONTENT, display_name="m.onnx")
    first, second = (client.create_audit(seed_case(), labels={"team": team}).name for team in "xy")
    listed = dropaudit("list", "--filter", "labels.team = x", "--address", address)
    header, row = listed.stdout.splitlines()
    assert header.split()[:4] == ["NAME", "DISPLAY", "NAME", "STATE"]
    assert row.split()[:4] == [first, "-", "QUEUED", "-"]
    cancelled = dropaudit("cancel", first, "--address", address, "--format", "json")
    assert json.loads(cancelled.stdout)["state"] == "CANCELLED"
    every = json.loads(dropaudit("list", "--address", address, "--format", "json", "--limit", 1).stdout)
    assert [each["name"] for each in every["audits"]] == [second]
    models = json.loads(dropaudit("models", "list", "--address", address, "--format", "json").stdout)["models"]
    newest = [(each["displayName"], each["newest"]["model"], each["newest"]["sizeBytes"]) for each in models]
    assert newest == [("m.onnx", model.name, len(CONTENT))]
    assert dropaudit("delete", first, "--address", address).returncode == 0
    assert dropaudit("delete", model.name, "--address", address).returncode == 0
    refused = dropaudit("delete", first, "--address", address)
    assert (refused.returncode, "there is no" in refused.stderr) == (2, True)


def test_the_command_keeps_suites(address: str) -> None:
    at = ("--address", address, "--format", "json")
    made = dropaudit("suites", "create", "nightly", "--glob", "*.onnx", "--cron", "0 3 * * *", "--label", "a=b", *at)
    (suite,) = json.loads(made.stdout)["suites"]
    assert (suite["name"], suite["cron"], suite["labels"]) == ("suites/nightly", "0 3 * * *", {"a": "b"})
    paused = dropaudit("suites", "update", "suites/nightly", "--pause", "--title", "Nightly", *at)
    (suite,) = json.loads(paused.stdout)["suites"]
    assert (suite["paused"], suite["cron"], suite["displayName"]) == (True, "0 3 * * *", "Nightly")
    (run,) = json.loads(dropaudit("suites", "run", "suites/nightly", *at).stdout)["runs"]
    (listed,) = json.loads(dropaudit("suites", "runs", "suites/nightly", *at).stdout)["runs"]
    assert listed == run
    assert "suites/nightly" in dropaudit("suites", "list", "--address", address).stdout
    assert dropaudit("suites", "delete", "suites/nightly", "--address", address).returncode == 0
    assert dropaudit("suites", "list", "--address", address).stdout == ""
