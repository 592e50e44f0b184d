"""`python -m dropaudit_chaos.upgrade`: upgrades under load, goes part of the way back, and says what clients saw."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from dropaudit_chaos.upgrade.rolling import BACK, UPGRADE, Outcome, run


def main() -> int:
    """Run; 1 when a client saw anything of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--logs", type=Path, help="folder that keeps logs and records")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(given.logs or Path(folder), (*UPGRADE, *BACK), given.clients)
    print("\n".join(_lines(outcome)))
    return 1 if outcome.wrong or outcome.failures else 0


def _lines(outcome: Outcome) -> list[str]:
    return [
        f"{len(UPGRADE)} parts were replaced by the newer version, and {len(BACK)} back",
        f"{len(outcome.accepted)} audits accepted, their records in the formats {', '.join(sorted(outcome.formats))}",
        f"{len(outcome.wrong)} of them lost, ended otherwise than once, or with another answer",
        f"{len(outcome.runs)} runs of a suite, {sum(each.finished for each in outcome.runs)} of them finished",
        f"{len(outcome.failures)} calls failed in spite of retries; the longest took {outcome.longest:.2f} s",
        *outcome.wrong,
        *outcome.failures,
    ]


if __name__ == "__main__":
    sys.exit(main())
