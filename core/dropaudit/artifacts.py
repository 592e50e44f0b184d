"""Audits of one artifact or a pair: prepare, sample, judge."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dropaudit.findings import gravest_first, verdict_of
from dropaudit.judge.modes import (
    judge_frozen,
    judge_inference,
    judge_presence,
    judge_reference,
    judge_removed,
    judge_stacked,
)
from dropaudit.judge.outputs import compensation_of, judge_outputs, judge_pair
from dropaudit.judge.sites import MeasuredSite, judge_site, unmeasured_site
from dropaudit.judge.summary import summarize
from dropaudit.measure.case import Case, make_case
from dropaudit.measure.prepare import Prepared, prepare
from dropaudit.measure.sampling import sample
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress, Role
from dropaudit.report import Finding, Report
from dropaudit.report_parts import execution_part, output_parts, site_parts
from dropaudit.runtime.provider import Place, choose
from dropaudit.runtime.session import nodes_of_default_session
from dropaudit.subjects import ArtifactSubject, PairSubject


@dataclass(frozen=True, slots=True)
class Times:
    """Instants of `time.perf_counter`."""

    start: float
    prepared: float
    sampled: float


def audit_artifacts(
    subject: ArtifactSubject | PairSubject, plan: Plan, progress: OnProgress, cancelled: IsCancelled
) -> Report:
    """Audit one artifact or a pair. Raises AuditError; see `dropaudit.audit`."""
    start = time.perf_counter()
    progress(Progress(phase=Phase.PREPARING, max_replicates=plan.max_replicates))
    case = make_case(subject)
    place = choose(plan.provider)
    prepared = prepare(case, plan, place)
    surviving = nodes_of_default_session(case.model.proto, place) if case.model.active else frozenset()
    ready = time.perf_counter()
    state = Progress(phase=Phase.SAMPLING, max_replicates=plan.max_replicates)
    if case.model.active:
        state = sample(prepared.sampler, prepared.meters, prepared.elements, plan, progress, cancelled)
    times = Times(start, ready, time.perf_counter())
    progress(prepared.meters.progress(Phase.JUDGING, state.replicates, plan.max_replicates))
    return _report(case, prepared, surviving, state, plan, place, times)


def _report(
    case: Case,
    prepared: Prepared,
    surviving: frozenset[str],
    state: Progress,
    plan: Plan,
    place: Place,
    times: Times,
) -> Report:
    measured = [
        MeasuredSite(site, meter) for site, (meter, _, _) in zip(prepared.measured, prepared.meters.sites, strict=True)
    ]
    findings = gravest_first(_findings(case, prepared, measured, surviving, plan))
    outputs = output_parts(prepared)
    verdict = verdict_of(findings)
    return Report(
        verdict=verdict,
        summary=summarize(verdict, findings, case.model, measured, outputs),
        findings=findings,
        sites=site_parts(case.model, measured, surviving),
        outputs=outputs,
        execution=execution_part(case, prepared, state, plan, place, (times.start, times.prepared, times.sampled)),
    )


def _findings(
    case: Case, prepared: Prepared, measured: list[MeasuredSite], surviving: frozenset[str], plan: Plan
) -> list[Finding]:
    model = case.model
    findings = judge_presence(model) + judge_frozen(model) + judge_inference(model) + judge_removed(model, surviving)
    findings += judge_reference(case, prepared.reference)
    if case.inference is not None:
        findings += judge_inference(case.inference) + judge_frozen(case.inference)
    if model.role is Role.INFERENCE:
        return findings
    compensation = compensation_of(prepared.reference)
    findings += judge_stacked(model) + judge_pair(prepared.reference, compensation)
    findings += [finding for site in measured for finding in judge_site(site, compensation)]
    findings += [unmeasured_site(site) for site in model.active if site.owner is not None]
    if not judge_frozen(model):
        findings += judge_outputs({meter.name: meter for meter, _ in prepared.meters.outputs}, prepared.linear, plan)
    return findings
