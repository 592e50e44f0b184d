"""Claims about how a call fails."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
import redis
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import capture_logs

import dropaudit
import dropaudit_server
import dropaudit_store
from dropaudit import errors as core
from dropaudit.errors import AuditError
from dropaudit_formats.writing import Form
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1 import audit_pb2_grpc as rpc
from dropaudit_server.handlers.audit_events import Follower
from dropaudit_server.handlers.audit_handlers import AuditHandlers
from dropaudit_server.handlers.inspection_handler import InspectionFailed, NotInspected
from dropaudit_server.handlers.uploads import UploadTimedOut
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.interceptors.access import Access, PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.interceptors.caller_limits import (
    CallerLimits,
    CallKind,
    CallLimits,
    MessageTimedOut,
    TooManyCalls,
    TooManyMessages,
    TooManyStreams,
    TooManyTransfers,
)
from dropaudit_server.interceptors.interceptor import Interceptor
from dropaudit_server.interceptors.revocation import OpenStreams
from dropaudit_server.interceptors.status import CODES
from dropaudit_server.interceptors.tokens import Scope, Token
from dropaudit_server.members.previewing import NotPreviewed
from dropaudit_server.reports.documents import ReportTooLarge
from dropaudit_server.requests.violations import InvalidRequest
from dropaudit_server.servicer import AuditServicer
from dropaudit_server.serving.server import make_parts
from dropaudit_server.settings import ServerSettings
from dropaudit_server.stopping import ServerStopping, Stopping
from dropaudit_store import errors
from dropaudit_store.audits.watching import EventHub
from dropaudit_store.errors import StoreError
from dropaudit_store.notifications.targets import ForbiddenTarget, UnreachableTarget
from dropaudit_store.records import AuditRecord, Failure
from dropaudit_store.redis.connection import connect_async
from dropaudit_store.runs.watching import RunHub
from support.calls import METHODS, call_method, refusal_of


@pytest.mark.parametrize("name", METHODS)
def test_every_call_of_the_contract_is_served(channel: grpc.Channel, name: str) -> None:
    if name in {"ListModels", "ListModelNames", "ListAudits", "ListSuites"}:
        assert call_method(channel, METHODS[name]) == [b""]
        return
    # An empty request names nothing.
    refusal = refusal_of(lambda: call_method(channel, METHODS[name]))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


def modules(package: ModuleType) -> Iterator[str]:
    """Yield the names of a package's modules, but for programs."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield found.name


def every_error(kind: type[AuditError]) -> Iterator[type[AuditError]]:
    for each in kind.__subclasses__():
        yield each
        yield from every_error(each)


def our_errors() -> list[type[AuditError]]:
    """Return every error of the core, the store and the server."""
    for package in (dropaudit, dropaudit_store, dropaudit_server):
        for name in modules(package):
            importlib.import_module(name)
    # Another test may have imported a worker or a client, whose errors no call meets.
    rooms = (dropaudit.__name__, dropaudit_store.__name__, dropaudit_server.__name__)
    return [each for each in every_error(AuditError) if each.__module__.split(".")[0] in rooms]


def test_every_error_of_the_core_the_store_and_the_server_has_a_status_code() -> None:
    ours = our_errors()
    assert len(ours) > 15
    # The base of the store's errors is never raised itself.
    without = [each.__name__ for each in ours if each is not StoreError and not CODES.keys() & set(each.__mro__)]
    assert without == []


SECRET = "redis://:password@internal"


