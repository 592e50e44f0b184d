"""`python -m dropaudit_chaos.failover`: runs failovers, prints the books, and writes them down."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from dropaudit_chaos.failover.failover import FailoverPlan, Outcome, run
from dropaudit_chaos.machine import machine


def main() -> int:
    """Run; 1 when the books do not balance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failovers", type=int, default=12, help="masters that are killed")
    parser.add_argument("--audits", type=int, default=500, help="least audits that clients submit")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two submissions of a client")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="folder that keeps logs and records")
    parser.add_argument("--output", type=Path, help="folder for failover.json and failover.md")
    given = parser.parse_args()
    asked = FailoverPlan(given.failovers, given.audits, given.clients, given.seed, given.pause)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(asked, given.logs or Path(folder))
    text = table(asked, outcome)
    print(text)
    if given.output:
        record = {"machine": machine(), "asked": asdict(asked), **asdict(outcome)}
        (given.output / "failover.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "failover.md").write_text(text + "\n", encoding="utf-8")
    return 0 if outcome.ledger.balances else 1


def table(asked: FailoverPlan, outcome: Outcome) -> str:
    """Return the books and the times as Markdown."""
    ledger = outcome.ledger
    return "\n".join(
        [
            "# Failover",
            "",
            f"{machine()}. A master with two replicas, three Sentinels that take a silent master for lost after one "
            "second, DROPAUDIT_REDIS_REPLICAS=1, one server, two workers of one child each; "
            f"{asked.clients} clients, and one that asks for an audit at each failover. The master is killed with "
            f"SIGKILL {asked.failovers} times, and comes back as a replica. {outcome.seconds:.0f} s.",
            "",
            *ledger.rows(outcome.repeated),
            "",
            "| seconds after SIGKILL | median | longest |",
            "|---|---|---|",
            f"| another Redis is the master | {_times(outcome.promoted)} |",
            f"| an audit that was asked for then has ended | {_times(outcome.served)} |",
            "",
            "The books balance." if ledger.balances else "The books do not balance.",
        ]
    )


def _times(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} | {max(seconds):.1f}"


if __name__ == "__main__":
    sys.exit(main())
