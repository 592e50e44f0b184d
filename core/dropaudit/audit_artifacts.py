"""Audits of one artifact or a pair: prepare, sample, judge."""

from __future__ import annotations

import dataclasses
import time
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, OutOfMemory, RewritingFailed, own_mistakes
from dropaudit.files.model_files import loaded, sha256_of, size_of
from dropaudit.findings import gravest_first, verdict_of
from dropaudit.judge.all_findings import findings_of
from dropaudit.judge.assemble import execution_part, output_parts, site_parts
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.summary import summarize
from dropaudit.measure.attribution import attribute
from dropaudit.measure.cache import Cache, PreparedCase, key_of
from dropaudit.measure.case import Case
from dropaudit.measure.cases.build_case import check_kept_dropout, make_case
from dropaudit.measure.cases.device_choice import place_of
from dropaudit.measure.cases.second_provider import outputs_elsewhere
from dropaudit.measure.comparing.left_out import Unmeasurable, naming_what_varies
from dropaudit.measure.evidence import Attributions, Evidence, Health, PhaseTimes
from dropaudit.measure.prepare import Prepared, make_meters, prepare
from dropaudit.measure.sampling.sequential_loop import Meters, sample
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress, Provider, Role
from dropaudit.report import Artifact, Implementation, Report
from dropaudit.runtime.correlation import dispersion_of_runs
from dropaudit.runtime.cuda import device_memory
from dropaudit.runtime.oom_fallback import FallbackSampler, Note, on_first_that_fits
from dropaudit.runtime.provider import Device
from dropaudit.subjects import ArtifactSubject, PairSubject

# Streams of random numbers beside that of the inputs.
_MASKS, _ATTRIBUTION = 1, 2
CACHE = Cache()


def audit_artifacts(
    subject: ArtifactSubject | PairSubject, plan: Plan, progress: OnProgress, cancelled: IsCancelled
) -> Report:
    """Audit one artifact or a pair. Raises AuditError; see `dropaudit.audit`."""
    saved: list[str] = []
    subject = _loaded(subject)
    artifacts = artifacts_of(subject)
    placed = place_of(subject, plan)

    def run(place: Device, note: Note) -> Evidence:
        return _measured(subject, artifacts, plan, place, note, progress, cancelled)

    evidence = on_first_that_fits(placed.places, run, saved)
    return _report(replace(evidence, fallbacks=tuple(saved), placement=placed.reason))


def _loaded(subject: ArtifactSubject | PairSubject) -> ArtifactSubject | PairSubject:
    """Read the files of a subject, once: what is named, measured and compared is the same content."""
    if isinstance(subject, PairSubject):
        return dataclasses.replace(subject, train=loaded(subject.train), inference=loaded(subject.inference))
    return dataclasses.replace(subject, model=loaded(subject.model))


def artifacts_of(subject: ArtifactSubject | PairSubject) -> tuple[Artifact, ...]:
    """Name the files of a subject: a digest of a large one takes as long as much of an audit, and is computed once."""
    contents = (subject.train, subject.inference) if isinstance(subject, PairSubject) else (subject.model,)
    return tuple(Artifact(sha256=sha256_of(content), bytes=size_of(content)) for content in contents)


def _measured(
    subject: ArtifactSubject | PairSubject,
    artifacts: tuple[Artifact, ...],
    plan: Plan,
    place: Device,
    note: Note,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> Evidence:
    start = time.perf_counter()
    progress(Progress(phase=Phase.PREPARING, max_replicates=plan.max_replicates))
    key, size = key_of(subject, artifacts, plan, place), sum(each.bytes for each in artifacts)
    ready = CACHE.get(key, size, lambda: _made_ready(subject, plan, place))
    case, prepared = ready.case, ready.prepared
    health = _health(case, plan, place)
    begun = time.perf_counter()
    state = Progress(phase=Phase.SAMPLING, max_replicates=plan.max_replicates)
    attributions: Attributions = {}
    with _own_mistakes_on(place):
        if case.model.active:
            prepared, meters, state = _sampled(case, prepared, plan, place, note, progress, cancelled)
        else:
            meters = make_meters(case, prepared, plan)
        if case.model.role is not Role.INFERENCE:
            attributions = attribute(case, prepared, np.random.default_rng([plan.seed, _ATTRIBUTION]), cancelled)
    times = PhaseTimes(start, begun, time.perf_counter())
    progress(meters.progress(Phase.JUDGING, state.replicates, plan.max_replicates))
    return Evidence(
        artifacts, case, prepared, meters, health, attributions, state, plan, place, times, device_memory=_taken(place)
    )


def _sampled(
    case: Case, prepared: Prepared, plan: Plan, place: Device, note: Note, progress: OnProgress, cancelled: IsCancelled
) -> tuple[Prepared, Meters, Progress]:
    """Draw replicates; where the shape of a tensor turns out to vary, start again without what is measured by it."""
    while True:
        meters = make_meters(case, prepared, plan)
        sampler = prepared.drawing.sampler(np.random.default_rng([plan.seed, _MASKS]))
        try:
            with naming_what_varies(prepared.drawing, prepared.reference.outputs):
                return prepared, meters, sample(FallbackSampler(sampler, note), meters, plan, progress, cancelled)
        except Unmeasurable as error:
            prepared = prepare(case, plan, place, prepared.left_out | error.left_out)
        except ExecutionFailed as error:
            if not prepared.drawing.loops or isinstance(error, OutOfMemory):
                raise
            # An iteration that returns another shape than the first ends a loop; single runs tell which tensor it is.
            prepared = replace(prepared, drawing=prepared.drawing.one_by_one("a run of many replicates did not end"))


def _taken(place: Device) -> int:
    memory = None if place.provider is Provider.CPU else device_memory()
    return 0 if memory is None else memory.total - memory.free


def _own_mistakes_on(place: Device) -> AbstractContextManager[None]:
    """Another provider may have no kernel for what the artifact holds; the CPU has accepted it."""
    return own_mistakes() if place.provider is Provider.CPU else nullcontext()


def _made_ready(subject: ArtifactSubject | PairSubject, plan: Plan, place: Device) -> PreparedCase:
    case = make_case(subject, plan, place)
    try:
        with _own_mistakes_on(place):
            return PreparedCase(case, prepare(case, plan, place))
    except RewritingFailed:
        # The artifact itself may be what is refused: it was accepted with its dropout deleted.
        for model in filter(None, (case.model, case.inference)):
            check_kept_dropout(model.untouched, place)
        raise


def _health(case: Case, plan: Plan, place: Device) -> Health:
    operators = any(site.implementation is Implementation.DROPOUT_OP for site in case.model.active)
    return Health(
        dispersion=dispersion_of_runs(place) if operators else None,
        elsewhere=outputs_elsewhere(case, plan),
    )


def _report(evidence: Evidence) -> Report:
    meters = (meter for meter, _, _ in evidence.meters.sites)
    prepared = evidence.prepared
    dependent = {second for _, second in prepared.linked.dependent}
    pairs = zip(prepared.measured, meters, strict=True)
    measured = [MeasuredSite(site, meter, site in dependent, site in prepared.scale_free) for site, meter in pairs]
    findings = gravest_first(findings_of(evidence, measured))
    outputs = output_parts(evidence)
    verdict = verdict_of(findings)
    return Report(
        verdict=verdict,
        summary=summarize(verdict, findings, evidence.case.model, measured, outputs),
        findings=findings,
        sites=site_parts(evidence, measured),
        outputs=outputs,
        execution=execution_part(evidence),
    )
