"""`python -m dropaudit_chaos.suites`: suites of a whole service over minutes, into benchmarks/suites.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dropaudit_chaos.machine import machine
from dropaudit_chaos.suites.due_times import fire
from dropaudit_chaos.suites.nightly import changed_members, nightly
from dropaudit_chaos.suites.thousands import thousands
from dropaudit_client.resources import Run


@dataclass(frozen=True, slots=True)
class Section:
    """What one scenario showed, as Markdown, and whether it is as it must be."""

    text: str
    holds: bool


def main() -> int:
    """Run what is asked for, print it and write it down; 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200, help="models of the suite on a schedule; 0: without it")
    parser.add_argument("--minutes", type=int, default=10, help="minutes of two beats; 0: without them")
    parser.add_argument("--audits", type=int, default=5000, help="audits of the long run; 0: without it")
    parser.add_argument("--output", type=Path, help="folder for suites.md")
    given = parser.parse_args()
    sections = list(_sections(given.models, given.minutes, given.audits))
    where = f"{machine()}; two workers of one child each, one server, one Redis."
    text = "\n\n".join(["# Suites", where, *(each.text for each in sections)])
    print(text)
    if given.output:
        (given.output / "suites.md").write_text(text + "\n", encoding="utf-8")
    return 0 if all(each.holds for each in sections) else 1


def _sections(models: int, minutes: int, audits: int) -> Iterator[Section]:
    scenarios: list[tuple[int, Callable[[int, Path], Section]]] = [
        (models, _nightly),
        (minutes, _due_times),
        (audits, _thousands),
    ]
    for size, scenario in scenarios:
        if size:
            with tempfile.TemporaryDirectory() as folder:
                yield scenario(size, Path(folder))


def _nightly(models: int, folder: Path) -> Section:
    night = nightly(models, folder)
    runs = {"first": night.first, "second": night.second, "three replaced": night.broken, "mended": night.mended}
    faults = list(night.faults())
    return _section(
        "A suite on a schedule",
        f"{models} healthy models, every minute, by a beat. Replaced by faulty ones: {', '.join(night.replaced)}.",
        "| run | verdict | audits | reused | changed | seconds |\n|---|---|---|---|---|---|\n"
        + "\n".join(_row(word, run) for word, run in runs.items()),
        "\n".join(
            f"- told: {each.status}, {'signed rightly' if each.signed else 'NOT signed'}" for each in night.calls
        ),
        faults,
    )


def _row(word: str, run: Run) -> str:
    seconds = (run.end_time - run.create_time).total_seconds() if run.end_time and run.create_time else 0.0
    changed = ", ".join(sorted(changed_members(run))) or "-"
    verdict = run.verdict.value if run.verdict else "-"
    return f"| {word} | {verdict} | {run.counts.total} | {run.counts.reused} | {changed} | {seconds:.1f} |"


def _due_times(minutes: int, folder: Path) -> Section:
    found = fire(20, minutes, 1, folder)
    return _section(
        "Two beats, one killed now and then",
        f"20 suites, every minute for {minutes} minutes; a beat was killed {found.kills} times at random moments.",
        f"{found.expected} due times; fired (times: how many) {found.fired}; the latest {found.late:.1f} s after it "
        "was due.",
        "",
        [] if found.holds else [f"not every due time was fired once; lost: {found.lost[:20]}"],
    )


def _thousands(audits: int, folder: Path) -> Section:
    found = thousands(audits, folder)
    return _section(
        "A run of thousands",
        f"{audits} audits of 50 contents in {found.seconds:.0f} s; progress was watched {len(found.seen)} times; the "
        f"server was started again when {found.restarted_at} had ended.",
        f"The same again, all reused: {found.reuse_seconds:.1f} s.",
        list(found.faults()),
    )


def _section(title: str, *parts: str | list[str]) -> Section:
    faults = parts[-1]
    assert isinstance(faults, list)
    texts = [str(each) for each in parts[:-1] if each]
    end = "\n".join(f"- NOT AS IT MUST BE: {each}" for each in faults) or "All as it must be."
    return Section("\n\n".join([f"## {title}", *texts, end]), not faults)


if __name__ == "__main__":
    sys.exit(main())
