"""Which site and which output of one report is which of the other: exporters rename nodes between versions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from dropaudit.report import Output, Report, Site

Part = TypeVar("Part", Site, Output)


def new_names(before: Report, after: Report) -> dict[str, str]:
    """Return the later name of each site and output of `before` that `after` calls by another name.

    Equal names are one site, in whatever order they stand. Among those that only one report has, sites of one
    placement, implementation, declared rate and depth of nesting are paired in their order, and outputs of one shape
    too, where both reports have as many of them. Anything else stays a site that went and a site that came.
    """
    return _renamed(before.sites, after.sites, _place_of) | _renamed(before.outputs, after.outputs, _shape_of)


def short_names(report: Report) -> dict[str, str]:
    """Return the name of each site by its full path: findings call a site by either."""
    return {f"{site.path}/{site.name}": site.name for site in report.sites if site.path}


def _renamed(before: Iterable[Part], after: Iterable[Part], kind: Callable[[Part], Hashable]) -> dict[str, str]:
    old, new = {part.name: part for part in before}, {part.name: part for part in after}
    gone = _grouped((part for name, part in old.items() if name not in new), kind)
    came = _grouped((part for name, part in new.items() if name not in old), kind)
    return {
        one: other
        for key, names in gone.items()
        if len(names) == len(came.get(key, ()))
        for one, other in zip(names, came[key], strict=True)
    }


def _grouped(parts: Iterable[Part], kind: Callable[[Part], Hashable]) -> dict[Hashable, list[str]]:
    groups: dict[Hashable, list[str]] = {}
    for part in parts:
        groups.setdefault(kind(part), []).append(part.name)
    return groups


def _place_of(site: Site) -> Hashable:
    depth = len(site.path.split("/")) if site.path else 0
    return site.placement, site.implementation, site.declared_keep_prob, depth


def _shape_of(output: Output) -> Hashable:
    return output.shape
