"""Two beats, one of which is killed now and then: every due time has one run, and only one."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dropaudit_chaos.parts import Service, serving_beats
from dropaudit_client import AuditClient
from dropaudit_client.resources import Glob

_LONGEST_LIFE, _LONGEST_ABSENCE = 40.0, 10.0
# A tick comes every five seconds; a beat that takes over waits until the other's lock has expired.
_LATEST_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class DueTimes:
    """How often each due time was fired.

    Attributes:
        expected: due times of all suites, from the creation of the last to the end.
        fired: how many due times had 1, 2, … runs.
        lost: suites and minutes, since the epoch, without a run.
        late: the longest time from a due time to its run, in seconds.
        kills: how often a beat was killed.
    """

    expected: int
    fired: dict[int, int]
    lost: tuple[tuple[str, int], ...]
    late: float
    kills: int

    @property
    def holds(self) -> bool:
        """Whether each was fired once."""
        return not self.lost and set(self.fired) == {1}


def fire(suites: int, minutes: int, seed: int, folder: Path) -> DueTimes:
    """Let two beats fire suites every minute, kill one of them at random moments, and count the runs."""
    with serving_beats(folder, 1, 2, concurrency=1) as service, AuditClient(service.address) as client:
        names = [f"minutely-{number:02}" for number in range(suites)]
        for name in names:
            # Nothing matches: a run without members costs nothing, and is one all the same.
            client.create_suite(name, [Glob(f"{name}-*.onnx")], cron="* * * * *")
        first = int(time.time() // 60) + 1
        kills = _kill_beats(service, random.Random(seed), (first + minutes) * 60 - 1)
        time.sleep(_LATEST_SECONDS)
        return _counted(client, names, range(first, first + minutes), kills)


def _kill_beats(service: Service, rng: random.Random, end: float) -> int:
    """Kill one of the beats again and again until an instant; the other is there meanwhile."""
    kills = 0
    while (left := end - time.time()) > 0:
        time.sleep(min(left, rng.uniform(1.0, _LONGEST_LIFE)))
        beat = rng.choice(service.beats)
        beat.kill()
        kills += 1
        time.sleep(rng.uniform(0.0, _LONGEST_ABSENCE))
        beat.start()
    return kills


def _counted(client: AuditClient, names: Sequence[str], minutes: range, kills: int) -> DueTimes:
    fired, late = Counter[tuple[str, int]](), 0.0
    for name in names:
        for run in client.list_runs(f"suites/{name}"):
            if run.due_time is None or run.create_time is None:
                continue
            due = run.due_time.timestamp()
            if due // 60 in minutes:
                fired[name, int(due // 60)] += 1
                late = max(late, run.create_time.timestamp() - due)
    expected = [(name, minute) for name in names for minute in minutes]
    lost = tuple(each for each in expected if each not in fired)
    return DueTimes(len(expected), dict(Counter(fired.values())), lost, late, kills)
