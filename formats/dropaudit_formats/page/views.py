"""Sites and outputs as the template shows them: words, numbers and drawings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup
from msgspec.structs import replace

from dropaudit.plan import DEFAULT_TOLERANCE, RATE_MARGIN
from dropaudit.report import Attribution, Family, Finding, Output, Report, Site
from dropaudit_formats import figures, wording
from dropaudit_formats.finding_subjects import about_output, about_site, path_of
from dropaudit_formats.page.bars import MOST_SITES, gap_bars, strongest, variance_bars
from dropaudit_formats.page.graph import graph
from dropaudit_formats.page.heat import heat
from dropaudit_formats.page.narrowing import Expected, narrowing
from dropaudit_formats.page.profile import profile
from dropaudit_formats.page.survivors import survivors_of_factor, survivors_of_histogram

Fact = tuple[str, str]

# Of more sites only those that something was found about are unfolded, and of these the first.
_UNFOLDED, _MOST_UNFOLDED = 3, 12

_BAND = (
    "The share of mask cells that are kept. The band holds the true share at every look at once; over all tests of an "
    "audit, it misses one with a chance of at most alpha."
)


class Figure(msgspec.Struct, frozen=True):
    """A drawing, its title, and a sentence that says how to read it."""

    title: str
    drawing: Markup
    caption: str


class View(msgspec.Struct, frozen=True):
    """A site or an output.

    Attributes:
        nature: what it is, in words, each with its name in the report.
        codes: of what was found about it, each with its severity.
    """

    name: str
    nature: Sequence[Fact]
    facts: Sequence[Fact]
    codes: Sequence[Fact]
    drawings: Sequence[Figure]
    is_open: bool


def site_views(report: Report) -> list[View]:
    """Return what is shown of every site."""
    return _folded([_site(site, number, report) for number, site in enumerate(report.sites)])


def output_views(report: Report) -> list[View]:
    """Return what is shown of every output."""
    return _folded([_output(output, number, report) for number, output in enumerate(report.outputs)])


def _folded(views: list[View]) -> list[View]:
    unfolded = [number for number, view in enumerate(views) if view.is_open][:_MOST_UNFOLDED]
    return [replace(view, is_open=number in unfolded) for number, view in enumerate(views)]


def _site(site: Site, number: int, report: Report) -> View:
    codes = _codes(about_site(site, report))
    return View(
        name=path_of(site),
        nature=wording.nature(site),
        facts=[(label, told) for label, told in (*place(site, report), *_site_facts(site)) if told],
        codes=codes,
        drawings=_present([_kept(site, report), _factors(site), _around(site)]),
        is_open=bool(codes) or number < _UNFOLDED,
    )


def place(site: Site, report: Report) -> list[Fact]:
    """Return where a site is to be found: its node, and the bodies around it."""
    return (
        [] if is_recorded(report) else [("Node", site.name), ("Inside", site.path), ("Your code", figures.code(site))]
    )


def _codes(findings: Iterable[Finding]) -> list[Fact]:
    return list(dict.fromkeys((finding.code, finding.severity.value) for finding in findings))


def _site_facts(site: Site) -> list[Fact]:
    declared = "" if site.declared_keep_prob is None else figures.number(site.declared_keep_prob)
    measured = "" if site.keep_prob is None else figures.interval(site.keep_prob)
    expected = "" if site.scale is None or site.scale.expected is None else figures.number(site.scale.expected)
    return [
        ("Keep probability, declared", declared),
        ("Keep probability, measured", measured),
        ("Survivors are multiplied by", "" if site.scale is None else figures.spread(site.scale)),
        ("Expected, 1/q", expected),
        ("A plain ONNX Runtime session", wording.activity(site.active_in_default_session)),
        ("Mask cells in one replicate", f"{site.elements:,}" if site.elements else ""),
    ]


def _kept(site: Site, report: Report) -> Figure | None:
    if site.keep_prob is None:
        return None
    q, recorded = site.declared_keep_prob, is_recorded(report)
    expected = None if q is None else Expected(q, 0.0 if recorded else RATE_MARGIN)
    drawing = narrowing(site.keep_prob, site.keep_prob_trajectory, expected, "keep probability")
    return _figure("How much is kept", drawing, f"{_BAND} {_agreement(q, is_recorded=recorded)}")


def _agreement(q: float | None, *, is_recorded: bool) -> str:
    if q is None:
        return "No keep probability is declared."
    if is_recorded:
        return "The declared rate, dashed, fits when it lies in the band."
    return f"The rate is right when the band lies within {RATE_MARGIN:g} of the dashed line, in the green zone."


def _factors(site: Site) -> Figure | None:
    if site.factors is not None:
        expected = [] if site.scale is None or site.scale.expected is None else [site.scale.expected]
        drawing = survivors_of_histogram(site.factors, expected)
    elif site.scale is not None and site.keep_prob is not None and site.family is not Family.GAUSSIAN:
        drawing = survivors_of_factor(site.keep_prob, site.scale)
    else:
        return None
    caption = "Right after the mask: what was dropped lies at 0, survivors where the mask has put them."
    return _figure("What survivors are multiplied by", drawing, caption)


def _around(site: Site) -> Figure | None:
    drawing = None if site.surroundings is None else graph(site.surroundings, path_of(site))
    caption = "The operators before and behind the site, with the names of their nodes."
    return _figure("Where it is in the graph", drawing, caption)


def _output(output: Output, number: int, report: Report) -> View:
    codes = _codes(about_output(output, report))
    return View(
        name=output.name,
        nature=_output_nature(output, report),
        facts=[(label, told) for label, told in _output_facts(output) if told],
        codes=codes,
        drawings=_present(
            [
                _factor(output, report),
                _survivors(output, report),
                _steps(output, report),
                _elements(output),
                *_effects(output),
            ]
        ),
        is_open=bool(codes) or number < _UNFOLDED,
    )


def _output_nature(output: Output, report: Report) -> list[Fact]:
    shape = "x".join(map(str, output.shape)) or "scalar"
    if is_recorded(report):
        return [("recorded output", shape)]
    between = "lie between the sites and this output"
    path = ("only linear operators", "linear") if output.linear else ("operators that are not linear", "not linear")
    return [("shape", shape), (f"{path[0]} {between}", path[1])]


def _output_facts(output: Output) -> list[Fact]:
    return [
        ("Scale factor", "" if output.scale_factor is None else figures.interval(output.scale_factor)),
        ("Zero in train mode alone", f"{output.zero_fraction:.1%}"),
        ("Survivors over inference", "" if output.survivor_ratio is None else figures.spread(output.survivor_ratio)),
    ]


def is_recorded(report: Report) -> bool:
    """Whether outputs were recorded, and no model was run."""
    return report.execution.sampling == "recorded"


def _tolerance(report: Report) -> float:
    settings = report.execution.settings
    return DEFAULT_TOLERANCE if settings is None else settings.tolerance


def _factor(output: Output, report: Report) -> Figure | None:
    if output.scale_factor is None:
        return None
    expected = Expected(1.0, _tolerance(report))
    drawing = narrowing(output.scale_factor, output.scale_factor_trajectory, expected, "scale factor")
    caption = (
        "How large the output is in train mode beside inference, on average over masks. 1 means that dropout keeps the "
        f"mean; within {expected.margin:g} of 1 it is taken as kept."
    )
    return _figure("Does the output keep its mean", drawing, caption)


def _survivors(output: Output, report: Report) -> Figure | None:
    if output.histogram is None:
        return None
    drawing = survivors_of_histogram(output.histogram, _expected_factors(report), has_dropped=output.zero_fraction > 0)
    caption = (
        "Every element of the output in train mode over the same element at inference. Behind further operators the "
        "ratio spreads; right behind a mask it is 0 or 1/q."
    )
    return _figure("Train output over inference output", drawing, caption)


def _expected_factors(report: Report) -> list[float]:
    """Return what the sites should multiply by, where that is one number."""
    found = {site.scale.expected for site in report.sites if site.scale is not None and site.scale.expected is not None}
    return sorted(found) if len(found) == 1 else []


def _steps(output: Output, report: Report) -> Figure | None:
    drawing = profile(output.time_profile, _tolerance(report))
    caption = "The scale factor of each time step by itself: a drift means that the mask acts on the state."
    return _figure("Over the time steps", drawing, caption)


def _elements(output: Output) -> Figure | None:
    if output.excerpt is None:
        return None
    scale = None if output.survivor_ratio is None else output.survivor_ratio.median
    drawing = heat(output.excerpt, scale)
    caption = (
        "The same elements in both modes, rows by columns: blue above zero, orange below, the stronger the larger. "
        "Train mode shows one draw of the masks."
    )
    return _figure("Element by element", drawing, caption)


def _effects(output: Output) -> list[Figure | None]:
    every: Sequence[Attribution] = () if output.attributions is None else output.attributions.sites
    sites = strongest(every)
    more = f" The {MOST_SITES} of {len(every)} sites that do most." if len(every) > len(sites) else ""
    gap, variance = gap_bars(sites), variance_bars(sites)
    shifts = (
        "How far the mean of the output moves. Alone: when only this site drops. Without: when all others drop, and "
        f"this one does not.{more}"
    )
    scatters = (
        f"How much the output scatters, relative to its squared size at inference; alone and without as above.{more}"
    )
    return [
        _figure("Which site moves the mean", gap, shifts),
        _figure("Which site makes it scatter", variance, scatters),
    ]


def _figure(title: str, drawing: Markup | None, caption: str) -> Figure | None:
    return None if drawing is None else Figure(title, drawing, caption)


def _present(found: Sequence[Figure | None]) -> list[Figure]:
    return [each for each in found if each is not None]
