"""Claims about the one exit status of several audits: the README's table, and the same order everywhere."""

from __future__ import annotations

import itertools
import re

import pytest

from dropaudit.changes import NotMade
from dropaudit.report import Report, Verdict
from dropaudit_client.batch.results import status_of as status_of_files
from dropaudit_client.cli.runs import status_of as status_of_run
from dropaudit_client.resources import AuditState, Run, RunAudit, RunState, Trigger
from dropaudit_client.terminal.outcome import GRAVEST_FIRST, Exit, gravest_of
from dropaudit_formats.results import Result
from support.documents import ROOT
from support.reports import finding, report_with

OUTCOMES: dict[Exit, Report | NotMade] = {
    Exit.NOT_MADE: NotMade(reason="INVALID_MODEL", message="no model"),
    Exit.FAIL: report_with(finding("DA301", "drop")),
    Exit.INCONCLUSIVE: report_with(finding("DA901", "y")),
    Exit.OK: report_with(),
}
"""A file's outcome, or a member's, by the status that it alone would give."""


def member(outcome: Report | NotMade) -> RunAudit:
    verdict = None if isinstance(outcome, NotMade) else Verdict(outcome.verdict)
    return RunAudit("audits/1", AuditState.FAILED if verdict is None else AuditState.SUCCEEDED, verdict, "")


def run_of(*outcomes: Report | NotMade) -> Run:
    members = tuple(map(member, outcomes))
    return Run("suites/s/runs/r", RunState.FINISHED, Trigger.MANUAL, None, members, None, None, None)


@pytest.mark.parametrize("present", [each for n in range(1, 5) for each in itertools.combinations(OUTCOMES, n)])
def test_files_and_members_of_a_run_exit_alike_in_whatever_order_they_come(present: tuple[Exit, ...]) -> None:
    for statuses in itertools.permutations(present):
        outcomes = [OUTCOMES[status] for status in statuses]
        files = [Result(f"{place}.onnx", outcome) for place, outcome in enumerate(outcomes)]
        assert status_of_files(files) is status_of_run(run_of(*outcomes)) is gravest_of(present)


def test_the_table_in_the_readme_has_the_order_that_the_command_keeps() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| exit status |")[2].partition("\n\n")[0]
    assert [int(each) for each in re.findall(r"^\| (\d) \|", table, re.MULTILINE)] == list(GRAVEST_FIRST)
