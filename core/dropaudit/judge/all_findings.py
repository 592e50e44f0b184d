"""All findings about an artifact or a pair."""

from __future__ import annotations

from msgspec.structs import replace

from dropaudit.finding_code import FindingCode
from dropaudit.graph.facts.batch_moments import batch_moments
from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.judge.compensation import compensations
from dropaudit.judge.mask_findings import judge_correlation, judge_masks, judge_stacked
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.mode_findings import (
    freezes_in_one_mode,
    judge_frozen,
    judge_inference,
    judge_reference,
    judge_removed,
)
from dropaudit.judge.output_findings import (
    judge_batch_statistics,
    judge_outputs,
    judge_pair,
    judge_providers,
    unmeasured_output,
)
from dropaudit.judge.presence_findings import judge_presence
from dropaudit.judge.site_findings import judge_site, unmeasured_site
from dropaudit.measure.case import is_frozen
from dropaudit.measure.evidence import Evidence
from dropaudit.plan import Role
from dropaudit.report import Finding


def findings_of(evidence: Evidence, measured: list[MeasuredSite]) -> list[Finding]:
    """Judge modes, masks, sites and outputs; in role inference only what the modes say."""
    case, reference, health = evidence.case, evidence.prepared.reference, evidence.health
    model = case.model
    findings = judge_presence(model, reference) + judge_frozen(model) + judge_inference(model)
    findings += judge_removed(model) + judge_reference(case, reference)
    findings += judge_providers(reference.derived, health.elsewhere, evidence.plan.compare_provider)
    findings += judge_batch_statistics(reference, batch_moments(model.scope))
    if case.inference is not None:
        findings += judge_inference(case.inference) + judge_frozen(case.inference)
    return findings if model.role is Role.INFERENCE else findings + _train_findings(evidence, measured)


def _is_foreign(weights: WeightComparison, measured: list[MeasuredSite]) -> bool:
    """Whether weights differ by a factor that no site explains: neither its q or p nor one over them."""
    readings = ((f, 1 / f, 1 - f, 1 - 1 / f) for f in weights.factors)
    return any(not any(site.may_be_kept_rate(each) for site in measured for each in known) for known in readings)


def _train_findings(evidence: Evidence, measured: list[MeasuredSite]) -> list[Finding]:
    case, prepared = evidence.case, evidence.prepared
    model, pair = case.model, prepared.pair
    if pair is not None and _is_foreign(pair.weights, measured):
        # No dropout asks for such a factor: the weights are others, and nothing can be said of what makes up for what.
        pair = replace(pair, factors=None)
    kept = {site.site: site.meter.interval.estimate for site in measured if site.meter.interval is not None}
    findings = judge_stacked(model, prepared.linked, kept)
    between = compensations(pair, prepared.reference)
    if pair is not None or not freezes_in_one_mode(model):
        # A mask that is frozen in one mode is why the modes differ, with whatever scale its exporter gave it.
        findings += judge_pair(prepared.reference, pair, alike=between.explain_all)
    findings += judge_masks(model, prepared) + judge_correlation(model, evidence.health.dispersion)
    reaching = frozenset(operator.name for operator in prepared.reference.other)
    dead = model.dead
    for site in measured:
        if site.site in dead:
            continue
        findings += judge_site(site, between.of(site.site), reaching)
    seen = set(prepared.measured)
    unseen = [site for site in model.active if site not in seen | dead and not is_frozen(site)]
    left_out = prepared.left_out
    findings += [unmeasured_site(site, left_out.sites.get(site)) for site in unseen]
    findings += [unmeasured_output(name, why) for name, why in left_out.outputs.items() if name in prepared.linear]
    # The paper's form through weights moves the mean behind operators that are not linear, and is consistent.
    classic = any(finding.code == FindingCode.CLASSIC_SCALING for finding in findings)
    if not judge_frozen(model) and not classic:
        findings += judge_outputs(evidence.meters, prepared.linear, evidence.attributions, evidence.plan)
    return findings
