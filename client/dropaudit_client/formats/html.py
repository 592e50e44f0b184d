"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files

from dropaudit.explain import explain
from dropaudit.findings import CATALOGUE
from dropaudit.report import Execution, Finding, Output, Report, Site
from dropaudit_client.formats import figures
from dropaudit_client.formats.escape import safe
from dropaudit_client.formats.finding_subjects import path_of
from dropaudit_client.formats.svg import around, histogram_svg, interval_svg

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def to_html(report: Report, title: str = "") -> str:
    """Return the page; every name and sentence of the report is escaped."""
    name = text(title or "dropaudit")
    sections = [
        f'<header><p class="verdict {report.verdict}">{report.verdict}</p>'
        f"<h1>{name}</h1><p>{text(report.summary)}</p></header>",
        _findings(report.findings),
        _sites(report.sites),
        _outputs(report.outputs),
        _attributions(report.outputs),
        _execution(report.execution),
        "".join(f"<p>Shortened: {text(sentence)}.</p>" for sentence in report.shortened),
    ]
    style = files("dropaudit_client").joinpath("formats", "report.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{report.verdict} {name}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(section for section in sections if section)
        + "\n</body>\n</html>\n"
    )


def text(words: str) -> str:
    """Return words as HTML shows them."""
    return escape(safe(words))


def _findings(findings: Iterable[Finding]) -> str:
    items = "\n".join(_finding(finding) for finding in findings)
    return f"<section><h2>Findings</h2>\n{items or '<p>Nothing was found.</p>'}\n</section>"


def _finding(finding: Finding) -> str:
    return (
        f'<article class="finding {finding.severity}"><h3><span>{finding.severity}</span> {text(finding.code)} '
        f"{text(finding.slug)} <code>{text(finding.subject)}</code></h3>"
        f"<p>{text(finding.message)}</p><p><strong>Remedy:</strong> {text(finding.remedy)}</p>"
        f"{_meaning(finding.code)}</article>"
    )


def _meaning(code: str) -> str:
    """Return the long form's first section; a newer server may report a code that this version cannot explain."""
    if code not in CATALOGUE:
        return ""
    meaning = text(" ".join(explain(code).meaning.split()))
    return f"<details><summary>What {code} means</summary><p>{meaning}</p></details>"


def _sites(sites: Iterable[Site]) -> str:
    rows = "\n".join(_row(_site(site)) for site in sites)
    return rows and _table("Sites", ("Site", "Keep probability", "", "Scale", "Default session"), rows)


def _site(site: Site) -> list[str]:
    kinds = [site.placement, site.implementation or "", site.family if site.scale else "", *site.shared_over]
    keep = site.keep_prob
    declared = "" if site.declared_keep_prob is None else f"<br>declared {figures.number(site.declared_keep_prob)}"
    return [
        f"<code>{text(path_of(site))}</code>{_code(site)}<br><small>{text(' '.join(filter(None, kinds)))}</small>",
        figures.interval(keep) + declared,
        interval_svg(keep, site.declared_keep_prob, 0.0, 1.0) if keep else "",
        figures.scale(site.scale, "<br>"),
        figures.activity(site.active_in_default_session),
    ]


def _code(site: Site) -> str:
    known = figures.code(site)
    return f"<br><small>{text(known)}</small>" if known else ""


def _outputs(outputs: Iterable[Output]) -> str:
    rows = "\n".join(_row(_output(output)) for output in outputs)
    headers = ("Output", "Scale factor", "", "Zeros", "Survivor ratio", "Train over inference")
    return rows and _table("Outputs", headers, rows)


def _output(output: Output) -> list[str]:
    shape = "x".join(map(str, output.shape)) or "scalar"
    path = "linear" if output.linear else "not linear"
    factor = output.scale_factor
    return [
        f"<code>{text(output.name)}</code><br><small>{shape}, {path}</small>",
        figures.interval(factor),
        interval_svg(factor, 1.0, *around(factor, 1.0)) if factor else "",
        f"{output.zero_fraction:.1%}",
        figures.spread(output.survivor_ratio),
        histogram_svg(output.histogram) if output.histogram else "",
    ]


def _attributions(outputs: Iterable[Output]) -> str:
    rows = "\n".join(
        _row(
            [
                f"<code>{text(each.site)}</code><br><small>on {text(output.name)}</small>",
                f"{each.mean_gap_alone:+.2%}",
                f"{each.mean_gap_without:+.2%}",
                figures.number(each.variance_alone),
                figures.number(each.variance_without),
            ]
        )
        for output in outputs
        for each in (output.attributions.sites if output.attributions else ())
    )
    headers = ("Site", "Gap alone", "Gap without it", "Variance alone", "Variance without it")
    return rows and _table("What moves an output", headers, rows)


def _execution(execution: Execution) -> str:
    facts = {
        "Provider": " ".join(filter(None, (execution.provider, execution.device))),
        "Runtime": execution.runtime_version,
        "Seed": str(execution.seed),
        "Replicates": f"{execution.replicates}, {execution.stopped.lower()}",
        "Seconds": f"{execution.seconds.total:.2f}",
    }
    for each in execution.inputs:
        made = ", made from the signature" if each.synthesized else ""
        facts[f"Input {each.name}"] = f"{each.dtype} {'x'.join(map(str, each.shape))}{made}"
    for number, artifact in enumerate(execution.artifacts, 1):
        facts[f"Artifact {number}"] = f"sha256 {artifact.sha256}, {artifact.bytes} bytes"
    entries = "".join(f"<dt>{text(name)}</dt><dd>{text(fact)}</dd>" for name, fact in facts.items() if fact)
    return f"<section><h2>Execution</h2><dl>{entries}</dl></section>"


def _table(title: str, headers: Iterable[str], rows: str) -> str:
    head = "".join(f"<th>{header}</th>" for header in headers)
    return f"<section><h2>{title}</h2><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></section>"


def _row(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
