"""Parts of a report about artifacts, made from what was measured."""

from __future__ import annotations

import time

from dropaudit.graph.site import GraphSite
from dropaudit.judge.sites import MeasuredSite
from dropaudit.measure.case import Case, Model
from dropaudit.measure.meters import OutputMeter
from dropaudit.measure.prepare import Prepared
from dropaudit.plan import Plan, Progress
from dropaudit.report import Execution, Implementation, InputTensor, Output, Scale, Seconds, Site, Stop
from dropaudit.runtime.provider import Place, runtime_version


def site_parts(model: Model, measured: list[MeasuredSite], surviving: frozenset[str]) -> tuple[Site, ...]:
    """Describe every site of a model; those that were measured with their numbers."""
    by_name = {(site.site.path, site.site.name): site for site in measured}
    return tuple(
        _site(site, by_name.get((site.path, site.name)), _survives(model, site, surviving)) for site in model.sites
    )


def _survives(model: Model, site: GraphSite, surviving: frozenset[str]) -> bool:
    """Whether a default session applies a site; the runtime removes operators, never chains."""
    if site not in model.active:
        return False
    return site.implementation is not Implementation.DROPOUT_OP or site.name in surviving


def _site(site: GraphSite, measured: MeasuredSite | None, survives: bool) -> Site:
    declared = Site(
        name=site.name,
        path=site.path_text,
        placement=site.placement,
        implementation=site.implementation,
        declared_keep_prob=site.declared_keep_prob,
        active_in_default_session=survives,
    )
    if measured is None or measured.meter.cells == 0:
        return declared
    meter = measured.meter
    return Site(
        name=site.name,
        path=site.path_text,
        placement=site.placement,
        implementation=site.implementation,
        family=measured.family,
        declared_keep_prob=meter.keep_prob,
        keep_prob=meter.interval,
        scale=_scale(measured),
        active_in_default_session=survives,
        elements=meter.elements,
    )


def _scale(measured: MeasuredSite) -> Scale | None:
    found = measured.meter.scale
    if found.empty:
        return None
    expected = 1 / measured.keep_prob if measured.keep_prob > 0 else None
    return Scale(min=found.lowest, median=found.median, max=found.highest, expected=expected)


def output_parts(prepared: Prepared) -> tuple[Output, ...]:
    """Describe every output."""
    return tuple(_output(meter, prepared.linear.get(meter.name, True)) for meter, _ in prepared.meters.outputs)


def _output(meter: OutputMeter, linear: bool) -> Output:
    return Output(
        name=meter.name,
        shape=tuple(meter.shape),
        scale_factor=meter.interval,
        zero_fraction=meter.zero_fraction,
        survivor_ratio=meter.survivor_ratio,
        linear=linear,
        histogram=meter.histogram,
    )


def execution_part(
    case: Case, prepared: Prepared, state: Progress, plan: Plan, place: Place, instants: tuple[float, float, float]
) -> Execution:
    """Describe how the audit was made; `instants` are its start, the end of preparing and the end of sampling."""
    start, ready, sampled = instants
    models = [case.model] if case.inference is None else [case.model, case.inference]
    return Execution(
        provider=place.provider.value,
        device=place.device,
        runtime_version=runtime_version(),
        seed=plan.seed,
        inputs=tuple(
            InputTensor(
                name=name, dtype=str(array.dtype), shape=array.shape, synthesized=name in prepared.feeds.synthesized
            )
            for name, array in prepared.feeds.arrays.items()
        ),
        replicates=state.replicates,
        stopped=Stop.DECIDED if state.decided_tests == state.total_tests else Stop.EXHAUSTED,
        seconds=Seconds(prepare=ready - start, run=sampled - ready, total=time.perf_counter() - start),
        artifacts=tuple(model.artifact for model in models),
        sampling=prepared.sampler.name if case.model.active else "",
    )
