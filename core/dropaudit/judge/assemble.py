"""Parts of a report about artifacts, made from what was measured."""

from __future__ import annotations

import time

import msgspec

from dropaudit.figures.distribution import Distribution
from dropaudit.figures.surroundings import surroundings_of
from dropaudit.graph.origin.of_sites import nodes_by_place, origin_of
from dropaudit.graph.origin.torch_export import CodeOrigin
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.measure.case import Model
from dropaudit.measure.evidence import Evidence
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.prepare import Prepared
from dropaudit.report import (
    Attribution,
    Attributions,
    Execution,
    Family,
    Histogram,
    Implementation,
    InputTensor,
    Output,
    Scale,
    Seconds,
    Settings,
    Site,
    Stop,
)
from dropaudit.runtime.provider import runtime_version
from dropaudit.version import __version__


def site_parts(evidence: Evidence, measured: list[MeasuredSite]) -> tuple[Site, ...]:
    """Describe every site of a model; those that were measured with their numbers."""
    model, prepared = evidence.case.model, evidence.prepared
    numbers = {each.site: each for each in measured}
    sites = (*model.sites, *model.frozen_weights)
    nodes = nodes_by_place(model.proto)
    return tuple(
        msgspec.structs.replace(
            _site(site, prepared, numbers.get(site), _survives(model, site), origin_of(site, nodes)),
            surroundings=surroundings_of(site, model.scopes),
        )
        for site in sites
    )


def _survives(model: Model, site: GraphSite) -> bool:
    """Whether a default session applies a site; the runtime removes operators, never chains."""
    if site not in model.active:
        return False
    return site.implementation is not Implementation.DROPOUT_OP or site.maker in model.surviving


def _site(
    site: GraphSite, prepared: Prepared, measured: MeasuredSite | None, survives: bool, origin: CodeOrigin
) -> Site:
    declared = Site(
        name=site.name,
        path=site.path_text,
        placement=site.placement,
        implementation=site.implementation,
        declared_keep_prob=site.declared_keep_prob,
        active_in_default_session=survives,
        module=origin.module,
        location=origin.location,
    )
    if measured is None or measured.meter.cells == 0:
        return declared
    meter = measured.meter
    return msgspec.structs.replace(
        declared,
        family=measured.family,
        declared_keep_prob=site.declared_keep_prob if meter.keep_prob is None else meter.keep_prob,
        keep_prob=meter.interval,
        scale=_scale(measured),
        shared_over=prepared.shared_over(site),
        elements=meter.elements,
        keep_prob_trajectory=meter.trajectory.trajectory,
        factors=_factors(measured),
    )


def _factors(measured: MeasuredSite) -> Histogram | None:
    """Return how the factor is distributed where it is not one number."""
    if measured.factor is not None:
        return None
    found = Distribution()
    found.add(measured.meter.scale.first)
    return found.histogram


def _scale(measured: MeasuredSite) -> Scale | None:
    found = measured.meter.scale
    if found.empty:
        return None
    return Scale(min=found.lowest, median=found.median, max=found.highest, expected=_expected(measured))


def _expected(measured: MeasuredSite) -> float | None:
    """Return the factor that the site's family asks for."""
    q = measured.keep_prob
    if measured.family is Family.GAUSSIAN:
        return 1.0
    if measured.is_shifted and 0 < q < 1:
        return alpha_law(q).slope
    return 1 / q if q > 0 else None


def output_parts(evidence: Evidence) -> tuple[Output, ...]:
    """Describe every output."""
    linear, attributions = evidence.prepared.linear, evidence.attributions
    meters = (meter for meter, _ in evidence.meters.outputs)
    return tuple(_output(each, linear.get(each.name, True), attributions.get(each.name, ())) for each in meters)


def _output(meter: OutputMeter, linear: bool, attributions: tuple[Attribution, ...]) -> Output:
    return Output(
        name=meter.name,
        shape=tuple(meter.shape),
        scale_factor=meter.interval,
        zero_fraction=meter.zero_fraction,
        survivor_ratio=meter.survivor_ratio,
        linear=linear,
        time_profile=meter.time_profile,
        histogram=meter.histogram,
        attributions=Attributions(sites=attributions) if attributions else None,
        scale_factor_trajectory=meter.trajectory.trajectory,
        excerpt=meter.excerpt,
    )


def execution_part(evidence: Evidence) -> Execution:
    """Describe how the audit was made."""
    case, state, times = evidence.case, evidence.state, evidence.times
    return Execution(
        provider=evidence.place.provider.value,
        device=evidence.place.device,
        runtime_version=runtime_version(),
        seed=evidence.plan.seed,
        inputs=tuple(
            InputTensor(
                name=name, dtype=str(array.dtype), shape=array.shape, synthesized=name in case.feeds.synthesized
            )
            for name, array in case.feeds.arrays.items()
        ),
        replicates=state.replicates,
        stopped=Stop.DECIDED if state.decided_tests == state.total_tests else Stop.EXHAUSTED,
        seconds=Seconds(
            prepare=times.prepared - times.start,
            run=times.sampled - times.prepared,
            total=time.perf_counter() - times.start,
        ),
        artifacts=evidence.artifacts,
        sampling=evidence.prepared.drawing.name if case.model.active else "",
        fallbacks=evidence.fallbacks,
        placement=evidence.placement,
        sampling_reason=evidence.prepared.drawing.reason if case.model.active else "",
        device_memory_bytes=evidence.device_memory,
        version=__version__,
        settings=_settings(evidence),
    )


def _settings(evidence: Evidence) -> Settings:
    plan, case = evidence.plan, evidence.case
    return Settings(
        alpha=plan.alpha,
        tolerance=plan.tolerance,
        max_replicates=plan.max_replicates,
        provider=plan.provider.value,
        compare_provider="" if plan.compare_provider is None else plan.compare_provider.value,
        role=case.model.role.value if case.inference is None else "",
        keep_prob=case.keep_prob,
    )
