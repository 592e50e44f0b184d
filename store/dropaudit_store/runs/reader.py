"""Reads runs: their heads, counts, members, audits and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import cast

import msgspec
import redis

from dropaudit_store.audits import page_index as ordered
from dropaudit_store.audits.ids import member, name_in
from dropaudit_store.errors import RunNotFound, redis_errors
from dropaudit_store.records import AuditState, Run, RunPhase, run_name
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.runs.records import Assigned, RunCounts, RunMember, RunResult
from dropaudit_store.shared.formats import read_record

_AT_A_TIME = 1000
_REUSED = "reused "
_GONE = "gone "
# How far back a run is looked for that can be compared with.
_MOST_BEFORE = 200
_NOT_COMPARED = (RunPhase.SKIPPED, RunPhase.CANCELLED)


class RunReader:
    """Runs in Redis. Every method raises StoreUnavailable when Redis is gone."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def get(self, suite_id: str, run_id: str) -> Run:
        """Return a run. Raises RunNotFound."""
        return decoded(self.body(suite_id, run_id))

    def body(self, suite_id: str, run_id: str) -> str:
        """Return a run's head as it is stored. Raises RunNotFound."""
        with redis_errors():
            found = self._redis.get(key("run", suite_id, run_id))
        if found is None:
            raise RunNotFound(run_name(suite_id, run_id))
        return str(found)

    def page(self, suite_id: str, count: int, cursor: str = "") -> tuple[list[Run], str]:
        """Return `count` runs of a suite that follow a cursor, newest first, and the cursor of the next."""
        members = ordered.read(self._redis, key("runs", suite_id), count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._listed(suite_id, members[:count]), following

    def newest(self, suite_ids: Sequence[str]) -> dict[str, str]:
        """Return the id of the newest run of each suite that has one."""
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for suite_id in suite_ids:
                pipe.zrevrangebylex(key("runs", suite_id), ordered.LAST, ordered.FIRST, start=0, num=1)
            found = [texts(each) for each in pipe.execute()]
        return {suite_id: name_in(each[0]) for suite_id, each in zip(suite_ids, found, strict=True) if each}

    def before(self, run: Run) -> Run | None:
        """Return the run of the suite before, of those that are concluded, neither skipped nor cancelled."""
        return next(iter(self.earlier(run, 1)), None)

    def earlier(self, run: Run, most: int) -> list[Run]:
        """Return runs of the suite before, newest first, of those that are concluded, neither skipped nor cancelled."""
        cursor = member(run.create_time, run.id)
        members = ordered.read(self._redis, key("runs", run.suite), _MOST_BEFORE, after=cursor)
        runs = (each for each in self._listed(run.suite, members) if each.phase not in _NOT_COMPARED)
        return list(islice((each for each in runs if self._is_concluded(each.name)), most))

    def _is_concluded(self, name: str) -> bool:
        with redis_errors():
            return bool(self._redis.exists(key("run-result", name)))

    def _listed(self, suite_id: str, members: list[str]) -> list[Run]:
        keys = [key("run", suite_id, name_in(each)) for each in members]
        with redis_errors():
            found = cast(list[str | None], self._redis.mget(keys)) if keys else []
            expired = [each for each, run in zip(members, found, strict=True) if run is None]
            if expired:
                self._redis.zrem(key("runs", suite_id), *expired)
        return [decoded(each) for each in found if each is not None]

    def counts(self, names: Sequence[str]) -> list[RunCounts | None]:
        """Return the counts of runs; None of one that has none, being skipped, deleted or of an earlier version."""
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(key("run-counts", name))
            return [_counts(each) if each else None for each in cast(list[dict[str, str]], pipe.execute())]

    def members(self, name: str) -> list[RunMember]:
        """Return the members of a run; none before they are resolved."""
        found: list[RunMember] = []
        while True:
            with redis_errors():
                batch = texts(self._redis.lrange(key("run-members", name), len(found), len(found) + _AT_A_TIME - 1))
            found += [msgspec.json.decode(each, type=RunMember) for each in batch]
            if len(batch) < _AT_A_TIME:
                return found

    def assigned(self, name: str) -> dict[int, Assigned]:
        """Return the audit of each member that has one by now, by the member's index."""
        with redis_errors():
            found = cast(dict[str, str], self._redis.hgetall(key("run-audits", name)))
        return {int(index): _assigned(value) for index, value in found.items()}

    def result(self, name: str) -> RunResult | None:
        """Return how a run was concluded; None before."""
        return self.results([name])[0]

    def results(self, names: Sequence[str]) -> list[RunResult | None]:
        """Return how runs were concluded."""
        with redis_errors():
            found = (
                cast(list[str | None], self._redis.mget([key("run-result", name) for name in names])) if names else []
            )
        return [None if each is None else read_record(each, RunResult, "the end of a run") for each in found]

    def active(self, suite_id: str) -> list[str]:
        """Return the ids of a suite's runs that have not ended, those that wait left out."""
        with redis_errors():
            return texts(self._redis.zrange(key("active", suite_id), 0, -1))

    def waiting(self, suite_id: str) -> str:
        """Return the id of the run that waits for another; empty without one."""
        with redis_errors():
            return str(self._redis.get(key("waiting", suite_id)) or "")


def decoded(body: str | bytes) -> Run:
    """Read the head of a run."""
    return read_record(body, Run, "a run")


def value_of(assigned: Assigned) -> str:
    """Return how a member's audit is stored."""
    if not assigned.audit:
        state = assigned.state or AuditState.FAILED
        return f"{_GONE}{state.value} {assigned.reason}"
    return f"{_REUSED}{assigned.audit}" if assigned.reused else assigned.audit


def _assigned(value: str) -> Assigned:
    if value.startswith(_GONE):
        state, _, reason = value.removeprefix(_GONE).partition(" ")
        return Assigned(state=AuditState(state), reason=reason)
    return Assigned(value.removeprefix(_REUSED), reused=value.startswith(_REUSED))


def _counts(fields: Mapping[str, str]) -> RunCounts:
    return RunCounts(
        total=int(fields.get("total", 0)),
        left=int(fields.get("left", 0)),
        reused=int(fields.get("reused", 0)),
        states={state: int(fields.get(state.value, 0)) for state in AuditState},
        verdicts={
            name.removeprefix("verdict:"): int(value) for name, value in fields.items() if name.startswith("verdict:")
        },
        end_time=float(fields["end"]) if "end" in fields else None,
        change=int(fields.get("change", 0)),
    )
