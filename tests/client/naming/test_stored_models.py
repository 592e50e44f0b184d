"""Claims about the commands that keep a service's models, and about both clients, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropaudit_client import AsyncAuditClient, AuditClient
from dropaudit_models.offers import export_offer
from support.command import dropaudit, sentence
from support.services import server


@pytest.fixture(scope="module")
def shared_address(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(shared_redis, tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def address(shared_address: str, redis_url: str) -> str:
    assert redis_url
    return shared_address


def test_a_model_is_uploaded_listed_shown_aliased_and_removed(address: str, tmp_path: Path) -> None:
    at = ("--address", address)
    (first,) = export_offer("lstm", tmp_path)
    (second,) = export_offer("lstm-dropout", tmp_path)
    assert dropaudit("models", "upload", first, "--name", "m.onnx", "--alias", "production", *at).returncode == 0
    (made,) = json.loads(dropaudit("models", "upload", second, "--name", "m.onnx", *at, "--format", "json").stdout)[
        "versions"
    ]
    assert (made["displayName"], made["version"]) == ("m.onnx", 2)
    header, row = dropaudit("models", "list", *at).stdout.splitlines()
    assert header.split() == ["NAME", "VERSION", "VERSIONS", "ALIASES", "SIZE", "BYTES", "CREATE", "TIME", "MODEL"]
    assert row.split()[:4] == ["m.onnx", "2", "2", "production=1"]
    shown = [line.split()[:2] for line in dropaudit("models", "show", "m.onnx", *at).stdout.splitlines()]
    assert shown == [["VERSION", "ALIASES"], ["2", "-"], ["1", "production"]]
    assert dropaudit("models", "alias", "m.onnx", "candidate", *at).returncode == 0
    assert dropaudit("models", "alias", "m.onnx@candidate", "production", *at).returncode == 0
    (listed,) = json.loads(dropaudit("models", "list", "m*", *at, "--format", "json").stdout)["models"]
    assert listed["aliases"] == {"candidate": 2, "production": 2}
    assert dropaudit("models", "alias", "m.onnx", "candidate", "--delete", *at).returncode == 0
    assert dropaudit("models", "rm", "m.onnx", *at).returncode == 0
    assert dropaudit("models", "list", *at).stdout == ""


def test_what_cannot_be_done_is_one_sentence(address: str, tmp_path: Path) -> None:
    at = ("--address", address)
    assert "'none.onnx'" in sentence(dropaudit("models", "show", "none.onnx", *at))
    assert "'none.onnx'" in sentence(dropaudit("models", "rm", "none.onnx", *at))
    (path,) = export_offer("lstm", tmp_path)
    assert "--name" in sentence(dropaudit("models", "upload", path, path, "--name", "x", *at))


def test_a_submitted_file_is_a_version_of_its_name_and_the_audit_is_shown_as_it(address: str, tmp_path: Path) -> None:
    (path,) = export_offer("lstm-dropout", tmp_path)
    name = dropaudit("submit", path, "--address", address).stdout.strip()
    with AuditClient(address) as client:
        assert client.get_audit(name).display_name == "lstm-dropout.onnx"
        assert [each.version for each in client.list_model_versions("lstm-dropout.onnx")] == [1]
        assert [each.name for each in client.list_audits('display_name = "lstm-dropout.onnx"')] == [name]
        # The same content under a name of its own.
        other = dropaudit("submit", path, "--name", "other.onnx", "--address", address).stdout.strip()
        assert client.get_audit(other).display_name == "other.onnx"
        assert client.get_model(f"models/{client.get_model_name('other.onnx').newest.model[7:]}").display_names == (
            "lstm-dropout.onnx",
            "other.onnx",
        )


async def test_the_asynchronous_client_does_it_too(address: str) -> None:
    async with AsyncAuditClient(address) as client:
        model = await client.upload_model(b"content", display_name="m.onnx")
        assert model.version is not None
        assert (await client.set_model_alias("m.onnx", "production")).aliases == ("production",)
        assert [each.display_name async for each in client.list_model_names()] == ["m.onnx"]
        assert [each.version async for each in client.list_model_versions("m.onnx")] == [1]
        await client.delete_model_alias("m.onnx", "production")
        assert (await client.get_model_name("m.onnx")).aliases == {}
        await client.delete_model_name("m.onnx")
        assert [each async for each in client.list_model_names()] == []
