"""What exact comparison of masks and the places of sites say."""

from __future__ import annotations

from dropaudit.findings import make_finding
from dropaudit.graph.noise import MOVES
from dropaudit.graph.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Model
from dropaudit.measure.prepare import Prepared
from dropaudit.report import Axis, Finding, Implementation, Placement

_ON_WEIGHTS = (Placement.WEIGHT,)


def judge_masks(model: Model, prepared: Prepared) -> list[Finding]:
    """DA401 to DA404, DA406 and DA407 of the sites that were measured."""
    study = prepared.study
    findings = [_frozen(site) for site in prepared.measured if site in study.frozen]
    for site in prepared.measured:
        axes = prepared.shared_over(site)
        on_weights = site.placement in _ON_WEIGHTS or site.source in model.scope.constants
        if Axis.BATCH in axes and not on_weights:
            findings.append(_shared_over_batch(site, axes))
        if Axis.TIME in axes and not on_weights:
            findings.append(_shared_over_time(site, axes))
    findings += [_identical(a, b) for a, b in study.identical if a not in study.frozen]
    findings += [_replayed(site) for site in prepared.measured if site in study.replayed - study.frozen]
    return findings + [_memory(site) for site in model.active if site.placement is Placement.STATE_C]


def _frozen(site: GraphSite) -> Finding:
    return make_finding(
        "DA401",
        site.name,
        message="Draws the same mask in every run of a session; independent runs would differ.",
        remedy="Find what keeps the generator from going on: a captured graph, or a seed that is set before each run.",
    )


def _shared_over_batch(site: GraphSite, axes: tuple[Axis, ...]) -> Finding:
    return make_finding(
        "DA402",
        site.name,
        message="All rows of a batch get one mask: no cell differs along the batch axis, independent masks would.",
        remedy="Draw the mask in the shape of the data; TensorFlow's variational_recurrent draws [1, units].",
        sharedOver=[axis.value for axis in axes],
    )


def _shared_over_time(site: GraphSite, axes: tuple[Axis, ...]) -> Finding:
    return make_finding(
        "DA403",
        site.name,
        message="All time steps get one mask: locked or variational dropout.",
        remedy="Nothing to change where that is meant (Gal & Ghahramani 2016); otherwise draw a mask at each step.",
        sharedOver=[axis.value for axis in axes],
    )


def _identical(one: GraphSite, other: GraphSite) -> Finding:
    return make_finding(
        "DA404",
        other.name,
        message=f"Always draws the mask that {one.name!r} draws: no cell ever differs.",
        remedy="Give each site a draw of its own: no seed, or different ones (0 and 1, which tf2onnx writes, are one "
        "stream).",
        first=one.name,
    )


def _replayed(site: GraphSite) -> Finding:
    return make_finding(
        "DA406",
        site.name,
        message="Two sessions draw the same masks, run after run: the graph holds a seed.",
        remedy="Remove the seed attribute from the random operator; tf2onnx writes one for unseeded operators.",
    )


def _memory(site: GraphSite) -> Finding:
    return make_finding(
        "DA407",
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
            "DA405",
            operators[0],
            message="Consecutive single runs of this runtime draw correlated Dropout masks: keep counts of single "
            f"cells scatter {dispersion:.1f} times as widely as those of independent masks, expected 1.",
            remedy="Do not average over a loop of single runs: repeat the input along the batch axis in one run, or "
            "set a random seed before each run. This audit does.",
            dispersion=dispersion,
            sites=operators,
        )
    ]


def judge_stacked(model: Model) -> list[Finding]:
    """DA203: a site whose data is another site's result, with nothing but moves between."""
    scopes = {scope.path: scope for scope in model.scopes}
    results = {(site.path, each.result): site for site in model.active for each in site.applications}
    findings = []
    for site in model.active:
        first = _dropped_before(scopes[site.path], site.source, results)
        if first is not None and first is not site:
            findings.append(_stacked(first, site))
    return findings


_Results = dict[tuple[tuple[str, ...], str], GraphSite]


def _dropped_before(scope: Scope, name: str, results: _Results) -> GraphSite | None:
    """Go back over moves, and into or out of bodies, to a site's result."""
    while (scope.path, name) not in results:
        node = scope.producers.get(name)
        if node is None or node.op_type not in MOVES:
            return None
        name = node.input[0]
    return results[(scope.path, name)]


def _stacked(first: GraphSite, second: GraphSite) -> Finding:
    both = None
    if first.declared_keep_prob is not None and second.declared_keep_prob is not None:
        both = first.declared_keep_prob * second.declared_keep_prob
    kept = "" if both is None else f": together they keep {both:.4g}"
    return make_finding(
        "DA203",
        second.name,
        message=f"Drops what {first.name!r} has dropped already, with no operator between them{kept}.",
        remedy="Remove one of the two, unless both are meant.",
        first=first.name,
        keepProbOfBoth=both,
    )
