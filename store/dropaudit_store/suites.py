"""Suites and their runs."""

from __future__ import annotations

import contextlib
import fnmatch
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import msgspec
import redis

from dropaudit_store.audits import page_index as ordered
from dropaudit_store.audits.ids import member, name_in
from dropaudit_store.audits.lifecycle import AuditStore, AuditToCreate
from dropaudit_store.audits.terms import models_of, tensors_of
from dropaudit_store.errors import (
    Conflict,
    ModelNotFound,
    RecordTooLarge,
    RunNotFound,
    RunTooLarge,
    SuiteExists,
    SuiteNotFound,
    redis_errors,
)
from dropaudit_store.models import ModelStore
from dropaudit_store.records import (
    ArtifactRef,
    AuditRequest,
    Glob,
    ModelRecord,
    Priority,
    Run,
    RunTrigger,
    Spec,
    SubjectRef,
    Suite,
)
from dropaudit_store.redis import scripts
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room
from dropaudit_store.shared.byte_limits import MOST_OF_RUN, NAME_BYTES, SUITE_BYTES

_SUITES = key("suites")
# No caller's request id holds it: the audits of runs are found by ids of their own.
_OF_RUNS = "\x1f"
# A model that matches may be deleted before its audit is made; then the others are looked for again.
_MOST_TRIES = 5
_MINUTE_FORMAT = "%Y%m%dt%H%Mz"


