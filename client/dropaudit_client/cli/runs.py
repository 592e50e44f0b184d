"""Runs of suites on stdout: how they stand, what they found, what changed, and the exit status of the worst member."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec
import typer

from dropaudit.errors import InvalidArgument
from dropaudit.report import Verdict
from dropaudit.shortening import cut
from dropaudit_client.cli.rows import cell, plain, table, write_rows
from dropaudit_client.terminal.outcome import (
    Exit,
    FailOn,
    Format,
    PlainFormat,
    exit_status,
    gravest_of,
    write_text,
)
from dropaudit_client.terminal.progress import shown_run
from dropaudit_formats.escape import json_text, safe

if TYPE_CHECKING:
    from dropaudit_client.client import AuditClient
    from dropaudit_client.resources import Run, RunAudit

_COLUMNS = ("name", "state", "trigger", "verdict", "audits", "reused", "create_time")
# The letters of an audit's summary that fit on its line; the report has all of them.
_SUMMARY_BYTES = 90


def suite_name(text: str) -> str:
    """Return the resource name of a suite, which people may write without its collection."""
    return text if text.startswith("suites/") else f"suites/{text}"


def is_run(name: str) -> bool:
    """Whether this names a run rather than an audit."""
    return name.startswith("suites/") and "/runs/" in name


def last_run(client: AuditClient, suite: str) -> str:
    """Return the name of a suite's last run. Raises InvalidArgument where it has none."""
    name = client.get_suite(suite_name(suite)).last_run
    if not name:
        raise InvalidArgument(f"{suite_name(suite)} has not run yet", field="run")
    return name


def plain_form(form: Format) -> PlainFormat:
    """Return a form that lists of runs have. Raises InvalidArgument of one that only reports have."""
    if form not in (Format.TEXT, Format.JSON):
        raise InvalidArgument(f"a run that has just begun is printed as text or json, not as {form}", field="format")
    return PlainFormat(form.value)


def write_runs(runs: Iterable[Run], form: PlainFormat) -> None:
    """Print runs, one a line."""
    listed = list(runs)
    if form is PlainFormat.JSON:
        write_rows("runs", (), listed, form)
        return
    write_text(table(_COLUMNS, [tuple(map(cell, _facts(each))) for each in listed]))


def _facts(run: Run) -> tuple[object, ...]:
    counts = run.counts
    return run.name, run.state, run.trigger, run.verdict, counts.total, counts.reused, run.create_time


class Wanted(msgspec.Struct, frozen=True):
    """How a run is told: the form, the file that it goes to instead of stdout, and what fails.

    Attributes:
        is_report: whether JSON is that of the report, with findings and trends, and not of the run.
        links: address of the dashboard, where members are linked to.
    """

    form: Format = Format.TEXT
    output: Path | None = None
    fail_on: FailOn = FailOn.FAIL
    is_report: bool = False
    links: str = ""


def follow_run(client: AuditClient, name: str, wanted: Wanted) -> NoReturn:
    """Wait for a run's end, print it, and leave with the status of its worst member."""
    with shown_run(name) as progress:
        run = client.wait_run(name, lambda found: progress(found.counts.ended, found.counts.total))
    show_run(client, run, wanted)


def show_run(client: AuditClient, run: Run, wanted: Wanted) -> NoReturn:
    """Print a run, and leave with the status of its worst member."""
    write_text(_document(client, run, wanted), wanted.output)
    raise typer.Exit(status_of(run, wanted.fail_on))


def _document(client: AuditClient, run: Run, wanted: Wanted) -> str:
    if wanted.form is Format.TEXT:
        return _text(run)
    if wanted.form is Format.JSON and not wanted.is_report:
        return json_text(plain(run))
    from dropaudit_formats.writing import Form

    return client.render_report(run.name, Form(wanted.form.value), link_prefix=wanted.links)


def status_of(run: Run, fail_on: FailOn = FailOn.FAIL) -> Exit:
    """Return the exit status of a run's worst member, in the order of `dropaudit run` on several files."""
    if not run.audits:
        return Exit.NOT_MADE if run.verdict is None else exit_status(run.verdict, fail_on)
    return gravest_of(_status(each, fail_on) for each in run.audits)


def _status(audit: RunAudit, fail_on: FailOn) -> Exit:
    return Exit.NOT_MADE if audit.verdict is None else exit_status(audit.verdict, fail_on)


def _text(run: Run) -> str:
    parts = [f"{cell(run.verdict or run.state)}  {run.name}  {_counts(run)}\n"]
    parts += [f"{safe(sentence)}\n" for sentence in (run.reason, *run.notes) if sentence]
    rows = [tuple(map(cell, _row(each))) for each in sorted(run.audits, key=_gravity)]
    parts += ["\n", table(("verdict", "member", "audit", "what"), rows)] if rows else []
    if run.comparison is not None and run.comparison.base:
        parts += [f"\nSince {run.comparison.base}:\n", _changes(run)]
    return "".join(parts)


def _counts(run: Run) -> str:
    counts = run.counts
    told = f"{counts.total} audits" if counts.total != 1 else "1 audit"
    return f"{told}, {counts.reused} of them reused" if counts.reused else told


def _row(audit: RunAudit) -> tuple[object, ...]:
    member = audit.member.display_name if audit.member else ""
    accepted = f" ({audit.accepted} accepted)" if audit.accepted else ""
    return audit.verdict or audit.state, member, audit.audit, cut(audit.summary, _SUMMARY_BYTES) + accepted


_ORDER = (None, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.WARN, Verdict.PASS)


def _gravity(audit: RunAudit) -> int:
    return _ORDER.index(audit.verdict)


def _changes(run: Run) -> str:
    from dropaudit_client.comparison.render import render_changes
    from dropaudit_client.terminal.render import to_text

    found = run.comparison
    return to_text(render_changes(found.members, found.shortened)) if found else ""
