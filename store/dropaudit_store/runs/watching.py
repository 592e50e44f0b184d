"""Lets many watch runs: each run is looked at once a second or so, however many audits it has and whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import redis.asyncio

from dropaudit.errors import AuditError
from dropaudit_store.errors import RunNotFound, redis_errors
from dropaudit_store.records import run_name
from dropaudit_store.redis.connection import key

_LOOK_SECONDS = 0.5
# A run that has ended is compared by a worker; where none does, it is not waited for any longer.
_MOST_WAIT_SECONDS = 30.0

Sleep = Callable[[float], Awaitable[None]]
T = TypeVar("T")


class RunChange:
    """A change of a run, one for everybody who watches it; `concluded` where nothing more will change."""

    def __init__(self, *, concluded: bool) -> None:
        self.concluded = concluded
        self._reading: asyncio.Task[Any] | None = None

    async def once(self, read: Callable[[], T]) -> T:
        """Return what is read in a thread: the first caller starts the read, and all share its result."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(read))
        # A caller that is cancelled meanwhile does not cancel it for the others.
        found: T = await asyncio.shield(self._reading)
        return found


class RunHub:
    """Looks at every run that is watched."""

    def __init__(
        self, client: redis.asyncio.Redis, sleep: Sleep = asyncio.sleep, seconds: float = _LOOK_SECONDS
    ) -> None:
        """Look every so many seconds; what `sleep` raises ends every watch."""
        self._redis = client
        self._sleep = sleep
        self._seconds = seconds
        self._looks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._seen: dict[tuple[str, str], _Seen] = {}

    async def follow(self, suite_id: str, run_id: str) -> AsyncIterator[RunChange]:
        """Yield whenever a run has changed, and at once to begin with.

        Raises:
            RunNotFound: there is no such run, or it is deleted meanwhile.
        """
        name = (suite_id, run_id)
        seen = self._seen.setdefault(name, _Seen())
        seen.watchers += 1
        if name not in self._looks:
            self._looks[name] = asyncio.create_task(self._look(name, seen))
        try:
            last = 0
            while True:
                last = await seen.after(last)
                if seen.error is not None:
                    raise seen.error
                yield (change := seen.change)
                if change.concluded:
                    return
        finally:
            self._leave(name, seen)

    def _leave(self, name: tuple[str, str], seen: _Seen) -> None:
        seen.watchers -= 1
        if not seen.watchers:
            self._looks.pop(name).cancel()
            del self._seen[name]

    async def _look(self, name: tuple[str, str], seen: _Seen) -> None:
        ended = 0.0
        try:
            while True:
                head, fields, has_result = await self._read(*name)
                if head is None:
                    raise RunNotFound(run_name(*name))
                ended += self._seconds if "end" in fields else 0.0
                # Of a run without counts nothing more comes.
                concluded = has_result or not fields or ended > _MOST_WAIT_SECONDS
                await seen.tell((head, tuple(sorted(fields.items()))), concluded)
                if concluded:
                    return
                await self._sleep(self._seconds)
        except AuditError as error:
            await seen.fail(error)

    async def _read(self, suite_id: str, run_id: str) -> tuple[str | None, dict[str, str], bool]:
        name = run_name(suite_id, run_id)
        with redis_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.get(key("run", suite_id, run_id))
                pipe.hgetall(key("run-counts", name))
                pipe.exists(key("run-result", name))
                head, fields, has_result = await pipe.execute()
        return head, fields, bool(has_result)


class _Seen:
    """The state of a run that was last seen."""

    def __init__(self) -> None:
        self.watchers = 0
        self.change = RunChange(concluded=False)
        self.error: AuditError | None = None
        self._state: object = None
        self._number = 0
        self._changed = asyncio.Condition()

    async def after(self, number: int) -> int:
        """Wait until something has happened after what had a number, and return its own."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._number > number)
            return self._number

    async def tell(self, state: object, concluded: bool) -> None:
        """Note how a run stands."""
        if (state, concluded) == (self._state, self.change.concluded):
            return
        self._state, self.change = state, RunChange(concluded=concluded)
        await self._next()

    async def fail(self, error: AuditError) -> None:
        """Let every watch end with an error."""
        self.error = error
        await self._next()

    async def _next(self) -> None:
        async with self._changed:
            self._number += 1
            self._changed.notify_all()
