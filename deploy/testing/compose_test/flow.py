"""The whole flow over gRPC, from outside: upload, audit, watch, suite, schedule, dashboard."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.request import urlopen

from compose_test.reporting import eventually, require, say
from dropaudit import Role
from dropaudit.plan import Plan
from dropaudit.report import Verdict
from dropaudit_client import AuditClient, ServiceError
from dropaudit_client.resources import ArtifactRef, AuditState, Finished, NewAudit, Run
from dropaudit_models import export

TWINS = ("lstm-dropout", "lstm-dropout-unscaled")
EXPECTED = [Verdict.PASS, Verdict.FAIL]
SUITE = "suites/every-minute"
_START_SECONDS = 60.0
# The suite runs every minute: the next minute, and the time to make its audits.
_SCHEDULE_SECONDS = 150.0
_AUDITS_SECONDS = 180.0


def await_service(address: str) -> None:
    """Wait until the service answers calls."""

    def answers() -> bool:
        try:
            with AuditClient(address, timeout=2.0) as client:
                client.get_audit("audits/none")
        except ServiceError as error:
            return error.code == "NOT_FOUND"
        return False

    eventually(answers, f"nobody answers on {address}", _START_SECONDS)


def use_everything(address: str, web_address: str, models: Path) -> None:
    """Upload, audit, watch, run a suite, have one run by schedule, and look at the dashboard."""
    with AuditClient(address) as client:
        names = [client.upload_model(export(name, models), display_name=name).name for name in TWINS]
        members = [ArtifactRef(name, Role.TRAIN) for name in names]
        _audit_and_watch(client, members[1])
        suite = client.create_suite("every-minute", members, cron="* * * * *").name
        require(suite == SUITE, suite)
        _check_run("a run that was asked for", client.wait_run(client.run_suite(suite).name))
        _check_run("a run by schedule", _scheduled_run(client))
    _look_at_dashboard(web_address)


def audit_many(client: AuditClient, model: str, count: int, seed: int) -> list[str]:
    """Ask for so many audits, each with a seed of its own, and return at once."""
    subject = ArtifactRef(model, Role.TRAIN)
    return [each.name for each in client.create_audits([NewAudit(subject, Plan(seed=seed + n)) for n in range(count)])]


def await_audits(client: AuditClient, names: list[str], verdict: Verdict) -> None:
    """Wait until audits are made, all with one verdict."""

    def are_made() -> bool:
        return all(client.get_audit(name).state.final for name in names)

    eventually(are_made, "audits do not end", _AUDITS_SECONDS)
    found = {(audit.state, audit.verdict) for audit in map(client.get_audit, names)}
    require(found == {(AuditState.SUCCEEDED, verdict)}, f"audits ended with {found}")


def content_of(client: AuditClient) -> dict[str, str]:
    """Return what there is: audits with their verdicts, models with their digests, suites with their runs."""
    found = {audit.name: str(audit.verdict) for audit in client.list_audits()}
    for model in client.list_models():
        found[model.name] = hashlib.sha256(b"".join(client.download_model(model.name))).hexdigest()
    for suite in client.list_suites():
        found[suite.name] = ", ".join(sorted(run.name for run in client.list_runs(suite.name)))
    return found


def _audit_and_watch(client: AuditClient, faulty: ArtifactRef) -> None:
    created = client.create_audit(faulty)
    last = list(client.watch(created.name))[-1]
    require(isinstance(last, Finished), f"the watch ended with {last}")
    report = client.get_audit(created.name).report
    require(report is not None and report.verdict is Verdict.FAIL, f"unscaled twin: {report}")
    say("an audit of the unscaled twin, watched to its end: FAIL")


def _scheduled_run(client: AuditClient) -> Run:
    found: list[Run] = []

    def has_run() -> bool:
        found[:] = [run for run in client.list_runs(SUITE) if run.trigger.name == "SCHEDULE" and run.finished]
        return bool(found)

    eventually(has_run, "the beat did not run the suite", _SCHEDULE_SECONDS)
    return found[0]


def _check_run(sentence: str, run: Run) -> None:
    verdicts = [audit.verdict for audit in run.audits]
    require(verdicts == EXPECTED, f"{sentence}: {run}")
    say(f"{sentence}: {', '.join(map(str, verdicts))}")


def _look_at_dashboard(address: str) -> None:
    for path, expected in (("/", "FAIL"), ("/models", "lstm-dropout"), ("/suites/every-minute", "every-minute")):
        with urlopen(f"http://{address}{path}", timeout=10) as answer:
            require(expected in answer.read().decode(), f"the dashboard's {path} does not tell of {expected}")
    say("the dashboard shows audits, models and the suite")
