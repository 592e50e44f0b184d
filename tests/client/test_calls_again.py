"""Claims about which calls a client's channel makes again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from dropaudit_client import AuditClient, ServiceError
from dropaudit_client.resources import Suite
from dropaudit_proto.v1 import audit_pb2 as pb


class _Ending:
    """A service whose first calls end with a code, as those do that reach a server in the moment in which it stops."""

    def __init__(self, code: grpc.StatusCode, times: int) -> None:
        self._code, self._left, self.calls = code, times, 0

    def answer(self, _request: object, context: grpc.ServicerContext) -> pb.Suite:
        """Answer any call with one suite, once enough have ended."""
        self.calls += 1
        if self._left:
            self._left -= 1
            context.abort(self._code, "")
        return pb.Suite(name="suites/nightly")

    def handler(self) -> grpc.GenericRpcHandler:
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                self.answer, kind.FromString, response_serializer=pb.Suite.SerializeToString
            )
            for name, kind in (("GetSuite", pb.GetSuiteRequest), ("CreateSuite", pb.CreateSuiteRequest))
        }
        return grpc.method_handlers_generic_handler("dropaudit.v1.AuditService", methods)


@contextmanager
def serving(service: _Ending) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2), handlers=[service.handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def suite_from(service: _Ending) -> Suite:
    with serving(service) as address, AuditClient(address) as client:
        return client.get_suite("suites/nightly")


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
def test_a_call_that_a_stopping_server_ends_is_made_again(code: grpc.StatusCode) -> None:
    service = _Ending(code, times=2)
    assert suite_from(service).name == "suites/nightly"
    assert service.calls == 3


def test_an_error_that_the_service_raises_is_final() -> None:
    service = _Ending(grpc.StatusCode.FAILED_PRECONDITION, times=1)
    with pytest.raises(ServiceError):
        suite_from(service)
    assert service.calls == 1


def test_a_suite_that_may_have_been_created_is_not_created_again() -> None:
    service = _Ending(grpc.StatusCode.CANCELLED, times=1)
    with serving(service) as address, AuditClient(address) as client, pytest.raises(ServiceError):
        client.create_suite("nightly", [])
    assert service.calls == 1
