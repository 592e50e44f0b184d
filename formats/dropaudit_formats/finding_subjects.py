"""The subjects of a report's findings."""

from __future__ import annotations

from dropaudit.finding_code import About
from dropaudit.findings import CATALOGUE
from dropaudit.report import Finding, Output, Report, Site


def path_of(site: Site) -> str:
    """Return a site's name with the bodies it lies in."""
    return "/".join(part for part in (site.path, site.name) if part)


def about_site(site: Site, report: Report) -> list[Finding]:
    """Return the findings about a site."""
    names, outputs = (site.name, path_of(site)), _output_names(report)
    return [
        finding
        for finding in _about_parts(report)
        if finding.subject in names and not (finding.subject in outputs and _prefers_outputs(finding))
    ]


def about_output(output: Output, report: Report) -> list[Finding]:
    """Return the findings about an output."""
    sites = _site_names(report)
    return [
        finding
        for finding in _about_parts(report)
        if finding.subject == output.name and (finding.subject not in sites or _prefers_outputs(finding))
    ]


def about_the_rest(report: Report) -> list[Finding]:
    """Return the findings that are neither about a site nor about an output."""
    names = _site_names(report) | _output_names(report)
    return [finding for finding in report.findings if finding.subject not in names or is_about_all(finding)]


def _about_parts(report: Report) -> list[Finding]:
    """Return the findings that are about the part of a model that their subject names."""
    return [finding for finding in report.findings if not is_about_all(finding)]


def is_about_all(finding: Finding) -> bool:
    """Whether a finding is about a whole model or a pair, whatever its subject is called."""
    return _about(finding) in (About.MODEL, About.PAIR)


def _prefers_outputs(finding: Finding) -> bool:
    """Whether a finding is about the output, where a site and an output have the name of its subject."""
    return _about(finding) is About.OUTPUT


def _about(finding: Finding) -> About | None:
    """Return what a finding is about; None for a code of a newer version."""
    known = CATALOGUE.get(finding.code)
    return None if known is None else known.about


def _site_names(report: Report) -> set[str]:
    return {name for site in report.sites for name in (site.name, path_of(site))}


def _output_names(report: Report) -> set[str]:
    return {output.name for output in report.outputs}
