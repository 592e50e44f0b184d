"""Keeps a suite of all models of a folder, audited every night, and runs it once now.

    dropaudit up &
    python examples/suite.py MODELS [HOST:PORT]

Needs the extra `client`. Exit status: 1 when the run's verdict is FAIL.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dropaudit import Role
from dropaudit.report import Verdict
from dropaudit_client import AuditClient
from dropaudit_client.resources import ArtifactRef, Run, Suite

NAME = "suites/nightly"


def main(folder: str, address: str = "127.0.0.1:50051") -> int:
    """Upload the models, bring the suite up to date, run it and print a line for each audit."""
    with AuditClient(address) as client:
        # Content that is stored already is not sent again.
        models = [client.upload_model(path) for path in sorted(Path(folder).glob("*.onnx"))]
        members = [ArtifactRef(model.name, Role.TRAIN) for model in models]
        run = finished(client, client.run_suite(suite(client, members).name))
    for each in run.audits:
        print(f"{each.verdict or each.state}  {each.audit}  {each.summary}")
    print(f"{run.verdict}  {run.name}")
    return 1 if run.verdict is Verdict.FAIL else 0


def suite(client: AuditClient, members: list[ArtifactRef]) -> Suite:
    """Return the suite with these members. `Glob("*.onnx")` as a member takes in what is uploaded later, by name."""
    if NAME in {each.name for each in client.list_suites()}:
        return client.update_suite(NAME, members=members)
    return client.create_suite(NAME.removeprefix("suites/"), members, cron="0 3 * * *", labels={"team": "speech"})


def finished(client: AuditClient, run: Run) -> Run:
    """Wait until every audit of a run has ended."""
    while not run.finished:
        time.sleep(0.5)
        run = client.get_run(run.name)
    return run


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
