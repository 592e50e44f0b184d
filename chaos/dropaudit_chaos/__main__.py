"""`python -m dropaudit_chaos`: runs chaos, prints the books, and writes them down."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from dropaudit_chaos.chaos import SETTINGS, ChaosPlan, Outcome, run
from dropaudit_chaos.faults import FAULTS
from dropaudit_chaos.machine import machine


def main() -> int:
    """Run; 1 when the books do not balance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=1000, help="least audits that clients submit")
    parser.add_argument("--faults", type=int, default=50, help="faults of each kind")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two submissions of a client")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(FAULTS), choices=list(FAULTS), help="kinds of faults")
    parser.add_argument("--logs", type=Path, help="folder that keeps logs and records")
    parser.add_argument("--note", default="", help="a sentence about the machine, for the record")
    parser.add_argument("--output", type=Path, help="folder for chaos.json and chaos.md")
    given = parser.parse_args()
    asked = ChaosPlan(given.audits, given.faults, given.clients, given.seed, given.pause)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(asked, given.logs or Path(folder), given.only)
    text = table(asked, outcome, given.note)
    print(text)
    if given.output:
        record = {
            "machine": machine(),
            "note": given.note,
            "asked": asdict(asked),
            "settings": dict(SETTINGS),
            **asdict(outcome),
        }
        (given.output / "chaos.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "chaos.md").write_text(text + "\n", encoding="utf-8")
    return 0 if outcome.ledger.balances else 1


def table(asked: ChaosPlan, outcome: Outcome, note: str) -> str:
    """Return the books and the times of recovery as Markdown."""
    ledger = outcome.ledger
    faults = sum(map(len, outcome.recovery.values()))
    lines = [
        "# Chaos",
        "",
        f"{machine()}. Two workers of one child each, one server, one Redis (appendfsync always); {asked.clients} "
        f"clients, and one that asks for an audit at each fault. Seed {asked.seed}. "
        f"{faults} faults in {outcome.seconds:.0f} s. Settings: "
        + ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
        + f". {note}".rstrip(),
        "",
        *ledger.rows(outcome.repeated),
        "| taken " + ", ".join(map(str, sorted(ledger.attempts))) + " times | "
        + ", ".join(str(ledger.attempts[each]) for each in sorted(ledger.attempts)) + " |",
        "",
        "How long an audit takes that is asked for at the moment of a fault, until its report is there, in seconds:",
        "",
        "| fault | number | p50 | p99 | longest |",
        "|---|---|---|---|---|",
        _row("none", outcome.calm),
        *(_row(name, outcome.recovery[name]) for name in FAULTS if name in outcome.recovery),
        "",
        *(f"Not possible on this machine: {name}." for name in outcome.impossible),
        *ledger.lost[:20],
        *ledger.unknown[:20],
        *ledger.wrong[:20],
        "The books balance." if ledger.balances else "THE BOOKS DO NOT BALANCE.",
    ]  # fmt: skip
    return "\n".join(lines)


def _row(name: str, seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    return f"| {name} | {len(seconds)} | {cuts[49]:.2f} | {cuts[98]:.2f} | {max(seconds):.2f} |"


if __name__ == "__main__":
    sys.exit(main())