class SuiteStore:
    """Suites in Redis, and the one piece of code that turns a suite into audits.

    Args:
        run_seconds: how long a run is kept; 0 for good.
        room: what the disk under Redis must have for a new or another suite.
    """

    def __init__(
        self,
        client: redis.Redis,
        audits: AuditStore,
        models: ModelStore,
        clock: Callable[[], float] = time.time,
        run_seconds: float = 0.0,
        room: Room = ANY_ROOM,
    ) -> None:
        self._redis = client
        self._audits = audits
        self._models = models
        self._clock = clock
        self._run_seconds = run_seconds
        self._room = room
        self._put = client.register_script(scripts.PUT_SUITE)

    def now(self) -> float:
        """Return the store's time, in seconds since the epoch."""
        return self._clock()

    def create(self, suite: Suite) -> Suite:
        """Store a suite. Raises SuiteExists, ModelNotFound and RecordTooLarge."""
        self._room.require()
        if not self._replaced(suite.id, None, suite):
            raise SuiteExists(suite.id)
        return suite

    def replace(self, before: Suite, after: Suite) -> Suite:
        """Put a suite in the place of another of its name.

        Raises:
            Conflict: it is not as it was.
            ModelNotFound: a model that it names is not stored.
            RecordTooLarge: it takes more than is kept of one suite.
        """
        self._room.require()
        if not self._replaced(before.id, before, after):
            raise Conflict(f"suites/{before.id}")
        return after

    def delete(self, suite_id: str) -> None:
        """Delete a suite; its runs and their audits stay. Raises SuiteNotFound and Conflict."""
        if not self._replaced(suite_id, self.get(suite_id), None):
            raise Conflict(f"suites/{suite_id}")

    def _replaced(self, suite_id: str, before: Suite | None, after: Suite | None) -> bool:
        known = before or after
        place = member(known.create_time, suite_id) if known else ""
        released, referred = _content(before), _content(after)
        required = _models(after) - _models(before)
        lists = ("\n".join(sorted(each)) for each in (released - referred, referred - released, required))
        with redis_errors():
            # In the same step as the look at the models: who deletes one at the same time comes before or after.
            outcome = self._put(args=[suite_id, self._clock(), place, _body(before), _limited(after), *lists])
        if isinstance(outcome, str):
            raise ModelNotFound(f"models/{outcome}")
        return bool(outcome)

    def get(self, suite_id: str) -> Suite:
        """Return a suite. Raises SuiteNotFound."""
        found = self._found([suite_id])
        if not found:
            raise SuiteNotFound(f"suites/{suite_id}")
        return found[0]

    def page(self, count: int, cursor: str = "") -> tuple[list[Suite], str]:
        """Return `count` suites that follow a cursor, newest first, and the cursor of the next; empty at the end."""
        members = ordered.read(self._redis, _SUITES, count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._found(map(name_in, members[:count])), following

    def every(self) -> list[Suite]:
        """Return all suites, oldest first."""
        with redis_errors():
            members = texts(self._redis.zrange(_SUITES, 0, -1))
        return self._found(map(name_in, members))

    def _found(self, suite_ids: Iterable[str]) -> list[Suite]:
        keys = [key("suite", suite_id) for suite_id in suite_ids]
        with redis_errors():
            found = cast(list[str | None], self._redis.mget(keys)) if keys else []
        return [msgspec.json.decode(each, type=Suite) for each in found if each is not None]

    def run_now(self, suite_id: str, request_id: str = "") -> Run:
        """Turn a suite into audits; the same `request_id` returns the same run. Raises SuiteNotFound."""
        seed = f"{suite_id}/{request_id}" if request_id else uuid.uuid4().hex
        run_id = uuid.uuid5(uuid.NAMESPACE_OID, seed).hex
        return self._run(self.get(suite_id), run_id, RunTrigger.MANUAL, None)

    def run_due(self, suite_id: str, due: float) -> Run:
        """Turn a suite into audits for a due instant; however often it is called, there is one run for it."""
        run_id = time.strftime(_MINUTE_FORMAT, time.gmtime(due))
        return self._run(self.get(suite_id), run_id, RunTrigger.SCHEDULE, due)

    def get_run(self, suite_id: str, run_id: str) -> Run:
        """Return a run. Raises RunNotFound."""
        with redis_errors():
            found = self._redis.get(key("run", suite_id, run_id))
        if found is None:
            raise RunNotFound(f"suites/{suite_id}/runs/{run_id}")
        return msgspec.json.decode(found, type=Run)

    def runs(self, suite_id: str, count: int, cursor: str = "") -> tuple[list[Run], str]:
        """Return `count` runs of a suite that follow a cursor, newest first, and the cursor of the next.

        Raises:
            SuiteNotFound: there is no such suite.
        """
        self.get(suite_id)
        members = ordered.read(self._redis, key("runs", suite_id), count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._listed(suite_id, members[:count]), following

    def _listed(self, suite_id: str, members: list[str]) -> list[Run]:
        keys = [key("run", suite_id, name_in(each)) for each in members]
        with redis_errors():
            found = cast(list[str | None], self._redis.mget(keys)) if keys else []
            expired = [each for each, run in zip(members, found, strict=True) if run is None]
            if expired:
                self._redis.zrem(key("runs", suite_id), *expired)
        return [msgspec.json.decode(each, type=Run) for each in found if each is not None]

    def _run(self, suite: Suite, run_id: str, trigger: RunTrigger, due: float | None) -> Run:
        """Make the audits first and the run last: a repeated call finds its audits by their request ids."""
        name = f"suites/{suite.id}/runs/{run_id}"
        with redis_errors():
            known = self._redis.get(key("run", suite.id, run_id))
        if known is not None:
            return msgspec.json.decode(known, type=Run)
        run = Run(
            suite=suite.id,
            id=run_id,
            trigger=trigger,
            audits=self._made(suite, name),
            create_time=self._clock(),
            due_time=due,
        )
        return self._kept(run)

    def _made(self, suite: Suite, run: str) -> tuple[str, ...]:
        """Make the audits of a run and return their ids. Raises RunTooLarge."""
        for _ in range(_MOST_TRIES - 1):
            with contextlib.suppress(ModelNotFound):
                return self._made_at_once(suite, run)
        return self._made_at_once(suite, run)

    def _made_at_once(self, suite: Suite, run: str) -> tuple[str, ...]:
        asked = []
        for request_id, subject in self._subjects(suite, run):
            asked.append(AuditToCreate(_request(suite, subject, run), request_id))
            if len(asked) > MOST_OF_RUN:
                raise RunTooLarge(suite.id, MOST_OF_RUN)
        return tuple(record.id for record in self._audits.create_many(asked, check_models=True))

    def _kept(self, run: Run) -> Run:
        """Store a run unless it is stored, and return what is."""
        place, seconds = key("run", run.suite, run.id), int(self._run_seconds) or None
        with redis_errors():
            self._redis.set(place, msgspec.json.encode(run), nx=True, ex=seconds)
            kept = self.get_run(run.suite, run.id)
            self._redis.zadd(key("runs", run.suite), {member(kept.create_time, kept.id): 0})
        return kept

    def _subjects(self, suite: Suite, run: str) -> Iterator[tuple[str, SubjectRef]]:
        """Yield what a run audits, each with a request id that other models do not move."""
        models = self._models.every() if any(isinstance(each, Glob) for each in suite.members) else []
        for position, each in enumerate(suite.members):
            name = f"{_OF_RUNS}{run}/{position}"
            if isinstance(each, Glob):
                for model in matching(models, each.pattern):
                    yield f"{name}/{model.sha256}", ArtifactRef(model=model.sha256, role=each.role)
            else:
                yield name, each


def matching(models: Iterable[ModelRecord], pattern: str) -> Iterator[ModelRecord]:
    """Yield the models whose display name matches a shell pattern."""
    matches = re.compile(fnmatch.translate(pattern[:NAME_BYTES])).match
    return (model for model in models if matches(model.display_name))


def _request(suite: Suite, subject: SubjectRef, run: str) -> AuditRequest:
    spec = Spec(subject=subject, plan=suite.plan)
    return AuditRequest(spec=spec, labels=suite.labels, priority=Priority.BATCH, run=run)


def _content(suite: Suite | None) -> set[str]:
    """Return the SHA-256 of each model and of all tensors that a suite names."""
    subjects = [each for each in suite.members if not isinstance(each, Glob)] if suite else []
    return {sha256 for each in subjects for sha256 in (*models_of(each), *tensors_of(each))}


def _models(suite: Suite | None) -> set[str]:
    """Return the SHA-256 of each model that a suite names."""
    subjects = [each for each in suite.members if not isinstance(each, Glob)] if suite else []
    return {sha256 for each in subjects for sha256 in models_of(each)}


def _body(suite: Suite | None) -> str:
    return "" if suite is None else msgspec.json.encode(suite, order="deterministic").decode()


def _limited(suite: Suite | None) -> str:
    """Return the body of a suite that is to be stored. Raises RecordTooLarge."""
    body = _body(suite)
    if len(body.encode()) > SUITE_BYTES:
        raise RecordTooLarge("a suite", len(body.encode()), SUITE_BYTES)
    return body
