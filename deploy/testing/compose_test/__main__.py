"""Builds docker-compose.yml and runs it with a real engine: an audit and a scheduled suite, called from outside.

The engine is the one that `docker` reaches. Everything is stopped and removed at the end, whatever happens.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dropaudit import Role
from dropaudit.report import Verdict
from dropaudit_client import AuditClient, ServiceError
from dropaudit_client.local.service import free_port
from dropaudit_client.resources import ArtifactRef, Run
from dropaudit_models import export

ROOT = Path(__file__).parents[3]
PROJECT = "dropaudit-test"
START_SECONDS = 120.0
# The suite runs every minute: the next minute, and the time to make its audits.
SCHEDULE_SECONDS = 150.0


def compose(*arguments: str, port: int) -> None:
    """Run docker-compose on the project's file."""
    environment = {**os.environ, "DROPAUDIT_PORT": str(port)}
    subprocess.run(["docker-compose", "-p", PROJECT, *arguments], cwd=ROOT, env=environment, check=True)


def await_service(address: str) -> None:
    """Wait until the service answers calls."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with AuditClient(address, timeout=2.0) as client:
                client.get_audit("audits/none")
        except ServiceError as error:
            if error.code == "NOT_FOUND":
                return
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def check(address: str, models: Path) -> None:
    """Make one audit at once and two by schedule. Raises AssertionError when an answer is not the known one."""
    with AuditClient(address) as client:
        healthy, faulty = (client.upload_model(export(name, models)).name for name in TWINS)
        created = client.create_audit(ArtifactRef(faulty, Role.TRAIN))
        audited = client.wait(created.name)
        require(audited.report is not None and audited.report.verdict is Verdict.FAIL, f"unscaled twin: {audited}")
        say(f"audit of the unscaled twin: {audited.report.verdict if audited.report else None}")
        members = [ArtifactRef(healthy, Role.TRAIN), ArtifactRef(faulty, Role.TRAIN)]
        suite = client.create_suite("every-minute", members, cron="* * * * *")
        run = await_scheduled_run(client, suite.name)
    verdicts = [audit.verdict for audit in run.audits]
    require(verdicts == [Verdict.PASS, Verdict.FAIL], f"scheduled run: {run}")
    say(f"scheduled run {run.name}: {', '.join(str(verdict) for verdict in verdicts)}")


def check_closed(port: int) -> None:
    """Require that nothing but gRPC is published, and that Redis does nothing without a password."""
    told = subprocess.run(
        ["docker", "ps", "--filter", f"label=com.docker.compose.project={PROJECT}", "--format", "{{.Ports}}"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    published = [word for word in told.replace(",", " ").split() if "->" in word]
    require(published == [f"127.0.0.1:{port}->50051/tcp"], f"published: {told}")
    asked = ["docker-compose", "-p", PROJECT, "exec", "-T", "redis", "redis-cli", "dbsize"]
    answer = subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)
    require("NOAUTH" in answer.stdout, f"Redis without a password: {answer.stdout}{answer.stderr}")
    say("only gRPC is published, and Redis asks for a password")


TWINS = ("lstm-dropout", "lstm-dropout-unscaled")


def await_scheduled_run(client: AuditClient, suite: str) -> Run:
    """Wait until the beat has run a suite and its audits are finished."""
    deadline = time.monotonic() + SCHEDULE_SECONDS
    while time.monotonic() < deadline:
        finished = [run for run in client.list_runs(suite) if run.finished]
        if finished:
            return finished[-1]
        time.sleep(1.0)
    raise AssertionError(f"the beat did not run {suite} within {SCHEDULE_SECONDS:.0f} s")


def require(holds: bool, sentence: str) -> None:
    """Raise AssertionError with a sentence unless something holds."""
    if not holds:
        raise AssertionError(sentence)


def say(sentence: str) -> None:
    """Tell what has happened."""
    print(f"compose-test: {sentence}", flush=True)


def main() -> int:
    """Build, run, check, and stop."""
    port = free_port()
    try:
        compose("up", "-d", "--build", port=port)
        await_service(f"127.0.0.1:{port}")
        check_closed(port)
        with tempfile.TemporaryDirectory() as models:
            check(f"127.0.0.1:{port}", Path(models))
    except BaseException:
        compose("logs", "--tail", "50", port=port)
        raise
    finally:
        compose("down", "--volumes", "--timeout", "20", port=port)
    say("an audit and a scheduled suite came back; everything is stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
