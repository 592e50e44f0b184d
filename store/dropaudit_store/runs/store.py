"""Runs: begun once, listed, assigned their audits, cancelled, concluded, deleted."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import redis

from dropaudit_store.audits.ids import member
from dropaudit_store.errors import SuiteNotFound, redis_errors
from dropaudit_store.records import AuditState, Overlap, Run, RunPhase, RunTrigger, Suite
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script
from dropaudit_store.runs.reader import RunReader, decoded, value_of
from dropaudit_store.runs.records import Assigned, RunMember, RunResult
from dropaudit_store.shared.formats import changed_record, write_record

_AT_A_TIME = 500
_WRITTEN_SECONDS = 3600
_LOCK_SECONDS = 60
_MOST_TRIES = 20
_OVERLAPS = "an earlier run of the schedule had not finished when this one was due"


@dataclass(frozen=True, slots=True)
class Begin:
    """A request to begin a run."""

    id: str
    trigger: RunTrigger
    due_time: float | None = None
    caller: str = ""
    always_audit: bool = False
    trace: str = ""


class RunStore:
    """Runs in Redis. Every method raises StoreUnavailable when Redis is gone, StorageFull when it takes no more.

    Args:
        run_seconds: how long a run is kept; 0 for good.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time, run_seconds: float = 0.0) -> None:
        self._redis = client
        self._clock = clock
        self._seconds: int | str = int(run_seconds) or ""
        self.read = RunReader(client)
        self._start = client.register_script(script("runs/start"))
        self._swap = client.register_script(script("runs/swap"))
        self._members = client.register_script(script("runs/members"))
        self._assign = client.register_script(script("runs/assign"))
        self._made = client.register_script(script("runs/made"))
        self._conclude = client.register_script(script("runs/conclude"))
        self._delete = client.register_script(script("runs/delete"))
        self._keep_lock = client.register_script(script("locks/keep"))

    def begin(self, suite: Suite, asked: Begin) -> Run:
        """Begin a run, unless it is begun: one of the schedule waits, or is skipped, as the suite's overlap says.

        Raises:
            SuiteNotFound: there is no such suite any more.
        """
        now = self._clock()
        run = Run(
            suite=suite.id,
            id=asked.id,
            trigger=asked.trigger,
            create_time=now,
            due_time=asked.due_time,
            phase=RunPhase.RESOLVING,
            caller=asked.caller,
            trace=asked.trace,
            always_audit=asked.always_audit,
            labels=suite.labels,
            accepts=bool(suite.accepted),
        )
        heads = [run, _in(run, RunPhase.WAITING), _in(run, RunPhase.SKIPPED, _OVERLAPS)]
        scheduled = int(asked.trigger is RunTrigger.SCHEDULE)
        return self._begun(suite, run, scheduled, suite.overlap, heads)

    def skip(self, suite: Suite, asked: Begin, reason: str) -> Run:
        """Record that there is no run for a due time, unless there is one. Raises SuiteNotFound."""
        run = Run(
            suite=suite.id,
            id=asked.id,
            trigger=asked.trigger,
            create_time=self._clock(),
            due_time=asked.due_time,
            phase=RunPhase.SKIPPED,
            reason=reason,
        )
        return self._begun(suite, run, 0, suite.overlap, [run, run, run])

    def _begun(self, suite: Suite, run: Run, scheduled: int, overlap: Overlap, heads: Sequence[Run]) -> Run:
        place = member(run.create_time, run.id)
        words: list[str | float] = [suite.id, run.id, run.create_time, place, self._seconds, scheduled, overlap.value]
        with redis_errors():
            found = self._start(args=[*words, *map(write_record, heads)])
        if not found:
            raise SuiteNotFound(f"suites/{suite.id}")
        return decoded(found)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[Callable[[], bool] | None]:
        """Yield what keeps a lock on a run for longer, and says whether it is held; None where another holds it."""
        place, token = key("run-lock", name), uuid.uuid4().hex
        with redis_errors():
            taken = self._redis.set(place, token, nx=True, ex=_LOCK_SECONDS)
        if not taken:
            yield None
            return
        try:
            yield lambda: bool(self._keep_lock(keys=[place], args=[token, _LOCK_SECONDS]))
        finally:
            with redis_errors():
                self._keep_lock(keys=[place], args=[token, 0])

    def promote(self, run: Run) -> Run:
        """Let a run go on that has waited, where no other of the schedule is active; return it as it stands."""
        self._swapped(run, _in(run, RunPhase.RESOLVING), promoted=1)
        return self.read.get(run.suite, run.id)

    def _swapped(self, before: Run, after: Run, promoted: int = 0) -> bool:
        stored = self._stored(before)
        words: list[str | int] = [before.suite, before.id, stored, changed_record(stored, before, after), promoted]
        with redis_errors():
            return bool(self._swap(args=words))

    def _stored(self, run: Run) -> str:
        """Return a run's head as it is stored, with what only a newer version knows; as it was where it is another."""
        with redis_errors():
            found = str(self._redis.get(key("run", run.suite, run.id)) or "")
        return found if found and decoded(found) == run else write_record(run)

    def list_members(self, run: Run, members: Sequence[RunMember], notes: Sequence[str], reason: str = "") -> bool:
        """Write what a run consists of, once for all; False where that is written already, or it was cancelled."""
        written = key("run-members-written", uuid.uuid4().hex)
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for at in range(0, len(members), _AT_A_TIME):
                pipe.rpush(written, *(msgspec.json.encode(each) for each in members[at : at + _AT_A_TIME]))
            pipe.expire(written, _WRITTEN_SECONDS)
            pipe.execute()
        after = msgspec.structs.replace(run, notes=tuple(notes), reason=reason)
        stored = self._stored(run)
        heads = [stored, changed_record(stored, run, after)]
        words: list[str | float] = [run.suite, run.id, *heads, written, len(members), self._seconds]
        with redis_errors():
            return bool(self._members(args=words))

    def is_listed(self, run: Run) -> bool:
        """Whether it is written what a run consists of."""
        with redis_errors():
            return bool(self._redis.hexists(key("run-counts", run.name), "listed"))

    def assign(self, name: str, audits: Mapping[int, Assigned], verdicts: Mapping[int, str]) -> None:
        """Note the audit of each member, or that there is none; what is noted stays.

        Args:
            audits: by the member's index.
            verdicts: of reused audits, by the member's index.
        """
        words: list[str | float] = []
        for index, each in audits.items():
            state = "" if each.audit and not each.reused else _counted(each).value
            words += [index, value_of(each), state, verdicts.get(index, "")]
        with redis_errors():
            self._assign(args=[name, self._clock(), self._seconds, *words])

    def made(self, run: Run) -> None:
        """Note that a run has no audits left to make."""
        if run.phase is RunPhase.RESOLVING:
            self._swapped(run, _in(run, RunPhase.MADE, run.reason))
        with redis_errors():
            self._made(args=[run.name, self._clock()])

    def cancel(self, suite_id: str, run_id: str, reason: str) -> Run:
        """Note that a run is cancelled, unless it has ended; its audits are cancelled apart. Raises RunNotFound."""
        for _ in range(_MOST_TRIES):
            run = self.read.get(suite_id, run_id)
            if run.phase in (RunPhase.CANCELLED, RunPhase.SKIPPED) or self._has_ended(run):
                return run
            with redis_errors():
                # Somebody must end what has no audit yet.
                self._redis.zadd(key("runs-resolving"), {run.name: self._clock()})
            if self._swapped(run, _in(run, RunPhase.CANCELLED, reason)):
                break
        return self.read.get(suite_id, run_id)

    def _has_ended(self, run: Run) -> bool:
        (counts,) = self.read.counts([run.name])
        return counts is None or counts.end_time is not None

    def conclude(self, run: Run, result: RunResult, notifications: Iterable[Sequence[str]] = ()) -> bool:
        """Write how a run was concluded, and what is to be sent, in one step; False where that is written already.

        Args:
            notifications: id, record and place of each.
        """
        words = [word for each in notifications for word in each]
        body = write_record(result)
        with redis_errors():
            return bool(self._conclude(args=[run.name, body, self._seconds, run.suite, self._clock(), *words]))

    def take_resolving(self, older_than: float, limit: int = 100) -> list[str]:
        """Return the names of runs that are not made yet, unless somebody was told of them within so many seconds."""
        return self._taken("runs-resolving", older_than, limit)

    def take_ended(self, older_than: float, limit: int = 100) -> list[str]:
        """Return the names of runs that have ended and are not concluded, as `take_resolving` does."""
        return self._taken("runs-ended", older_than, limit)

    def _taken(self, name: str, older_than: float, limit: int) -> list[str]:
        now = self._clock()
        with redis_errors():
            found = texts(self._redis.zrangebyscore(key(name), "-inf", now, start=0, num=limit))
            if found:
                # XX: what is done in between must not come back.
                self._redis.zadd(key(name), dict.fromkeys(found, now + older_than), xx=True)
        return found

    def forget_ended(self, name: str) -> None:
        """Note that a run needs no conclusion: it is concluded, or gone."""
        with redis_errors():
            self._redis.zrem(key("runs-ended"), name)

    def delete(self, run: Run) -> None:
        """Delete a run; its audits stay."""
        with redis_errors():
            self._delete(args=[run.suite, run.id, member(run.create_time, run.id)])

    def delete_all(self, suite_id: str) -> None:
        """Delete the runs of a suite; their audits stay."""
        with redis_errors():
            for place in texts(self._redis.zrange(key("runs", suite_id), 0, -1)):
                self._delete(args=[suite_id, place.partition(":")[2], place])
            self._redis.delete(key("runs", suite_id), key("active", suite_id), key("waiting", suite_id))


def _counted(assigned: Assigned) -> AuditState:
    return AuditState.SUCCEEDED if assigned.reused else assigned.state or AuditState.FAILED


def _in(run: Run, phase: RunPhase, reason: str = "") -> Run:
    return msgspec.structs.replace(run, phase=phase, reason=reason)