TOKEN = Token(name="ci", sha256="0" * 64, scope=Scope.READ)
ERRORS: list[AuditError] = [
    errors.RecordTooNew("audits/a", "2.0", 1),
    InvalidRequest([("audit.spec", "set one")]),
    Unauthenticated(),
    TokenExpired(TOKEN),
    PermissionDenied(TOKEN, Scope.ADMIN),
    InspectionFailed(Failure(reason="INTERNAL", message="the inspection failed")),
    NotInspected("a" * 64, 1.0),
    NotPreviewed(1.0),
    errors.ModelVersionNotFound("m.onnx", 7),
    errors.AliasNotFound("m.onnx", "production"),
    errors.TooManyAliases("m.onnx", 1),
    errors.OnlyForWorkers(),
    ForbiddenTarget("what to do"),
    UnreachableTarget("what to do"),
    ServerStopping(),
    *(
        kind("a name")
        for kind in (
            errors.AuditNotFound,
            errors.ModelNotFound,
            errors.SuiteNotFound,
            errors.RunNotFound,
            errors.DeliveryNotFound,
            errors.ModelNameNotFound,
        )
    ),
    errors.SuiteExists("nightly"),
    errors.RequestIdReused("build-17"),
    errors.InUse("models/a", ["suites/nightly"]),
    errors.AuditNotFinished("a", "RUNNING"),
    errors.QueueFull(1),
    errors.InspectionsFull(1),
    errors.RecordTooLarge("a suite", 2, 1),
    errors.RunTooLarge("nightly", 1),
    TooManyCalls(CallKind.CALLS, 1),
    TooManyStreams(CallKind.STREAMS, 1),
    TooManyTransfers(CallKind.TRANSFERS, 1),
    TooManyMessages(1),
    MessageTimedOut(1.0),
    UploadTimedOut(1.0),
    errors.Conflict("suites/nightly"),
    errors.BlobMissing("a" * 64),
    errors.InvalidDigest("../escape"),
    errors.ClusterRefused(),
    *(kind("what to do") for kind in (errors.DigestMismatch, errors.ContentTooLarge, errors.StorageFull)),
    *(kind("what to do") for kind in (errors.UriRefused, errors.UriUnreadable, errors.StoreUnavailable)),
    errors.LeaseLost("a"),
    ReportTooLarge("audits/a", Form.HTML, 1 << 30),
    core.OutOfMemory(),
    core.ShapeVaries("y", (3,), (5,)),
    *(kind("what to do") for kind in (core.InvalidModel, core.InvalidTensor, core.InvalidArgument)),
    *(kind("what to do") for kind in (core.UnreadableFile, core.ProviderUnavailable, core.ExecutionFailed)),
    core.AuditCancelled("what to do"),
]
EXAMPLES = {error.reason: error for error in ERRORS}
API = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
DOCUMENTED = dict(re.findall(r"^\| ([A-Z_]+) \| ([A-Z_]+) \|", API, re.MULTILINE))


class Failing(AuditHandlers):
    """Handlers that fail in ways nobody foresaw, and in all that somebody did, by their reasons."""

    def __init__(self) -> None:
        pass

    def get(self, audit_id: str) -> AuditRecord:
        if audit_id in EXAMPLES:
            raise EXAMPLES[audit_id]
        raise KeyError(SECRET)


@pytest.fixture
async def failing(
    redis_url: str, redis_client: redis.Redis, tmp_path: object
) -> AsyncIterator[rpc.AuditServiceAsyncStub]:
    """A server in this process whose handlers fail."""
    waiting, access = connect_async(redis_url), Access(None)
    server = grpc.aio.server(interceptors=[Interceptor(access, CallerLimits(CallLimits()), OpenStreams(access))])
    settings = ServerSettings(redis_url=redis_url, blob_url=f"file://{tmp_path}")
    handlers, hub = Failing(), EventHub(waiting)
    wake_ups = WakeUps(redis_url)
    parts = make_parts(settings, redis_client, hub, RunHub(waiting), Stopping(), wake_ups)
    parts = dataclasses.replace(parts, audits=handlers, follower=Follower(handlers, hub))
    rpc.add_AuditServiceServicer_to_server(AuditServicer(parts), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield rpc.AuditServiceStub(channel)
    await server.stop(None)
    wake_ups.close()
    await waiting.aclose()


async def test_an_unexpected_error_tells_the_caller_nothing_and_the_log_everything(
    failing: rpc.AuditServiceAsyncStub,
) -> None:
    with capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError) as caught:
        await failing.GetAudit(pb.GetAuditRequest(name="audits/a"))
    error = caught.value
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "the server failed; its log says why"
    assert "password" not in f"{error.details()}{error.debug_error_string()}{error.trailing_metadata()}"
    (line,) = lines
    assert (line["event"], line["method"]) == ("a call failed unexpectedly", "/dropaudit.v1.AuditService/GetAudit")
    assert line["exc_info"]


async def test_an_unexpected_error_in_a_stream_tells_nothing_either(failing: rpc.AuditServiceAsyncStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in failing.WatchAudit(pb.WatchAuditRequest(name="audits/a")):
            pass
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.INTERNAL,
        "the server failed; its log says why",
    )


def test_every_error_is_documented_and_nothing_else_is() -> None:
    assert set(DOCUMENTED) == set(EXAMPLES) == {kind.reason for kind in our_errors()} - {"STORE_ERROR", "NOT_FOUND"}


@pytest.mark.parametrize("reason", DOCUMENTED)
async def test_a_documented_error_arrives_with_its_code_its_words_and_its_facts(
    failing: rpc.AuditServiceAsyncStub, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await failing.GetAudit(pb.GetAuditRequest(name=f"audits/{reason}"))
    error, expected = caught.value, EXAMPLES[reason]
    assert (error.code().name, error.details()) == (DOCUMENTED[reason], expected.message)
    info = error_details_pb2.ErrorInfo()
    found: Any = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    assert any(detail.Unpack(info) for detail in status_pb2.Status.FromString(found).details)
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "dropaudit", expected.facts)
