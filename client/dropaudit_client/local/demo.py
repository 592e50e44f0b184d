"""`dropaudit demo`: three audits whose answers are known, through the whole service."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from dropaudit.plan import Progress, Role
from dropaudit.report import Report, Verdict
from dropaudit_client.client import AuditClient
from dropaudit_client.local.service import running, while_running
from dropaudit_client.local.up import Stopped, folder, stop_signals
from dropaudit_client.resources import ArtifactRef, SubjectRef
from dropaudit_client.responses import report_of
from dropaudit_client.terminal.outcome import Exit, guarded


class Expectation(msgspec.Struct, frozen=True):
    """An audit of the demo and the answer it must give."""

    title: str
    verdict: Verdict
    code: str | None = None

    def difference(self, report: Report) -> str | None:
        """Say how a report differs from the expected one, None when it does not."""
        if report.verdict is not self.verdict:
            return f"{self.title}: expected {self.verdict}, got {report.verdict}"
        if self.code and self.code not in {finding.code for finding in report.findings}:
            return f"{self.title}: expected finding {self.code}, which is missing"
        return None


SEED_CASE = Expectation("the seed case, recorded arrays", Verdict.PASS)
TWINS = {
    "lstm-dropout": Expectation("lstm-dropout, the healthy twin", Verdict.PASS),
    "lstm-dropout-unscaled": Expectation("lstm-dropout-unscaled, the faulty twin", Verdict.FAIL, "DA301"),
}


def run_demo(environ: Mapping[str, str]) -> Exit:
    """Run the demo; OK when every report is the expected one. Raises ServiceFailed and ServiceError."""
    try:
        with stop_signals(), folder(None) as place:
            models = _export(place / "models")
            _say("starting Redis, server, worker and beat")
            with running(environ, place / "service") as service, AuditClient(service.address) as client:
                _say(f"serving at {service.address}; submitting three audits")
                differences = while_running(service, lambda: _audit_all(client, models))
    except Stopped:
        return Exit.INTERRUPTED
    for difference in differences:
        _say(difference)
    _say("three reports, some not as expected" if differences else "three reports, all as expected")
    return Exit.FAIL if differences else Exit.OK


def _export(directory: Path) -> dict[str, Path]:
    # Imported here: exporting needs onnx.
    from dropaudit_models import export

    directory.mkdir()
    return {name: export(name, directory) for name in TWINS}


def _audit_all(client: AuditClient, models: Mapping[str, Path]) -> list[str]:
    from dropaudit_models.seed_case import seed_case

    subjects: list[tuple[Expectation, SubjectRef]] = [(SEED_CASE, seed_case())]
    for name, path in models.items():
        subjects.append((TWINS[name], ArtifactRef(client.upload_model(path).name, Role.TRAIN)))
    names = [(expected, client.create_audit(subject).name) for expected, subject in subjects]
    differences = [expected.difference(_report(client, name, expected.title)) for expected, name in names]
    return [difference for difference in differences if difference]


def _report(client: AuditClient, name: str, title: str) -> Report:
    from rich.console import Group

    from dropaudit_client.terminal.render import render_report, show

    report = report_of(client.wait(name, lambda state: _say(f"{title}: {_progress(state)}")))
    laid_out = Group(render_report(report, title), "")
    guarded(lambda: show(laid_out, sys.stdout))
    return report


def _progress(state: Progress) -> str:
    drawn = f", {state.replicates} replicates" if state.replicates else ""
    tests = f", {state.decided_tests} of {state.total_tests} tests decided" if state.total_tests else ""
    return f"{state.phase.value.lower()}{drawn}{tests}"


def _say(sentence: str) -> None:
    print(f"dropaudit demo: {sentence}", file=sys.stderr, flush=True)
