"""Methods about suites that run, their runs, and who is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask

from dropaudit_client import responses
from dropaudit_client.calls.aio.base import AsyncCalls
from dropaudit_client.errors import ServiceError, ServiceUnavailable
from dropaudit_client.resources import Run, Suite
from dropaudit_client.runs import responses as runs
from dropaudit_client.runs.resources import Comparison, Delivery, Preview
from dropaudit_proto.v1 import audit_pb2 as pb

# Told how far a run is, and at last of the run.
OnRun = Callable[[Run], None]


class AsyncRunCalls(AsyncCalls):
    """Suites that run."""

    async def pause_suite(self, name: str) -> Suite:
        """Pause a suite's schedule."""
        return responses.suite(await self._call(self._stub.PauseSuite, pb.PauseSuiteRequest(name=name)))

    async def resume_suite(self, name: str) -> Suite:
        """Let a suite's schedule go on, from now."""
        return responses.suite(await self._call(self._stub.ResumeSuite, pb.ResumeSuiteRequest(name=name)))

    async def accept_finding(
        self,
        name: str,
        code: str,
        reason: str,
        *,
        member: str = "",
        subject: str = "",
        accepted_by: str = "",
        until: datetime | None = None,
    ) -> Suite:
        """Let findings of a suite's members no longer move the verdict of its runs, from the next one on.

        Args:
            member: shell pattern of the members' names; empty: all.
            subject: shell pattern of sites and outputs; empty: all.
            until: when it comes back; None: it does not by itself.

        Raises:
            ServiceError: ABORTED where somebody else changes the suite at the same time.
        """
        suite = await self._call(self._stub.GetSuite, pb.GetSuiteRequest(name=name))
        acceptance = pb.Acceptance(reason=reason, accepted_by=accepted_by)
        if until is not None:
            acceptance.expire_time.FromDatetime(until)
        suite.accepted_findings.add(code=code, member=member, subject=subject, acceptance=acceptance)
        return await self._changed(suite, "accepted_findings")

    async def pin_baseline(self, name: str, run: str) -> Suite:
        """Compare later runs of a suite with this one as well; with an empty name, with none."""
        suite = await self._call(self._stub.GetSuite, pb.GetSuiteRequest(name=name))
        suite.baseline = run
        return await self._changed(suite, "baseline")

    async def _changed(self, suite: pb.Suite, field: str) -> Suite:
        request = pb.UpdateSuiteRequest(suite=suite, update_mask=FieldMask(paths=[field]))
        return responses.suite(await self._call(self._stub.UpdateSuite, request))

    async def preview_suite(self, name: str) -> Preview:
        """Return what a stored suite would audit if it ran now."""
        return runs.preview(await self._call(self._stub.PreviewSuite, pb.PreviewSuiteRequest(name=name)))

    async def cancel_run(self, name: str) -> Run:
        """Cancel a run that has not finished, and its audits."""
        return responses.run(await self._call(self._stub.CancelRun, pb.CancelRunRequest(name=name)))

    async def watch_run(self, name: str) -> AsyncIterator[Run]:
        """Yield a run whenever it has got further, at first without its audits; the last one is whole and finished.

        Where the server goes away it is called again.
        """
        patience = self._waiting()
        while True:
            try:
                async for event in self._stream(self._stub.WatchRun, pb.WatchRunRequest(name=name)):
                    patience.heard()
                    yield responses.run(event.run if event.HasField("run") else event.progress)
                    if event.HasField("run"):
                        return
                raise ServiceUnavailable("STREAM_ENDED", f"the server ended the watch of {name}", "UNAVAILABLE")
            except ServiceError as error:
                await asyncio.sleep(patience.pause(error))

    async def wait_run(self, name: str, progress: OnRun | None = None) -> Run:
        """Follow a run to its end and return it finished and compared."""
        async for found in self.watch_run(name):
            last = found
            if progress:
                progress(found)
        return last

    async def compare(self, name: str, base: str = "") -> Comparison:
        """Return what changed from an earlier run of a suite to a later one; by default from the one before it."""
        request = pb.CompareRunsRequest(name=name, base=base)
        return runs.comparison(await self._call(self._stub.CompareRuns, request))

    async def list_deliveries(self, suite: str) -> AsyncIterator[Delivery]:
        """Yield the notifications of a suite's runs, newest first."""
        async for page in self._pages(self._stub.ListDeliveries, pb.ListDeliveriesRequest(parent=suite)):
            for each in page.deliveries:
                yield runs.delivery(each)

    async def redeliver(self, name: str) -> Delivery:
        """Send a notification again, whatever became of it."""
        return runs.delivery(await self._call(self._stub.Redeliver, pb.RedeliverRequest(name=name)))
