"""Calls of the contract that this version does not serve."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty

from dropaudit.errors import AuditError
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1 import audit_pb2_grpc as rpc

Context = grpc.aio.ServicerContext[Any, Any]


class NotServed(AuditError):
    """The call is in the contract and not in this version."""

    reason = "UNIMPLEMENTED"


def _refuse(call: str) -> NoReturn:
    raise NotServed(f"{call} is not served by this version; upgrade the server", call=call)


class UnservedCalls(rpc.AuditServiceServicer):
    """Answers each of them with UNIMPLEMENTED."""

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        _refuse("ListModels")

    async def DownloadModel(
        self, request: pb.DownloadModelRequest, context: Context
    ) -> AsyncIterator[pb.DownloadModelResponse]:
        _refuse("DownloadModel")
        yield pb.DownloadModelResponse()

    async def DeleteModel(self, request: pb.DeleteModelRequest, context: Context) -> Empty:
        _refuse("DeleteModel")

    async def InspectModel(self, request: pb.InspectModelRequest, context: Context) -> pb.InspectModelResponse:
        _refuse("InspectModel")

    async def BatchCreateAudits(
        self, request: pb.BatchCreateAuditsRequest, context: Context
    ) -> pb.BatchCreateAuditsResponse:
        _refuse("BatchCreateAudits")

    async def ListAudits(self, request: pb.ListAuditsRequest, context: Context) -> pb.ListAuditsResponse:
        _refuse("ListAudits")

    async def CancelAudit(self, request: pb.CancelAuditRequest, context: Context) -> pb.Audit:
        _refuse("CancelAudit")

    async def DeleteAudit(self, request: pb.DeleteAuditRequest, context: Context) -> Empty:
        _refuse("DeleteAudit")

    async def ListSuites(self, request: pb.ListSuitesRequest, context: Context) -> pb.ListSuitesResponse:
        _refuse("ListSuites")

    async def UpdateSuite(self, request: pb.UpdateSuiteRequest, context: Context) -> pb.Suite:
        _refuse("UpdateSuite")

    async def DeleteSuite(self, request: pb.DeleteSuiteRequest, context: Context) -> Empty:
        _refuse("DeleteSuite")
