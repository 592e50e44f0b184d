"""Many models on a schedule: unchanged ones are not audited again, and who is told hears of the changed ones only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_chaos.parts import serving_beats
from dropaudit_chaos.receivers import receiving
from dropaudit_chaos.suites.calls import Call, read_call
from dropaudit_chaos.suites.waiting import next_run, until
from dropaudit_client import AuditClient
from dropaudit_client.resources import Glob, Run
from dropaudit_client.runs.resources import Receiver as Notified
from dropaudit_models.specimens import Specimen, random_specimens

CHANGED = 3
_SECRET = "of-the-nightly-suite"
_SUITE = "suites/nightly"
_SEED = 16
_LONGEST_RUN_SECONDS = 900.0
_CALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Night:
    """The runs, one after the other, and the calls that arrived.

    Attributes:
        replaced: the names of the models that were made faulty, and mended again.
    """

    first: Run
    second: Run
    broken: Run
    mended: Run
    calls: tuple[Call, ...]
    replaced: tuple[str, ...]

    def faults(self) -> Iterator[str]:
        """Yield what is not as it must be, in sentences."""
        if self.second.counts.reused != self.first.counts.total:
            yield f"the second run reused {self.second.counts.reused} of {self.first.counts.total}"
        for run, word in ((self.broken, "FAILED"), (self.mended, "RECOVERED")):
            if run.comparison is None or run.comparison.status != word:
                yield f"{run.name} is not {word}"
            if changed_members(run) != set(self.replaced):
                yield f"{run.name} names {sorted(changed_members(run))}, not {sorted(self.replaced)}"
        told = [(each.status, each.signed) for each in self.calls]
        if told != [("FAILED", True), ("RECOVERED", True)]:
            yield f"the receiver got {told}"


def changed_members(run: Run) -> set[str]:
    """Return the names that a run's comparison lists."""
    return {change.member for change in run.comparison.members} if run.comparison else set()


def nightly(count: int, folder: Path) -> Night:
    """Let a suite of `count` healthy models run by itself every minute; make three faulty, and mend them."""
    healthy, faulty = _models(count)
    settings = {"allow_private_webhooks": True, "concurrency": 1}
    with (
        receiving() as receiver,
        serving_beats(folder, 2, 1, **settings) as service,
        AuditClient(service.address) as client,
    ):
        names = [f"model-{number:03}.onnx" for number in range(count)]
        for name, specimen in zip(names, healthy, strict=True):
            _upload(client, name, specimen)
        began = time.time()
        told = Notified(receiver.url(), "ON_CHANGE", _SECRET)
        client.create_suite(
            _SUITE.partition("/")[2], [Glob("*.onnx", role=Role.TRAIN)], cron="* * * * *", notifications=[told]
        )
        first = _settled(client, began)
        second = _settled(client, _due(first))
        replaced = names[:: count // CHANGED][:CHANGED]
        broken = _after(client, zip(replaced, faulty, strict=True))
        mended = _after(client, ((name, healthy[names.index(name)]) for name in replaced))
        # A run in which nothing changed follows, of which nobody is told.
        _settled(client, _due(mended))
        until(lambda: receiver.received[1:] or None, "the receiver did not get two calls", _CALL_SECONDS)
        calls = tuple(read_call(each, _SECRET) for each in receiver.received)
        return Night(first, second, broken, mended, calls, tuple(replaced))


def _models(count: int) -> tuple[Sequence[Specimen], Sequence[Specimen]]:
    """Return `count` healthy specimens, and three faulty ones."""
    single = [each for each in random_specimens(count * 12, _SEED) if _is_single(each)]
    healthy = [each for each in single if each.row()["verdict"] == [Verdict.PASS]]
    faulty = [each for each in single if each.row()["verdict"] == [Verdict.FAIL]]
    return healthy[:count], faulty[:CHANGED]


def _is_single(specimen: Specimen) -> bool:
    row = specimen.row()
    return row["role"] == Role.TRAIN and "inference" not in row and "keep_prob_in" not in row


def _upload(client: AuditClient, name: str, specimen: Specimen) -> None:
    client.upload_model(specimen.model().SerializeToString(), display_name=name)


def _after(client: AuditClient, versions: Iterator[tuple[str, Specimen]]) -> Run:
    """Upload new versions, and return the first run that was due when all were there."""
    # Between two due times: no run sees some of them only.
    time.sleep(60 - time.time() % 60 + 8)
    for name, specimen in versions:
        _upload(client, name, specimen)
    return _settled(client, time.time())


def _settled(client: AuditClient, after: float) -> Run:
    return next_run(client, _SUITE, after, _LONGEST_RUN_SECONDS)


def _due(run: Run) -> float:
    assert run.due_time is not None
    return run.due_time.timestamp()
