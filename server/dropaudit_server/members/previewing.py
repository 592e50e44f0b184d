"""Says what a suite would audit; where its members lie outside the store, a worker looks."""

from __future__ import annotations

import asyncio

from dropaudit.errors import AuditError
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.requests.paging import fitting
from dropaudit_server.stopping import Stopping
from dropaudit_store.members.outside import has_outside
from dropaudit_store.members.previewing import Preview, PreviewMember, Previews, preview_of
from dropaudit_store.members.resolving import Resolver
from dropaudit_store.records import Suite

_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.02, 0.25


class NotPreviewed(AuditError):
    """No worker has answered in time."""

    reason = "NOT_PREVIEWED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no worker has looked within {seconds:g} s for what lies outside the store; try again, and look whether "
            "workers run"
        )


class Previewer:
    """Previews of suites.

    Args:
        seconds: how long a worker's answer is waited for.
    """

    def __init__(
        self, resolver: Resolver, previews: Previews, wake_ups: WakeUps, stopping: Stopping, seconds: float
    ) -> None:
        self._resolver = resolver
        self._previews = previews
        self._wake_ups = wake_ups
        self._stopping = stopping
        self._seconds = seconds

    async def preview(self, suite: Suite) -> Preview:
        """Return what a suite would audit now. Raises RunTooLarge, NotPreviewed and ServerStopping."""
        if not has_outside(suite):
            return preview_of(await asyncio.to_thread(self._resolver.resolve, suite))
        asked = await asyncio.to_thread(self._previews.ask, suite)
        self._wake_ups.preview(asked, self._seconds)
        return await self._answer(asked)

    async def _answer(self, asked: str) -> Preview:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + self._seconds, _FIRST_LOOK_SECONDS
        while loop.time() < end:
            await self._stopping.sleep(pause)
            found = await asyncio.to_thread(self._previews.get, asked)
            if found is not None:
                return found
            pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
        raise NotPreviewed(self._seconds)


def preview(found: Preview) -> pb.PreviewSuiteResponse:
    """Return the message of a preview."""
    members, _ = fitting(((_member(each), "-") for each in found.members), "")
    return pb.PreviewSuiteResponse(members=members, total=found.total, notes=found.notes)


def _member(found: PreviewMember) -> pb.ResolvedMember:
    artifacts = (
        pb.ResolvedArtifact(display_name=each.display_name, sha256=each.sha256, version=each.version, uri=each.uri)
        for each in found.files
    )
    return pb.ResolvedMember(display_name=found.display_name, position=found.position, artifacts=artifacts)
