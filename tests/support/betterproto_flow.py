"""A client that shares no code with this project: betterproto2's messages over grpclib's HTTP/2.

`python -m support.betterproto_flow ADDRESS MODEL FAULTY_MODEL`, with the package `contract` on the path, does the
whole flow of a service's user and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Registers what details of errors may be.
from google.rpc import error_details_pb2 as error_details_pb2
from grpclib.client import Channel
from grpclib.exceptions import GRPCError

# Generated at test time, so no type checker knows it.
pb: Any = importlib.import_module("contract.dropaudit.v1")
_LABELS = {"by": "betterproto"}


class Flow:
    """One user's calls."""

    def __init__(self, channel: Channel) -> None:
        self._stub = pb.AuditServiceStub(channel)

    async def run(self, healthy: Path, faulty: Path) -> dict[str, Any]:
        """Make every kind of call: streams both ways, idempotent ones, lists, refusals, deletions."""
        models = [await self._uploaded(path) for path in (healthy, faulty)]
        content = hashlib.sha256()
        async for each in self._stub.download_model(pb.DownloadModelRequest(name=models[0].name)):
            content.update(each.chunk)
        inspected = await self._stub.inspect_model(pb.InspectModelRequest(name=models[1].name), timeout=60)
        audits = [await self._audited(model) for model in models]
        seen = {
            "names": [model.name for model in models],
            "downloaded": f"models/{content.hexdigest()}",
            "implementations": [site.implementation.name for site in inspected.sites],
            "verdicts": [audit.report.verdict.name for audit in audits],
            "findings": [sorted(found.code for found in audit.report.findings) for audit in audits],
            "scales": [audit.report.sites[0].scale.median for audit in audits],
            "created": [audit.create_time.year > 2000 for audit in audits],
            "suite": await self._suite(models),
            "listed": await self._listed(),
            "refused": await self._refusals(),
        }
        await self._delete(audits, models)
        return seen | {"left": await self._listed()}

    async def _uploaded(self, path: Path) -> Any:
        def messages() -> Iterator[Any]:
            yield pb.UploadModelRequest(metadata=pb.UploadModelRequestMetadata(display_name=path.name))
            content = path.read_bytes()
            for start in range(0, len(content), 1000):
                yield pb.UploadModelRequest(chunk=content[start : start + 1000])

        return await self._stub.upload_model(messages())

    async def _audited(self, model: Any) -> Any:
        """Ask twice with one request id, and follow the one audit to its end."""
        subject = pb.ArtifactSubject(model=model.name, role=pb.Role.TRAIN)
        asked = pb.CreateAuditRequest(
            audit=pb.Audit(spec=pb.AuditSpec(artifact=subject), labels=_LABELS), request_id=f"betterproto {model.name}"
        )
        first, again = await self._stub.create_audit(asked), await self._stub.create_audit(asked)
        assert first.name == again.name
        events = [event async for event in self._stub.watch_audit(pb.WatchAuditRequest(name=first.name))]
        assert [event.sequence for event in events[:-1]] == list(range(1, len(events)))
        assert (await self._stub.get_audit(pb.GetAuditRequest(name=first.name))).report == events[-1].audit.report
        return events[-1].audit

    async def _suite(self, models: list[Any]) -> list[str]:
        members = [pb.SuiteMember(artifact=pb.ArtifactSubject(model=model.name)) for model in models]
        suite = await self._stub.create_suite(
            pb.CreateSuiteRequest(suite=pb.Suite(members=members, labels=_LABELS), suite_id="betterproto")
        )
        run = await self._stub.run_suite(pb.RunSuiteRequest(name=suite.name))
        while run.state is not pb.RunState.FINISHED:
            await asyncio.sleep(0.1)
            run = await self._stub.get_run(pb.GetRunRequest(name=run.name))
        await self._stub.delete_suite(pb.DeleteSuiteRequest(name=suite.name))
        return [audit.verdict.name for audit in run.audits]

    async def _listed(self) -> list[str]:
        """Return the names of this user's audits, one a page."""
        names, token = [], ""
        while True:
            page = await self._stub.list_audits(
                pb.ListAuditsRequest(page_size=1, page_token=token, filter="labels.by = betterproto")
            )
            names += [audit.name for audit in page.audits]
            token = page.next_page_token
            if not token:
                return names

    async def _refusals(self) -> list[list[str]]:
        calls = [
            self._stub.get_audit(pb.GetAuditRequest(name="audits/none")),
            self._stub.create_audit(pb.CreateAuditRequest()),
            self._stub.delete_model(pb.DeleteModelRequest(name="models/none")),
        ]
        return [await _refusal(call) for call in calls]

    async def _delete(self, audits: list[Any], models: list[Any]) -> None:
        for name in await self._listed():
            await self._stub.delete_audit(pb.DeleteAuditRequest(name=name))
        for model in models:
            await self._stub.delete_model(pb.DeleteModelRequest(name=model.name))


async def _refusal(call: Any) -> list[str]:
    """Return the code of a refused call, and the reason that google.rpc.ErrorInfo gives."""
    try:
        await call
    except GRPCError as error:
        return [error.status.name, *(each.reason for each in error.details if hasattr(each, "reason"))]
    return ["OK"]


async def _main(address: str, healthy: str, faulty: str) -> None:
    host, _, port = address.rpartition(":")
    async with Channel(host, int(port)) as channel:
        print(json.dumps(await Flow(channel).run(Path(healthy), Path(faulty))))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
