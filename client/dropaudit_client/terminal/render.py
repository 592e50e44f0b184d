"""The report for people: a pure function from a report to what rich prints, or to plain text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from dropaudit.report import Attribution, Execution, Output, Placement, Report, Severity, Site, Verdict
from dropaudit_client.terminal.columns import Column, Rows
from dropaudit_client.terminal.sparkline import narrowing
from dropaudit_formats import figures
from dropaudit_formats.escape import safe
from dropaudit_formats.finding_subjects import path_of
from dropaudit_formats.grouping import Group as Kind
from dropaudit_formats.grouping import grouped
from dropaudit_formats.names import cut_middle

_VERDICT_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.WARN: "bold yellow",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold magenta",
}
_SEVERITY_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_PLAIN_WIDTH = 80
_TITLE, _NAME = 60, 34
_MOST_SUBJECTS = 3


def render_report(report: Report, title: str = "") -> RenderableType:
    """Lay a report out: verdict and summary, findings, sites, outputs, and how it was made. 60 columns suffice."""
    parts: list[RenderableType] = [_headline(report, title), _words(report.summary), Text()]
    for kind in grouped(report.findings):
        parts += [_kind(kind), Text()]
    if report.sites:
        parts += [render_sites(report.sites), Text()]
    if report.outputs:
        parts += [_outputs(report.outputs), Text()]
    effects = _effects(report.outputs)
    if effects.rows:
        parts += [effects, Text()]
    parts.append(_execution(report.execution))
    parts += [_words(f"Shortened: {sentence}.") for sentence in report.shortened]
    return Group(*parts)


def render_sites(sites: Iterable[Site]) -> Rows[Site]:
    """Lay sites out, without columns that none of them has."""
    columns = (
        Column[Site]("Keep probability", _keep_probability),
        Column[Site]("Scale of what is kept", lambda site: figures.scale(site.scale, "\n").split("\n")),
        Column[Site]("Default session", lambda site: [figures.activity(site.active_in_default_session)]),
    )
    return Rows("Site", _site_head, columns, tuple(sites))


def to_text(renderable: RenderableType) -> str:
    """Return a renderable as plain text of 80 columns, without colour and control sequences."""
    buffer = io.StringIO()
    Console(file=buffer, width=_PLAIN_WIDTH, color_system=None, legacy_windows=False, emoji=False).print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def show(renderable: RenderableType, stream: TextIO) -> None:
    """Print to a stream: in colour and at its width on a terminal, plain elsewhere."""
    if stream.isatty():
        Console(file=stream, emoji=False).print(renderable)
    else:
        stream.write(to_text(renderable))


def _headline(report: Report, title: str) -> Text:
    headline = Text(report.verdict.value, style=_VERDICT_STYLES[report.verdict])
    return headline.append(f"  {cut_middle(title, _TITLE)}", style="bold") if title else headline


def _kind(kind: Kind) -> RenderableType:
    """Tell findings of one kind once: what each message is about, and what to change."""
    head = Text.assemble(
        ("accepted ", "bold green") if kind.acceptance else "",
        (kind.severity.value, f"bold {_SEVERITY_STYLES[kind.severity]}"),
        (safe(f" {kind.code} {kind.slug}"), "bold"),
        f"  {_listed(kind.subjects)}",
    )
    messages = kind.messages
    told = [
        _words(message) if len(messages) == 1 else _words(f"{_listed(subjects)}: {message}")
        for message, subjects in messages
    ]
    told += [_words(kind.acceptance)] if kind.acceptance else [_words(f"Remedy: {each}") for each in kind.remedies]
    return Group(head, Padding(Group(*told), (0, 0, 0, 2)))


def _listed(subjects: Sequence[str]) -> str:
    names = ", ".join(cut_middle(subject, _TITLE) for subject in subjects[:_MOST_SUBJECTS])
    more = len(subjects) - _MOST_SUBJECTS
    return f"{names} and {more} more" if more > 0 else names


def _site_head(site: Site) -> list[str]:
    known = (safe(figures.code(site)), " ".join(_nature(site)))
    return [cut_middle(path_of(site), _NAME), *(line for line in known if line)]


def _nature(site: Site) -> Iterable[str]:
    """Yield what is known of a site: a family shows only in measurements."""
    if site.placement is not Placement.UNKNOWN:
        yield site.placement
    if site.implementation is not None:
        yield site.implementation
    if site.scale is not None:
        yield site.family
    if site.shared_over:
        yield f"shared over {' and '.join(axis.lower() for axis in site.shared_over)}"


def _keep_probability(site: Site) -> list[str]:
    declared, measured = site.declared_keep_prob, site.keep_prob
    bars = narrowing(site.keep_prob_trajectory)
    return [
        "" if declared is None else f"declared {figures.number(declared)}",
        "" if measured is None else f"measured {figures.interval(measured)}",
        bars and f"narrowed {bars}",
    ]


def _outputs(outputs: Sequence[Output]) -> Rows[Output]:
    columns = (
        Column[Output]("Scale factor", _scale_factor),
        Column[Output]("Zeros", lambda output: [f"{output.zero_fraction:.1%}"]),
        Column[Output]("Survivor ratio", lambda output: [figures.spread(output.survivor_ratio)]),
        Column[Output]("Linear", lambda output: ["yes" if output.linear else "no"]),
    )
    return Rows("Output", _output_head, columns, outputs)


def _output_head(output: Output) -> list[str]:
    return [cut_middle(output.name, _NAME), "x".join(map(str, output.shape)) or "scalar"]


def _scale_factor(output: Output) -> list[str]:
    bars = narrowing(output.scale_factor_trajectory)
    return [figures.interval(output.scale_factor), bars and f"narrowed {bars}"]


def _effects(outputs: Sequence[Output]) -> Rows[tuple[Output, Attribution]]:
    rows = [(output, each) for output in outputs for each in (output.attributions.sites if output.attributions else ())]
    kind = Column[tuple[Output, Attribution]]
    columns = (
        kind("Gap alone", lambda row: [f"{row[1].mean_gap_alone:+.2%}"]),
        kind("without it", lambda row: [f"{row[1].mean_gap_without:+.2%}"]),
        kind("Variance alone", lambda row: [figures.number(row[1].variance_alone)]),
        kind("without it", lambda row: [figures.number(row[1].variance_without)]),
    )
    return Rows("What moves an output", _effect_head, columns, rows)


def _effect_head(row: tuple[Output, Attribution]) -> list[str]:
    return [cut_middle(row[1].site, _NAME), f"on {cut_middle(row[0].name, _NAME)}"]


def _execution(execution: Execution) -> Text:
    where = " ".join(word for word in (execution.provider, execution.device) if word)
    facts = [
        where,
        execution.runtime_version,
        f"seed {execution.seed}",
        f"{execution.replicates} replicate{'' if execution.replicates == 1 else 's'}",
        execution.stopped.value.lower(),
        f"{execution.seconds.total:.2f} s",
    ]
    return Text(safe(" · ".join(fact for fact in facts if fact)), style="dim")


def _words(sentence: str) -> Text:
    return Text(safe(sentence))
