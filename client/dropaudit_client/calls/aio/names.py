"""Methods about names of models, their versions and aliases."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dropaudit_client.calls.aio.base import AsyncCalls
from dropaudit_client.naming import responses
from dropaudit_client.naming.resources import HistoryPoint, ModelName, ModelVersion
from dropaudit_proto.v1 import audit_pb2 as pb


class AsyncNameCalls(AsyncCalls):
    """Names of models."""

    async def list_model_names(self, pattern: str = "") -> AsyncIterator[ModelName]:
        """Yield the names of stored models that match a shell pattern, in alphabetical order."""
        async for page in self._pages(self._stub.ListModelNames, pb.ListModelNamesRequest(pattern=pattern)):
            for each in page.names:
                yield responses.name(each)

    async def get_model_name(self, name: str) -> ModelName:
        """Return a name with its newest version and its aliases."""
        return responses.name(await self._call(self._stub.GetModelName, pb.GetModelNameRequest(display_name=name)))

    async def list_model_versions(self, name: str) -> AsyncIterator[ModelVersion]:
        """Yield the versions of a name, newest first."""
        async for page in self._pages(self._stub.ListModelVersions, pb.ListModelVersionsRequest(display_name=name)):
            for each in page.versions:
                yield responses.version(each)

    async def set_model_alias(self, name: str, alias: str, version: int = 0) -> ModelVersion:
        """Let an alias stand for a version, whatever it stood for before; 0 is the newest."""
        request = pb.SetModelAliasRequest(display_name=name, alias=alias, version=version)
        return responses.version(await self._call(self._stub.SetModelAlias, request))

    async def delete_model_alias(self, name: str, alias: str) -> None:
        """Delete an alias; its version stays."""
        await self._call(self._stub.DeleteModelAlias, pb.DeleteModelAliasRequest(display_name=name, alias=alias))

    async def delete_model_name(self, name: str) -> None:
        """Delete a name, its versions, and the content that no other name has. Raises ServiceError / IN_USE."""
        await self._call(self._stub.DeleteModelName, pb.DeleteModelNameRequest(display_name=name))

    async def model_history(
        self, name: str, *, suite: str = "", subject: str = "", quantity: str = ""
    ) -> AsyncIterator[HistoryPoint]:
        """Yield what the audits of a name measured, newest first.

        Args:
            suite: only audits of this suite's runs.
            subject: only this site or output.
            quantity: keepProb or scaleFactor.
        """
        request = pb.GetModelHistoryRequest(display_name=name, suite=suite, subject=subject, quantity=quantity)
        async for page in self._pages(self._stub.GetModelHistory, request):
            for each in page.points:
                yield responses.point(each)
