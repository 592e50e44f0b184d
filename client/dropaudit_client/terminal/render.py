"""The report for people: a pure function from a report to what rich prints, or to plain text."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dropaudit.report import (
    Execution,
    Finding,
    Output,
    Placement,
    Report,
    Severity,
    Site,
    Verdict,
)
from dropaudit_client.formats import figures
from dropaudit_client.formats.escape import safe

_VERDICT_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.WARN: "bold yellow",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold magenta",
}
_SEVERITY_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_PLAIN_WIDTH = 80


def render_report(report: Report, title: str = "") -> RenderableType:
    """Lay a report out: verdict and summary, findings, sites, outputs, and how it was made. 80 columns suffice."""
    parts: list[RenderableType] = [_headline(report, title), _words(report.summary), Text()]
    for finding in report.findings:
        parts += [_finding(finding), Text()]
    if report.sites:
        parts += [render_sites(report.sites), Text()]
    if report.outputs:
        parts += [_outputs(report.outputs), Text()]
    if any(output.attributions for output in report.outputs):
        parts += [_attributions(report.outputs), Text()]
    parts.append(_execution(report.execution))
    parts += [_words(f"Shortened: {sentence}.") for sentence in report.shortened]
    return Group(*parts)


def render_sites(sites: Iterable[Site]) -> Table:
    """Lay sites out as a table; what was not measured is a dash."""
    table = _table("Site", "Keep probability", "Scale of what is kept", "Default session")
    for site in sites:
        place = "/".join(part for part in (site.path, site.name) if part)
        how = " ".join(_nature(site))
        keep = [f"declared {figures.number(site.declared_keep_prob)}", f"measured {figures.interval(site.keep_prob)}"]
        table.add_row(
            Group(Text(safe(place)), *(Text(safe(line), style="dim") for line in (figures.code(site), how) if line)),
            Text("\n".join(keep)),
            Text(figures.scale(site.scale, "\n")),
            Text(figures.activity(site.active_in_default_session)),
        )
    return table


def to_text(renderable: RenderableType) -> str:
    """Return a renderable as plain text of 80 columns, without colour and control sequences."""
    buffer = io.StringIO()
    Console(file=buffer, width=_PLAIN_WIDTH, color_system=None, legacy_windows=False).print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def show(renderable: RenderableType, stream: TextIO) -> None:
    """Print to a stream: in colour and at its width on a terminal, plain elsewhere."""
    if stream.isatty():
        Console(file=stream).print(renderable)
    else:
        stream.write(to_text(renderable))


def _headline(report: Report, title: str) -> Text:
    headline = Text(report.verdict.value, style=_VERDICT_STYLES[report.verdict])
    return headline.append(f"  {safe(title)}", style="bold") if title else headline


def _finding(finding: Finding) -> RenderableType:
    head = Text.assemble(
        (finding.severity.value, f"bold {_SEVERITY_STYLES[finding.severity]}"),
        (f" {finding.code} {finding.slug}", "bold"),
        f"  {safe(finding.subject)}",
    )
    return Group(head, Padding(Group(_words(finding.message), _words(f"Remedy: {finding.remedy}")), (0, 0, 0, 2)))


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


def _outputs(outputs: Iterable[Output]) -> Table:
    table = _table("Output", "Scale factor", "Zeros", "Survivor ratio", "Linear")
    for output in outputs:
        shape = "x".join(map(str, output.shape)) or "scalar"
        table.add_row(
            Group(Text(safe(output.name)), Text(shape, style="dim")),
            Text(figures.interval(output.scale_factor)),
            Text(f"{output.zero_fraction:.1%}"),
            Text(figures.spread(output.survivor_ratio)),
            Text("yes" if output.linear else "no"),
        )
    return table


def _attributions(outputs: Iterable[Output]) -> Table:
    table = _table("What moves an output", "Gap alone", "without it", "Variance alone", "without it")
    for output in outputs:
        for each in output.attributions.sites if output.attributions else ():
            table.add_row(
                Group(Text(safe(each.site)), Text(f"on {safe(output.name)}", style="dim")),
                Text(f"{each.mean_gap_alone:+.2%}"),
                Text(f"{each.mean_gap_without:+.2%}"),
                Text(figures.number(each.variance_alone)),
                Text(figures.number(each.variance_without)),
            )
    return table


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


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _words(sentence: str) -> Text:
    return Text(safe(sentence))
