"""Claims about who may call what, over every method of the contract."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.interceptors.access import SCOPES, scope_of
from dropaudit_server.interceptors.tokens import Scope, hash_of
from dropaudit_server.probe import health
from support.calls import METHODS, Refusal, call_method, recorded_request, refusal_of
from support.services import eventually, server

SECRETS = {scope: f"secret-{scope}" for scope in Scope}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def entry(name: str, secret: str, scope: Scope, expires: datetime | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "sha256": hash_of(secret), "scope": scope}
    return found | ({"expires": expires.isoformat()} if expires else {})


def write(path: Path, *entries: dict[str, Any]) -> None:
    path.write_text(json.dumps({"tokens": entries}))


@pytest.fixture(scope="module")
def tokens_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    write(
        path,
        *(entry(scope, secret, scope) for scope, secret in SECRETS.items()),
        entry("old", "secret-old", Scope.ADMIN, LONG_AGO),
        entry("young", "secret-young", Scope.ADMIN, datetime.now(UTC) + timedelta(hours=1)),
    )
    return path


@pytest.fixture(scope="module")
def channel(shared_redis: str, tokens_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    """A channel to a server that asks for tokens."""
    folder = tmp_path_factory.mktemp("server")
    with server(shared_redis, folder, tokens_file=tokens_file) as address, grpc.insecure_channel(address) as channel:
        yield channel


def bearer(secret: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {secret}")]


def refusal(channel: grpc.Channel, method: MethodDescriptor, metadata: list[tuple[str, str]]) -> Refusal:
    return refusal_of(lambda: call_method(channel, method, metadata))


def passes(channel: grpc.Channel, method: MethodDescriptor, secret: str) -> bool:
    """Whether a call gets as far as its request, which is empty and so mostly refused."""
    try:
        call_method(channel, method, bearer(secret))
    except grpc.RpcError as error:
        refused: Any = error
        return bool(refused.code() is grpc.StatusCode.INVALID_ARGUMENT)
    return True


def test_every_method_of_the_contract_has_a_scope_and_no_other_has() -> None:
    assert set(SCOPES) == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_call_without_a_valid_token_is_unauthenticated(channel: grpc.Channel, name: str) -> None:
    for metadata in ([], bearer("wrong"), bearer(""), [("authorization", SECRETS[Scope.ADMIN])]):
        refused = refusal(channel, METHODS[name], metadata)
        assert (refused.code, refused.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


@pytest.mark.parametrize("name", METHODS)
def test_a_call_with_an_expired_token_is_unauthenticated_and_says_why(channel: grpc.Channel, name: str) -> None:
    refused = refusal(channel, METHODS[name], bearer("secret-old"))
    assert (refused.code, refused.reason, refused.facts) == ("UNAUTHENTICATED", "TOKEN_EXPIRED", {"token": "old"})
    assert passes(channel, METHODS[name], "secret-young")


@pytest.mark.parametrize("name", METHODS)
def test_a_token_covers_its_scope_and_those_below(channel: grpc.Channel, name: str) -> None:
    for scope, secret in SECRETS.items():
        if scope.allows(SCOPES[name]):
            assert passes(channel, METHODS[name], secret)
        else:
            refused = refusal(channel, METHODS[name], bearer(secret))
            assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
            assert refused.facts == {"token": scope, "scope": scope, "needed": SCOPES[name]}


def test_what_changes_nothing_needs_read_and_what_deletes_needs_admin() -> None:
    for name, scope in SCOPES.items():
        if name.startswith(("Get", "List", "Watch", "Download", "Inspect", "Preview", "Compare", "Render")):
            assert scope is Scope.READ
        elif name.startswith("Delete"):
            assert scope is Scope.ADMIN
        else:
            assert scope is Scope.WRITE


def test_a_method_that_nobody_thought_of_needs_admin() -> None:
    assert scope_of("/dropaudit.v1.AuditService/Forgotten") is Scope.ADMIN
    assert scope_of("/other.Service/GetModel") is Scope.ADMIN


def test_reflection_needs_a_token_and_health_needs_none(shared_redis: str, tokens_file: Path, tmp_path: Path) -> None:
    with server(shared_redis, tmp_path, tokens_file=tokens_file) as address:
        assert health(address) == "SERVING"
        with grpc.insecure_channel(address) as channel:
            assert refusal_of(ProtoReflectionDescriptorDatabase(channel).get_services).code == "UNAUTHENTICATED"


def test_tokens_change_without_a_restart_and_a_slip_locks_nobody_out(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    write(path, entry("one", "first", Scope.READ))
    method = METHODS["ListModels"]
    with server(redis_url, tmp_path, tokens_file=path) as address, grpc.insecure_channel(address) as channel:
        assert passes(channel, method, "first")
        write(path, entry("one", "first", Scope.READ), entry("two", "second", Scope.READ))
        eventually(lambda: passes(channel, method, "second"), "a new token is not taken")
        write(path, entry("two", "second", Scope.READ))
        eventually(lambda: not passes(channel, method, "first"), "an old token is still taken")
        for slip in (b'{"tokens": [', b'{"tokens": [{"name": "\xff"}]}'):
            path.write_bytes(slip)
            assert passes(channel, method, "second")
        path.unlink()
        assert passes(channel, method, "second")
    assert "the tokens read before stay valid" in (tmp_path / "server.log").read_text()


def test_no_secret_is_in_the_log(channel: grpc.Channel, shared_redis: str, tokens_file: Path, tmp_path: Path) -> None:
    with server(shared_redis, tmp_path, tokens_file=tokens_file) as address, grpc.insecure_channel(address) as opened:
        passes(opened, METHODS["ListModels"], SECRETS[Scope.READ])
    lines = [json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()]
    (line,) = [each for each in lines if each.get("method") == "ListModels"]
    assert (line["caller"], line["code"]) == ("read", "OK")
    assert "secret-" not in (tmp_path / "server.log").read_text()


def test_a_new_token_is_printed_once_and_kept_as_a_hash(redis_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dropaudit_server.new_token"]
    made = subprocess.run([*command, "ci", "read", "30"], capture_output=True, text=True, timeout=60, check=True)
    path = tmp_path / "tokens.json"
    write(path, json.loads(made.stderr))
    assert made.stdout.strip() not in path.read_text()
    with server(redis_url, tmp_path, tokens_file=path) as address, grpc.insecure_channel(address) as channel:
        assert passes(channel, METHODS["ListModels"], made.stdout.strip())
    for wrong in (["ci"], ["ci", "everything"], ["ci", "read", "soon"]):
        ended = subprocess.run([*command, *wrong], capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith("usage: ")


class Unsent:
    """A call of any method whose message is not sent until a test says so."""

    def __init__(self, channel: grpc.Channel, method: MethodDescriptor, metadata: list[tuple[str, str]]) -> None:
        path = f"/{method.containing_service.full_name}/{method.name}"
        self._message: queue.Queue[bytes | None] = queue.Queue()
        # Over the wire every call is a stream: how many messages it has is known to its ends alone.
        call: Any = channel.stream_stream(path, request_serializer=bytes, response_deserializer=bytes)
        self._answers = call(iter(self._message.get, None), metadata=metadata, timeout=300)

    def send(self, content: bytes) -> None:
        self._message.put(content)

    def end(self) -> None:
        self._message.put(None)

    def refusal(self) -> Refusal:
        try:
            return refusal_of(lambda: list(self._answers))
        finally:
            self.end()


@pytest.mark.parametrize("name", METHODS)
def test_a_call_is_refused_before_any_byte_of_its_message_comes(channel: grpc.Channel, name: str) -> None:
    shown: dict[str, list[tuple[str, str]]] = {
        "UNAUTHENTICATED": [],
        "UNAUTHENTICATED ": bearer("wrong"),
        "TOKEN_EXPIRED": bearer("secret-old"),
    }
    if SCOPES[name] is not Scope.READ:
        shown["PERMISSION_DENIED"] = bearer(SECRETS[Scope.READ])
    for reason, metadata in shown.items():
        assert Unsent(channel, METHODS[name], metadata).refusal().reason == reason.strip()


@pytest.mark.parametrize("name", METHODS)
def test_what_cannot_be_parsed_is_not_parsed_without_a_token(channel: grpc.Channel, name: str) -> None:
    call = Unsent(channel, METHODS[name], [])
    call.send(b"\xff" * 100_000)
    assert call.refusal().reason == "UNAUTHENTICATED"


# Of one caller so many messages are waited for at a time: half of the methods, and what else the test calls.
@pytest.mark.parametrize("half", [0, 1])
def test_a_call_of_any_method_ends_when_its_token_is_revoked_or_expires_meanwhile(
    redis_url: str, tmp_path: Path, half: int
) -> None:
    methods = dict(list(METHODS.items())[half::2])
    path = tmp_path / "tokens.json"
    write(path, entry("a", "revoked", Scope.ADMIN), entry("b", "kept", Scope.ADMIN), entry("c", "c", Scope.ADMIN))
    # A message of each method is on its way at a time.
    patient: dict[str, Any] = {"message_seconds": 600, "upload_idle_seconds": 600}
    patient["max_received_bytes"] = 2 * len(METHODS) << 26
    with (
        server(redis_url, tmp_path, tokens_file=path, **patient) as address,
        grpc.insecure_channel(address) as channel,
    ):
        calls = {
            (secret, name): Unsent(channel, method, bearer(secret))
            for secret in ("revoked", "kept", "c")
            for name, method in methods.items()
        }
        stub: Any = AuditServiceStub(channel)
        watched = stub.CreateAudit(recorded_request(), metadata=bearer("kept")).name
        request = pb.WatchAuditRequest(name=watched)
        watches = {
            secret: stub.WatchAudit(request, metadata=bearer(secret), timeout=300)
            for secret in ("revoked", "kept", "c")
        }
        for watch in watches.values():
            assert next(watch).state == pb.Audit.QUEUED
        assert passes(channel, METHODS["ListModels"], "revoked")
        write(path, entry("b", "kept", Scope.ADMIN), entry("c", "c", Scope.ADMIN, LONG_AGO))
        # Streams end by themselves.
        assert refusal_of(lambda: next(watches["revoked"])).reason == "UNAUTHENTICATED"
        assert refusal_of(lambda: next(watches["c"])).reason == "TOKEN_EXPIRED"
        for (secret, _), call in calls.items():
            # An upload's message is its metadata; any other one's is its request, which is empty here.
            call.send(b"")
            call.end()
            expected = {"revoked": "UNAUTHENTICATED", "c": "TOKEN_EXPIRED", "kept": "INVALID_REQUEST"}[secret]
            try:
                assert call.refusal().reason == expected
            except pytest.fail.Exception:
                assert secret == "kept"
        watches["kept"].cancel()
