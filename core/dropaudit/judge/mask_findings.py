"""Findings from exact comparison of masks, and from the places of sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Model, is_frozen
from dropaudit.measure.finding.linked_masks import INDEPENDENT, LinkedMasks
from dropaudit.measure.prepare import Prepared
from dropaudit.report import Axis, Finding, Implementation, Placement

_ON_WEIGHTS = (Placement.WEIGHT,)
_ROUNDING = 1e-6
# Of two masks of which one lies in the other, both keep what the smaller does, as far as a share is known.
_MOST_OF = 0.8


def judge_masks(model: Model, prepared: Prepared) -> list[Finding]:
    """DA401 to DA404, DA406 and DA407 of the sites that were measured."""
    study = prepared.study
    dead = model.dead
    measured = [site for site in prepared.measured if site not in dead]
    findings = [_frozen(site) for site in measured if site in study.frozen]
    for site in measured:
        axes = prepared.shared_over(site)
        on_weights = site.placement in _ON_WEIGHTS or site.source in model.scope.constants
        if Axis.BATCH in axes and not on_weights:
            findings.append(_shared_over_batch(site, axes))
        if Axis.TIME in axes and not on_weights:
            findings.append(_shared_over_time(site, axes))
    pairs = [(a, b) for a, b in (*prepared.linked.decided, *study.identical) if a not in study.frozen]
    alike = [(a, b) for a, b in dict.fromkeys(pairs) if a not in dead and b not in dead]
    findings += [_identical(alike)] if alike else []
    findings += [_replayed(site) for site in measured if site in study.replayed - study.frozen]
    dropping = (site for site in model.active if site.declared_keep_prob != 1 and site not in dead)
    return findings + [_memory(site) for site in dropping if site.placement is Placement.STATE_C]


def _frozen(site: GraphSite) -> Finding:
    return make_finding(
        FindingCode.FROZEN_MASK,
        site.name,
        message="Draws the same mask in every run of a session; independent runs would differ.",
        remedy="Find what resets the random generator: a captured graph, or a seed that is set before each run.",
    )


def _shared_over_batch(site: GraphSite, axes: tuple[Axis, ...]) -> Finding:
    return make_finding(
        FindingCode.MASK_SHARED_OVER_BATCH,
        site.name,
        message="All rows of a batch get one mask: no cell differs along the batch axis, as those of independent masks "
        "would.",
        remedy="Draw the mask in the shape of the data; TensorFlow's variational_recurrent draws [1, units].",
        sharedOver=[axis.value for axis in axes],
    )


def _shared_over_time(site: GraphSite, axes: tuple[Axis, ...]) -> Finding:
    return make_finding(
        FindingCode.MASK_SHARED_OVER_TIME,
        site.name,
        message="All time steps get one mask: locked or variational dropout.",
        remedy="Nothing to change where that is meant (Gal & Ghahramani 2016); otherwise draw a mask at each step.",
        sharedOver=[axis.value for axis in axes],
    )


def _identical(pairs: Sequence[tuple[GraphSite, GraphSite]]) -> Finding:
    (one, other), *more = pairs
    others = f"; the same holds for {len(more)} more {'pairs' if len(more) > 1 else 'pair'} of sites" if more else ""
    return make_finding(
        FindingCode.IDENTICAL_MASKS,
        other.name,
        message=f"This mask is not independent of that of {one.name!r}: in every run, the one that keeps fewer cells "
        f"keeps none that the other drops{others}.",
        remedy="Give each site a draw of its own: no seed, or different ones (0 and 1, which tf2onnx writes, are one "
        "stream).",
        first=one.name,
        sites=list(dict.fromkeys(site.name for pair in pairs for site in pair)),
    )


def _replayed(site: GraphSite) -> Finding:
    return make_finding(
        FindingCode.SEEDED_MASK,
        site.name,
        message="Two sessions draw the same masks, run after run: the graph holds a seed.",
        remedy="Remove the seed attribute from the random operator; tf2onnx writes one for unseeded operators.",
    )


def _memory(site: GraphSite) -> Finding:
    return make_finding(
        FindingCode.CELL_STATE_DROPPED,
        site.name,
        message="Drops the LSTM's memory c: what is dropped once is forgotten for all later steps.",
        remedy="Drop the hidden state h or the candidate update instead (Semeniuta et al. 2016).",
        placement=site.placement.value,
    )


def judge_correlation(model: Model, dispersion: float | None) -> list[Finding]:
    """DA405: what consecutive runs of this runtime do to operators that carry no seed."""
    operators = [site.name for site in model.active if site.implementation is Implementation.DROPOUT_OP]
    if not operators or dispersion is None:
        return []
    return [
        make_finding(
            FindingCode.RUNTIME_CORRELATED_MASKS,
            operators[0],
            message="Consecutive single runs of this runtime draw correlated Dropout masks: keep counts of single "
            f"cells scatter {dispersion:.1f} times as widely as those of independent masks, expected 1.",
            remedy="Do not average over a loop of single runs: repeat the input along the batch axis in one run, or "
            "set a random seed before each run. This audit does.",
            dispersion=dispersion,
            sites=operators,
        )
    ]


def judge_stacked(
    model: Model, linked: LinkedMasks = INDEPENDENT, kept: Mapping[GraphSite, float] | None = None
) -> list[Finding]:
    """DA203: a site whose data is another site's result, with nothing but moves between.

    Args:
        model: the model.
        linked: pairs of sites whose masks are not independent.
        kept: measured keep rate of sites; that of a second one is seen where the first has kept.
    """
    scopes = {scope.path: scope for scope in model.scopes}
    results = {(site.path, each.result): site for site in model.active for each in site.applications}
    findings = []
    for site in (each for each in model.active if not is_frozen(each)):
        first = _dropped_before(scopes[site.path], site.source, results)
        if first is not None and first is not site and not is_frozen(first):
            both = _kept_by_both(first, site, kept if (first, site) in linked.dependent else None)
            findings.append(_stacked(first, site, both))
            if (first, site) in linked.decided and _is_compensated_twice(first, site, both):
                findings.append(_compensated_twice(first, site))
    return findings


def _kept_by_both(first: GraphSite, second: GraphSite, seen: Mapping[GraphSite, float] | None) -> float | None:
    """Return the share that two masks keep together: measured where one depends on the other, otherwise declared."""
    rates = (first.declared_keep_prob, second.declared_keep_prob)
    if seen is not None:
        rates = (seen.get(first, rates[0]), seen.get(second, rates[1]))
    return None if rates[0] is None or rates[1] is None else rates[0] * rates[1]


def _is_compensated_twice(first: GraphSite, second: GraphSite, both: float | None) -> bool:
    """Whether a second mask scales what the first has scaled, and drops nothing more than the smaller of the two."""
    if second.law is None or second.law.slope * second.scale_elsewhere <= 1 + _ROUNDING or both is None:
        return False
    smaller = min(each.declared_keep_prob or 1.0 for each in (first, second))
    return both > _MOST_OF * smaller


def _compensated_twice(first: GraphSite, second: GraphSite) -> Finding:
    """Two masks that are one drop once, and two scales compensate twice."""
    return make_finding(
        FindingCode.SCALE_DOUBLED,
        second.name,
        message=f"Scales what it keeps although {first.name!r}, whose mask decides this one, has scaled it already: "
        "one mask is compensated twice.",
        remedy="Give the two sites draws of their own, without a seed or with different ones, or remove one of them.",
        first=first.name,
    )


_Results = dict[tuple[tuple[str, ...], str], GraphSite]


def _dropped_before(scope: Scope, name: str, results: _Results) -> GraphSite | None:
    """Go back over moves, and into or out of bodies, to a site's result."""
    while (scope.path, name) not in results:
        node = scope.producers.get(name)
        if node is None or node.op_type not in MOVES:
            return None
        name = node.input[0]
    return results[(scope.path, name)]


def _stacked(first: GraphSite, second: GraphSite, both: float | None) -> Finding:
    kept = "" if both is None else f": together they keep {both:.4g}"
    return make_finding(
        FindingCode.STACKED_SITES,
        second.name,
        message=f"Drops what {first.name!r} has dropped already, with no operator between them{kept}.",
        remedy="Remove one of the two, unless both are meant.",
        first=first.name,
        keepProbOfBoth=both,
    )
