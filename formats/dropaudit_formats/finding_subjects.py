"""The subjects of a report's findings."""

from __future__ import annotations

from dropaudit.report import Finding, Output, Report, Site

# Findings about what a model puts out; all others are about sites where both have one name.
_OF_OUTPUTS = frozenset({"DA104", "DA305", "DA501", "DA502", "DA503"})


def path_of(site: Site) -> str:
    """Return a site's name with the bodies it lies in."""
    return "/".join(part for part in (site.path, site.name) if part)


def about_site(site: Site, report: Report) -> list[Finding]:
    """Return the findings about a site."""
    outputs = {output.name for output in report.outputs}
    return [
        finding
        for finding in report.findings
        if finding.subject in (site.name, path_of(site))
        and not (finding.subject in outputs and finding.code in _OF_OUTPUTS)
    ]


def about_output(output: Output, report: Report) -> list[Finding]:
    """Return the findings about an output."""
    sites = {name for site in report.sites for name in (site.name, path_of(site))}
    return [
        finding
        for finding in report.findings
        if finding.subject == output.name and (finding.subject not in sites or finding.code in _OF_OUTPUTS)
    ]


def about_the_rest(report: Report) -> list[Finding]:
    """Return the findings that are about no site and no output."""
    names = {name for site in report.sites for name in (site.name, path_of(site))}
    names |= {output.name for output in report.outputs}
    return [finding for finding in report.findings if finding.subject not in names]
