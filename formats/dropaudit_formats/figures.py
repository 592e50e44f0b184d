"""A report's numbers as people read them, alike on a terminal and on a page."""

from __future__ import annotations

from dropaudit.report import Acceptance, Interval, Scale, Site, Spread

UNKNOWN = "-"


def number(value: float | None) -> str:
    """Return a number with four significant digits."""
    return UNKNOWN if value is None else f"{value:.4g}"


def interval(found: Interval | None) -> str:
    """Return an interval with its bounds."""
    return UNKNOWN if found is None else str(found)


def spread(found: Spread | Scale | None) -> str:
    """Return smallest, median and largest; one number where they read alike."""
    if found is None:
        return UNKNOWN
    low, middle, high = (number(value) for value in (found.min, found.median, found.max))
    return low if low == high else f"{low} / {middle} / {high}"


def scale(found: Scale | None, before_expected: str) -> str:
    """Return the spread of a scale and, where a scale was declared, what comes between and the expected one."""
    expected = "" if found is None or found.expected is None else f"{before_expected}expected {number(found.expected)}"
    return spread(found) + expected


def activity(active: bool | None) -> str:
    """Return whether a default session keeps a site."""
    return {None: UNKNOWN, True: "active", False: "removed"}[active]


def code(site: Site) -> str:
    """Return module and line of the user's code that a site comes from, as far as they are known."""
    return " at ".join(part for part in (site.module, site.location) if part)


def acceptance(found: Acceptance) -> str:
    """Return why a finding is accepted, by whom and until when, in a sentence."""
    by = f" by {found.accepted_by}" if found.accepted_by else ""
    until = f" until {found.expire_time:%Y-%m-%d %H:%M} UTC" if found.expire_time else ""
    return f"Accepted{by}{until}: {found.reason}"
