"""Where a report contradicts itself, whatever it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from dropaudit.finding_code import FindingCode
from dropaudit.findings import gravest_first, open_ones, verdict_of
from dropaudit.plan import Role
from dropaudit.report import Family, Finding, Interval, Report, Severity, Site, Stop, Verdict

ONCE = frozenset({"DA101", "DA102", "DA103", "DA105", "DA106", "DA107", "DA404"})
SCALED_RIGHT = "scaled right"
NOTHING = ("No dropout is active", "Nothing random", "nothing was dropped", "nothing is dropped")
# What these do to kept values is no one factor, so that a keep rate is all there is to measure.
WITHOUT_SCALE = frozenset({Family.OTHER, Family.GAUSSIAN})
# Of two that exclude each other no site has both.
EXCLUDING = (frozenset({"DA301", "DA302", "DA303", "DA304"}), frozenset({"DA201", "DA202"}))


def contradictions(report: Report, role: Role) -> tuple[str, ...]:
    """Say in a sentence each where parts of a report cannot both be true."""
    found = [*_of_verdict(report), *_of_summary(report), *_of_findings(report), *_of_numbers(report)]
    found += _of_acceptances(report)
    passes = report.verdict is Verdict.PASS and not _accepts(report)
    if role is not Role.INFERENCE and (passes or SCALED_RIGHT in report.summary):
        found += _unmeasured(report)
    return tuple(found)


def _of_verdict(report: Report) -> Iterator[str]:
    if report.verdict is not verdict_of(report.findings):
        yield f"verdict {report.verdict} beside findings that make {verdict_of(report.findings)}"
    excused = report.execution.sampling == "recorded" or _accepts(report)
    if report.verdict is Verdict.PASS and report.execution.stopped is not Stop.DECIDED and not excused:
        yield "PASS though the tests had not decided"


def _accepts(report: Report) -> bool:
    """Whether the verdict leaves out what somebody accepted, such as a test that was undecided."""
    return any(finding.acceptance for finding in report.findings)


def _of_acceptances(report: Report) -> Iterator[str]:
    if gravest_first(report.findings) != report.findings:
        yield "findings stand in another order than gravest first, accepted last"
    before, _, named = report.summary.partition(" Accepted: ")
    for finding in report.findings:
        if finding.acceptance and f"{finding.code} ({finding.slug}) of {finding.subject}" not in named:
            yield f"{finding.code} {finding.subject} is accepted, and the summary does not say so"
        if finding.acceptance and not finding.acceptance.reason:
            yield f"{finding.code} {finding.subject} is accepted for no reason"
    if named and not _accepts(report):
        yield "the summary speaks of what is accepted, and nothing is"
    codes = {finding.code for finding in report.findings if finding.acceptance}
    if wrong := sorted(code for code in codes - {each.code for each in open_ones(report.findings)} if code in before):
        yield f"the summary complains of {wrong}, which are accepted"


def _of_summary(report: Report) -> Iterator[str]:
    codes, families = _codes(report), {site.family for site in report.sites}
    gravest = {Verdict.FAIL: Severity.ERROR, Verdict.INCONCLUSIVE: None}
    if report.verdict in gravest:
        named = {
            finding.code
            for finding in open_ones(report.findings)
            if finding.severity is gravest[report.verdict] or finding.code == FindingCode.INCONCLUSIVE
        }
        if not any(code in report.summary for code in named):
            yield f"{report.verdict} and the summary names none of {sorted(named)}"
    if SCALED_RIGHT in report.summary:
        if report.verdict not in (Verdict.PASS, Verdict.WARN):
            yield f"scaled right, and {report.verdict}"
        if Family.UNSCALED in families or "unscaled" in report.summary:
            yield "scaled right, and unscaled"
        alive = [site for site in report.sites if site.name not in _named(report, "DA107")]
        claimed = re.search(r"(\d+) sites?,", report.summary)
        if claimed and report.execution.sampling != "recorded" and int(claimed[1]) > len(alive):
            yield f"scaled right of {claimed[1]} sites, where {len(alive)} reach an output"
    if any(words in report.summary for words in NOTHING) and codes & {"DA103", "DA401"}:
        yield f"nothing is dropped, and {sorted(codes & {'DA103', 'DA401'})}"


def _of_findings(report: Report) -> Iterator[str]:
    counted = Counter(finding.code for finding in report.findings)
    yield from (f"{code} stands {counted[code]} times" for code in sorted(ONCE) if counted[code] > 1)
    if {"DA105", "DA106"} <= counted.keys():
        yield "nothing random reaches an output, and unrecognized randomness does"
    by_subject: dict[str, set[str]] = {}
    for finding in report.findings:
        by_subject.setdefault(finding.subject, set()).add(finding.code)
    for subject, codes in by_subject.items():
        yield from (f"{subject}: {sorted(codes & group)}" for group in EXCLUDING if len(codes & group) > 1)
    sites = {site.name: site for site in report.sites}
    if "DA105" in counted:
        alive = set(sites) - _named(report, "DA107") - _named(report, "DA401")
        yield from (f"no sites, and {name} drops" for name in sorted(alive) if _drops(sites[name]))
    for finding in report.findings:
        yield from _of_site(finding, sites)


def _of_site(finding: Finding, sites: dict[str, Site]) -> Iterator[str]:
    for name in _subjects(finding) & sites.keys():
        site = sites[name]
        if finding.code == "DA101" and _drops(site):
            yield f"{name} never drops, and keeps {site.keep_prob}"
        if finding.code == "DA102" and site.active_in_default_session is True:
            yield f"{name} is removed, and active in a default session"
        if finding.code in ("DA301", "DA304") and site.family is Family.INVERTED:
            yield f"{name} is unscaled, and of family INVERTED"


def _of_numbers(report: Report) -> Iterator[str]:
    intervals = [(site.name, site.keep_prob) for site in report.sites]
    intervals += [(output.name, output.scale_factor) for output in report.outputs]
    yield from (f"{name}: {found} is no interval" for name, found in intervals if found and not _is_ordered(found))
    for finding in report.findings:
        if re.search(r"\b(nan|inf)\b", finding.message):
            yield f"{finding.code} {finding.subject} tells no number: {finding.message}"


def _unmeasured(report: Report) -> Iterator[str]:
    """PASS and "scaled right" need a rate and a scale of every active site, and a factor of every tested output."""
    excused = _named(report, "DA107") | _named(report, "DA401") | _named(report, "DA101")
    for site in report.sites:
        if site.name in excused:
            continue
        if site.keep_prob is None:
            yield f"{report.verdict}, and the keep rate of {site.name} was not measured"
        if site.scale is None and site.family not in WITHOUT_SCALE:
            yield f"{report.verdict}, and the scale of {site.name} was not measured"
    own_mean = {site.family for site in report.sites} - {Family.INVERTED, Family.UNSCALED}
    if report.sites and not own_mean and not _codes(report) & {"DA106", "DA107", "DA304"}:
        for output in report.outputs:
            if output.linear and output.scale_factor is None:
                yield f"{report.verdict}, and the factor of output {output.name} was not measured"


def _drops(site: Site) -> bool:
    return site.keep_prob is not None and site.keep_prob.upper < 1


def _is_ordered(interval: Interval) -> bool:
    return interval.lower <= interval.estimate <= interval.upper


def _codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def _named(report: Report, code: str) -> set[str]:
    return {name for finding in report.findings if finding.code == code for name in _subjects(finding)}


def _subjects(finding: Finding) -> set[str]:
    """Return what a finding is about, with the list that its evidence holds."""
    lists = (finding.evidence.get(key) for key in ("sites", "removed"))
    return {finding.subject, *(name for found in lists if isinstance(found, list | tuple) for name in found)}
