"""The report as Markdown, for a summary that a CI system shows beside a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dropaudit.report import Output, Report, Site
from dropaudit_formats import figures, wording
from dropaudit_formats.again import command_of
from dropaudit_formats.escape import safe
from dropaudit_formats.finding_subjects import path_of
from dropaudit_formats.grouping import Group, grouped
from dropaudit_formats.names import cut_middle

_LONGEST = 120
# GitHub shows a summary of 1 MiB at most.
_MOST_ROWS = 50
_MOST_SUBJECTS = 10
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+|!~@&-])")


def to_markdown(report: Report, title: str = "") -> str:
    """Return a heading with the verdict, the findings, and tables of sites and outputs."""
    blocks = [
        f"## {report.verdict}: {plain(title or 'dropaudit')}",
        plain(report.summary),
        *_findings(report),
        *table(("Site", "Keep probability", "Survivors times", "Expected"), list(map(_site, report.sites))),
        *table(("Output", "Scale factor", "Zero in train mode", "Survivors"), list(map(_output, report.outputs))),
        *_made(report),
        *(f"Shortened: {plain(sentence)}." for sentence in report.shortened),
    ]
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """Return words as Markdown shows them: no mark in them means anything."""
    words = re.sub(r"\S{240,}", lambda word: cut_middle(word[0], _LONGEST), text)
    return _MARKS.sub(r"\\\1", safe(words))


def code(name: str) -> str:
    """Return a name as code, in a table too."""
    told = cut_middle(name, _LONGEST).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", told)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest or told.startswith(" ") or told.endswith(" ") else ""
    return f"{fence}{room}{told}{room}{fence}" if told else ""


def _findings(report: Report) -> Iterator[str]:
    groups = grouped(report.findings)
    if not groups:
        yield "Nothing was found."
    yield from map(_finding, groups)


def _finding(group: Group) -> str:
    accepted = "accepted " if group.acceptance else ""
    head = (
        f"**{accepted}{group.severity} {plain(group.code)} {plain(group.slug)}** ({wording.SEVERITIES[group.severity]})"
    )
    told = [f"- {listed(subjects)}: {plain(message)}" for message, subjects in group.messages[:_MOST_ROWS]]
    more = len(group.messages) - _MOST_ROWS
    rest = [f"- and {more} more"] if more > 0 else []
    last = plain(group.acceptance) or f"What to change: {' '.join(map(plain, group.remedies))}"
    return "\n".join([head, "", *told, *rest, "", last])


def listed(subjects: Sequence[str]) -> str:
    more = len(subjects) - _MOST_SUBJECTS
    names = ", ".join(map(code, subjects[:_MOST_SUBJECTS]))
    return f"{names} and {more} more" if more > 0 else names


def _site(site: Site) -> Sequence[str]:
    declared = "" if site.declared_keep_prob is None else f", declared {figures.number(site.declared_keep_prob)}"
    expected = None if site.scale is None else site.scale.expected
    return (
        code(path_of(site)),
        plain(figures.interval(site.keep_prob) + declared),
        plain(figures.spread(site.scale)),
        plain(figures.number(expected)),
    )


def _output(output: Output) -> Sequence[str]:
    return (
        code(output.name),
        plain(figures.interval(output.scale_factor)),
        f"{output.zero_fraction:.1%}",
        plain(figures.spread(output.survivor_ratio)),
    )


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    lines = [titles, ["---"] * len(titles), *rows[:_MOST_ROWS]]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if len(rows) > _MOST_ROWS:
        yield f"and {len(rows) - _MOST_ROWS} more."


def _made(report: Report) -> Iterator[str]:
    execution = report.execution
    facts = [
        execution.provider,
        execution.runtime_version,
        f"seed {execution.seed}",
        f"{execution.replicates} replicates",
    ]
    yield " · ".join(plain(fact) for fact in facts if fact)
    if command := command_of(report, ""):
        yield f"Made again by {code(command)}"
