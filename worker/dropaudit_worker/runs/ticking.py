"""Begins the runs that are due. These follow from two instants: the last one that was decided, and now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import redis
import structlog

from dropaudit.schedules import CronError, ZoneError, due_between, parse, zone
from dropaudit_store.errors import SuiteNotFound, redis_errors
from dropaudit_store.records import RunPhase, RunTrigger, Suite
from dropaudit_store.redis.connection import key
from dropaudit_store.redis.scripts import script
from dropaudit_store.runs.store import Begin, RunStore
from dropaudit_store.runs.ticks import note_tick
from dropaudit_store.suites import SuiteStore

DEFAULT_GRACE_SECONDS = 600.0
_MINUTE_FORMAT = "%Y%m%dt%H%Mz"
# Of due times that were missed only so many are recorded, the latest ones, and none from before the span.
_MOST_SKIPPED = 20
_LONGEST_SPAN = timedelta(days=60)

_log = structlog.get_logger(__name__)


class Ticker:
    """Begins runs. Several may tick at once: each due time has one run, which its name tells.

    Args:
        begun: told the name of each run that is to be made.
    """

    def __init__(
        self,
        client: redis.Redis,
        suites: SuiteStore,
        runs: RunStore,
        begun: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = client
        self._suites = suites
        self._runs = runs
        self._begun = begun
        self._clock = clock
        self._decided = client.register_script(script("runs/decide"))

    def tick(self) -> None:
        """Begin what is due by now."""
        for suite in self._suites.scheduled():
            try:
                self._tick(suite)
            except SuiteNotFound:
                _log.info("a suite was deleted while it was due", suite=suite.id)
            except (CronError, ZoneError) as error:
                _log.warning("a suite's schedule cannot be read; change it", suite=suite.id, error=str(error))
        note_tick(self._redis, self._clock())

    def _tick(self, suite: Suite) -> None:
        now = self._clock()
        since = max(self._since(suite), now - _LONGEST_SPAN.total_seconds())
        due = [each.timestamp() for each in _due(suite, since, now)]
        grace = suite.grace_seconds or DEFAULT_GRACE_SECONDS
        late = [each for each in due if each < now - grace]
        self._skip(suite, late, grace)
        for each in due[len(late) :]:
            self._begin(suite, each)
        with redis_errors():
            self._decided(keys=[key("due", suite.id)], args=[f"{now:.6f}"])

    def _since(self, suite: Suite) -> float:
        with redis_errors():
            decided = float(str(self._redis.get(key("due", suite.id)) or 0))
        return max(decided, suite.scheduled_since or suite.update_time)

    def _skip(self, suite: Suite, late: Sequence[float], grace: float) -> None:
        """Record due times that are too old to be made up for."""
        recorded = late[-_MOST_SKIPPED:]
        reason = f"nobody looked within the grace time of {grace:g} s after it was due"
        more = len(late) - len(recorded)
        for number, due in enumerate(recorded):
            also = f"; so it was with {more} due times before" if more and number == 0 else ""
            self._runs.skip(suite, _asked(due), reason + also)
        if late:
            _log.warning("due times were missed", suite=suite.id, count=len(late))

    def _begin(self, suite: Suite, due: float) -> None:
        run = self._runs.begin(suite, _asked(due))
        _log.info("a suite is due", suite=suite.id, run=run.name, phase=run.phase.value)
        if run.phase in (RunPhase.RESOLVING, RunPhase.WAITING):
            self._begun(run.name)


def _due(suite: Suite, since: float, now: float) -> Sequence[datetime]:
    start, end = (datetime.fromtimestamp(each, UTC) for each in (since, now))
    return list(due_between(parse(suite.cron), zone(suite.time_zone), start, end))


def _asked(due: float) -> Begin:
    return Begin(time.strftime(_MINUTE_FORMAT, time.gmtime(due)), RunTrigger.SCHEDULE, due_time=due)
