"""Claims about the whole service: what goes in over gRPC comes back as a report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit.subjects import ArtifactSubject, PairSubject
from dropaudit_client import AuditClient
from dropaudit_client.local.service import LocalService, running
from dropaudit_client.resources import ArtifactRef, Finished, Glob, Run, Trigger
from dropaudit_models import export
from dropaudit_models.seed_case import seed_case
from dropaudit_store.redis.connection import connect
from support.command import dropaudit
from support.due import make_due
from support.graphs import padded
from support.services import eventually

pytestmark = pytest.mark.system


def test_the_seed_case_is_no_bug_and_the_report_says_why(client: AuditClient) -> None:
    report = client.audit(seed_case())
    assert report.verdict is Verdict.PASS
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.scale is not None
    assert site.keep_prob.estimate == 0.46
    assert site.scale.median == pytest.approx(2.0, rel=1e-5)
    assert site.keep_prob.lower < 0.5 < site.keep_prob.upper
    assert "section 10" in report.summary


def test_a_pair_is_audited_as_one_model(client: AuditClient, tmp_path: Path) -> None:
    train, inference = (export(name, tmp_path).read_bytes() for name in ("lstm-dropout", "lstm"))
    assert client.audit(PairSubject(train, inference)).verdict is Verdict.PASS


def test_the_events_of_an_audit_go_from_queued_to_the_report(client: AuditClient, tmp_path: Path) -> None:
    model = client.upload_model(export("lstm-dropout-unscaled", tmp_path))
    audit = client.create_audit(ArtifactRef(model.name, Role.TRAIN))
    *before, last = client.watch(audit.name)
    assert isinstance(last, Finished)
    assert [event.sequence for event in before] == list(range(1, last.sequence))
    assert last.audit.report is not None
    assert "DA301" in {finding.code for finding in last.audit.report.findings}
    assert client.get_audit(audit.name) == last.audit


def test_submit_watch_and_get_print_the_same_report(service: LocalService, tmp_path: Path) -> None:
    model = export("lstm-dropout-unscaled", tmp_path)
    where = ("--address", service.address)
    submitted = dropaudit("submit", model, "--role", "train", *where)
    assert submitted.returncode == 0
    name = submitted.stdout.strip()
    watched, got = (dropaudit(verb, name, "--format", "json", *where) for verb in ("watch", "get"))
    assert (watched.returncode, got.returncode) == (1, 1)
    assert json.loads(watched.stdout) == json.loads(got.stdout)


def test_a_suite_runs_when_it_is_asked_to(client: AuditClient, tmp_path: Path) -> None:
    for name in ("lstm-dropout", "lstm-dropout-unscaled"):
        # Content of its own: a model keeps the name that it was first uploaded with.
        client.upload_model(padded(export(name, tmp_path).read_bytes(), 7), display_name=f"asked-{name}.onnx")
    suite = client.create_suite("asked", [Glob("asked-*.onnx", Role.TRAIN)])
    name = client.run_suite(suite.name).name
    eventually(lambda: client.get_run(name).finished, "the run does not finish")
    run = client.get_run(name)
    assert (run.trigger, run.verdict) == (Trigger.MANUAL, Verdict.FAIL)
    assert sorted(str(audit.verdict) for audit in run.audits) == ["FAIL", "PASS"]


def test_the_beat_runs_a_suite_that_is_due_once(service: LocalService, client: AuditClient, tmp_path: Path) -> None:
    model = client.upload_model(export("lstm-dropout", tmp_path))
    suite = client.create_suite("yearly", [ArtifactRef(model.name, Role.TRAIN)], cron="0 0 1 1 *")
    assert client.list_runs(suite.name) == []
    # Nobody waits a year.
    with connect(service.redis_url) as store:
        make_due(store, "yearly")

    def finished() -> list[Run]:
        return [run for run in client.list_runs(suite.name) if run.finished]

    eventually(finished, "the beat does not run the suite")
    (run,) = client.list_runs(suite.name)
    assert (run.trigger, run.verdict) == (Trigger.SCHEDULE, Verdict.PASS)
    assert run.due_time is not None


def test_an_audit_is_found_by_its_request_id_and_not_made_twice(client: AuditClient, tmp_path: Path) -> None:
    subject = client.store_subject(ArtifactSubject(export("lstm", tmp_path).read_bytes(), Role.INFERENCE))
    first, again = (client.create_audit(subject, request_id="the same") for _ in range(2))
    assert first.name == again.name
    assert client.wait(first.name).attempts == 1


def test_what_was_audited_is_there_after_a_restart(tmp_path: Path) -> None:
    path = export("lstm-dropout", tmp_path)
    with running(os.environ, tmp_path / "data") as service, AuditClient(service.address) as client:
        model = client.upload_model(path)
        audit = client.wait(client.create_audit(ArtifactRef(model.name, Role.TRAIN)).name)
    with running(os.environ, tmp_path / "data") as service, AuditClient(service.address) as client:
        assert client.get_audit(audit.name) == audit
        # The content is there too: another audit of it needs no upload.
        again = client.wait(client.create_audit(ArtifactRef(model.name, Role.TRAIN)).name)
        assert again.report is not None
        assert again.report.verdict is Verdict.PASS
