"""Audits of one artifact or a pair: prepare, sample, judge."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dropaudit.findings import gravest_first, verdict_of
from dropaudit.graph.batch_moments import batch_moments
from dropaudit.graph.weights import WeightComparison, compare_weights
from dropaudit.judge.compensation import compensation_of
from dropaudit.judge.masks import judge_correlation, judge_masks, judge_stacked
from dropaudit.judge.modes import judge_frozen, judge_inference, judge_presence, judge_reference, judge_removed
from dropaudit.judge.outputs import judge_batch_statistics, judge_outputs, judge_pair, judge_providers
from dropaudit.judge.sites import MeasuredSite, judge_site, unmeasured_site
from dropaudit.judge.summary import summarize
from dropaudit.measure.attribution import attribute
from dropaudit.measure.case import Case, is_frozen
from dropaudit.measure.make_case import make_case
from dropaudit.measure.prepare import Prepared, prepare
from dropaudit.measure.providers import outputs_elsewhere
from dropaudit.measure.sampling import sample
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress, Role
from dropaudit.report import Attribution, Finding, Implementation, Report
from dropaudit.report_parts import execution_part, output_parts, site_parts
from dropaudit.runtime.correlation import dispersion_of_runs
from dropaudit.runtime.provider import Place, choose
from dropaudit.runtime.session import nodes_of_default_session
from dropaudit.subjects import Array, ArtifactSubject, PairSubject


# Kernels of two providers round differently; TF32 keeps 11 bits.
PROVIDER_PRECISION = 1e-3

Attributions = Mapping[str, tuple[Attribution, ...]]


@dataclass(frozen=True, slots=True)
class Times:
    """Instants of `time.perf_counter`."""

    start: float
    prepared: float
    sampled: float


@dataclass(frozen=True, slots=True)
class Health:
    """What the runtime does by itself.

    Attributes:
        surviving: nodes that a default session leaves.
        dispersion: how consecutive runs scatter; None where they are compatible with independent ones.
        elsewhere: inference outputs on a second provider; None where they are not asked for.
    """

    surviving: frozenset[str]
    dispersion: float | None
    elsewhere: Mapping[str, Array] | None


def audit_artifacts(
    subject: ArtifactSubject | PairSubject, plan: Plan, progress: OnProgress, cancelled: IsCancelled
) -> Report:
    """Audit one artifact or a pair. Raises AuditError; see `dropaudit.audit`."""
    start = time.perf_counter()
    progress(Progress(phase=Phase.PREPARING, max_replicates=plan.max_replicates))
    place = choose(plan.provider)
    case = make_case(subject, plan, place)
    prepared = prepare(case, plan, place)
    health = _health(case, plan, place)
    ready = time.perf_counter()
    state = Progress(phase=Phase.SAMPLING, max_replicates=plan.max_replicates)
    attributions: Attributions = {}
    if case.model.active:
        state = sample(prepared.drawing.sampler, prepared.meters, prepared.elements, plan, progress, cancelled)
    if case.model.role is not Role.INFERENCE:
        attributions = attribute(case, prepared, place, np.random.default_rng(plan.seed + 1), cancelled)
    times = Times(start, ready, time.perf_counter())
    progress(prepared.meters.progress(Phase.JUDGING, state.replicates, plan.max_replicates))
    return _report(case, prepared, health, attributions, state, plan, place, times)


def _health(case: Case, plan: Plan, place: Place) -> Health:
    operators = any(site.implementation is Implementation.DROPOUT_OP for site in case.model.active)
    return Health(
        surviving=nodes_of_default_session(case.model.untouched, place) if case.model.active else frozenset(),
        dispersion=dispersion_of_runs(place) if operators else None,
        elsewhere=outputs_elsewhere(case, plan),
    )


def _report(
    case: Case,
    prepared: Prepared,
    health: Health,
    attributions: Attributions,
    state: Progress,
    plan: Plan,
    place: Place,
    times: Times,
) -> Report:
    measured = [
        MeasuredSite(site, meter) for site, (meter, _, _) in zip(prepared.measured, prepared.meters.sites, strict=True)
    ]
    findings = gravest_first(_findings(case, prepared, measured, health, attributions, plan))
    outputs = output_parts(prepared, attributions)
    verdict = verdict_of(findings)
    return Report(
        verdict=verdict,
        summary=summarize(verdict, findings, case.model, measured, outputs),
        findings=findings,
        sites=site_parts(case.model, prepared, measured, health.surviving),
        outputs=outputs,
        execution=execution_part(case, prepared, state, plan, place, (times.start, times.prepared, times.sampled)),
    )


def _findings(
    case: Case,
    prepared: Prepared,
    measured: list[MeasuredSite],
    health: Health,
    attributions: Attributions,
    plan: Plan,
) -> list[Finding]:
    model, reference = case.model, prepared.reference
    findings = judge_presence(model) + judge_frozen(model) + judge_inference(model, reference)
    findings += judge_removed(model, health.surviving) + judge_reference(case, reference)
    findings += judge_providers(reference.derived, health.elsewhere, str(plan.compare_provider), PROVIDER_PRECISION)
    findings += judge_batch_statistics(reference, batch_moments(model.scope))
    if case.inference is not None:
        findings += judge_inference(case.inference, reference) + judge_frozen(case.inference)
    if model.role is Role.INFERENCE:
        return findings
    return findings + _train_findings(case, prepared, measured, health, attributions, plan)


def _train_findings(
    case: Case,
    prepared: Prepared,
    measured: list[MeasuredSite],
    health: Health,
    attributions: Attributions,
    plan: Plan,
) -> list[Finding]:
    model = case.model
    weights = _weights(case)
    compensation = compensation_of(prepared.reference, weights.factor if weights is not None else None)
    findings = judge_stacked(model) + judge_pair(prepared.reference, weights, compensation)
    findings += judge_masks(model, prepared) + judge_correlation(model, health.dispersion)
    findings += [finding for site in measured for finding in judge_site(site, compensation)]
    hidden = set(model.active) - set(prepared.measured)
    findings += [unmeasured_site(site) for site in model.active if site in hidden and not is_frozen(site)]
    # The paper's form through weights moves the mean behind operators that are not linear, and is consistent.
    classic = any(finding.code == "DA304" for finding in findings)
    if not judge_frozen(model) and not classic:
        meters = [meter for meter, _ in prepared.meters.outputs]
        findings += judge_outputs(meters, prepared.linear, prepared.meters.tested_outputs, attributions, plan)
    return findings


def _weights(case: Case) -> WeightComparison | None:
    return None if case.inference is None else compare_weights(case.model.proto, case.inference.proto)
