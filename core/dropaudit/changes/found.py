"""Findings that are new, fixed, persisting, and those whose acceptance began or ended.

A finding is known by its code and by the site or output that it is about, never by its place in the report or by its
numbers. A finding about several sites, which names them in its evidence, is one for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dropaudit.changes.alignment import short_names
from dropaudit.report import Finding, Report, Severity

# Lists in the evidence that name everything that a finding is about.
_LISTS = ("sites", "removed", "subjects", "nodes")
# Stands for every site of a finding whose list was cut: which were cut is chance.
_MANY = ""

Key = tuple[str, str]
"""Code, and the site or output."""


class ChangedFinding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A finding, or the part of it that is about `sites`.

    Attributes:
        sites: which of the sites that it names; all of them when empty.
        was: its severity before, where that was another one.
        accepted: whether it is accepted in the report that it stands in.
    """

    code: str
    slug: str
    severity: Severity
    subject: str
    message: str
    sites: tuple[str, ...] = ()
    was: Severity | None = None
    accepted: bool = False


class FindingChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The findings of two reports, sorted by what became of them; each is in exactly one group.

    Attributes:
        returned: open again, since an acceptance expired, was taken back, or no longer covers the numbers.
        newly_accepted: open before, accepted now.
    """

    new: tuple[ChangedFinding, ...] = ()
    fixed: tuple[ChangedFinding, ...] = ()
    persisting: tuple[ChangedFinding, ...] = ()
    returned: tuple[ChangedFinding, ...] = ()
    newly_accepted: tuple[ChangedFinding, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether there is anything but what persists as it was."""
        regraded = any(finding.was for finding in self.persisting)
        return bool(self.new or self.fixed or self.returned or self.newly_accepted or regraded)


def compare_findings(before: Report | None, after: Report | None, renamed: Mapping[str, str]) -> FindingChanges:
    """Compare the findings of two reports; a missing report has none.

    Args:
        renamed: later names of sites and outputs of `before`, as `new_names` gives them.
    """
    old = _found(before, renamed) if before else {}
    new = _found(after, {}) if after else {}
    accepted = {key for key, finding in new.items() if finding.acceptance is not None}
    were_accepted = {key for key, finding in old.items() if finding.acceptance is not None}
    changed = accepted ^ were_accepted
    both = [key for key in new if key in old]
    return FindingChanges(
        new=_told([key for key in new if key not in old], new),
        fixed=_told([key for key in old if key not in new], old),
        persisting=_told([key for key in both if key not in changed], new, old),
        returned=_told([key for key in both if key in changed - accepted], new, old),
        newly_accepted=_told([key for key in both if key in changed & accepted], new, old),
    )


def _found(report: Report, renamed: Mapping[str, str]) -> dict[Key, Finding]:
    names = short_names(report)
    found: dict[Key, Finding] = {}
    for finding in report.findings:
        for subject in subjects_of(finding):
            name = names.get(subject, subject)
            found[finding.code, renamed.get(name, name)] = finding
    return found


def subjects_of(finding: Finding) -> tuple[str, ...]:
    """Return the names that a finding is about: those its evidence lists, or its subject."""
    for name in _LISTS:
        listed = finding.evidence.get(name)
        if isinstance(listed, list | tuple) and listed and all(isinstance(each, str) for each in listed):
            return (_MANY,) if f"{name}Count" in finding.evidence else tuple(listed)
    return (finding.subject,)


def _told(
    keys: list[Key], found: dict[Key, Finding], before: Mapping[Key, Finding] | None = None
) -> tuple[ChangedFinding, ...]:
    """Tell the findings behind keys, each once."""
    groups: dict[int, list[Key]] = {}
    for key in keys:
        groups.setdefault(id(found[key]), []).append(key)
    return tuple(_one(found[group[0]], group, before or {}) for group in groups.values())


def _one(finding: Finding, keys: list[Key], before: Mapping[Key, Finding]) -> ChangedFinding:
    severities = {before[key].severity for key in keys if key in before}
    all_of_it = len(keys) == len(set(subjects_of(finding)))
    return ChangedFinding(
        code=finding.code,
        slug=finding.slug,
        severity=finding.severity,
        subject=finding.subject,
        message=finding.message,
        sites=() if all_of_it else tuple(name for _, name in keys),
        was=next(iter(severities - {finding.severity}), None),
        accepted=finding.acceptance is not None,
    )
