"""From a case to something that can be sampled: sessions, reference outputs, masks compared, meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.facts.linear_paths import reached_and_linear
from dropaudit.graph.passes.expose import can_be_exposed
from dropaudit.graph.site import GraphSite, Law
from dropaudit.measure.by_feature.meter import RatesMeter
from dropaudit.measure.case import Case, Model, is_frozen
from dropaudit.measure.cases.axes import Grown, Labels, label_axes
from dropaudit.measure.cases.reference import Reference, deterministic, make_reference
from dropaudit.measure.comparing.left_out import LeftOut, Unmeasurable, check_shapes, naming_what_varies
from dropaudit.measure.finding.linked_masks import INDEPENDENT, LinkedMasks, linked_masks
from dropaudit.measure.finding.mask_comparison import ALPHA_SHARE, MaskStudy, study_masks
from dropaudit.measure.finding.pair_factors import PairStudy, study_pair
from dropaudit.measure.finding.scale_free import scale_free
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.meters.site_meters import ChoiceMeter, MaskMeter, NoiseMeter, SiteMeter
from dropaudit.measure.sampling.both_modes import shared_session
from dropaudit.measure.sampling.excerpt import excerpt
from dropaudit.measure.sampling.modes import NamedRuns
from dropaudit.measure.sampling.probes import SiteProbes, probe
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.measure.sampling.stochastic_part import Silent
from dropaudit.measure.sampling.strategy import SamplingStrategy, make_drawing
from dropaudit.measure.sampling.strategy_inputs import StrategyInputs
from dropaudit.plan import Plan, Role
from dropaudit.report import Axis, Implementation
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.stats.design_effect import DesignEffect
from dropaudit.subjects import Array

_PLAIN = Law(slope=1.0)
NOTHING = LeftOut()


class Prepared(msgspec.Struct, frozen=True):
    """All that sampling and judging need, and nothing that changes while they work.

    Attributes:
        linear: outputs that sites reach; True where only linear operators lie between.
        labels: names of the axes of outputs, and of the results of sites whose mask is shared, by probe.
        pair: how the artifacts of a pair relate.
        linked: pairs of sites whose masks are not independent.
        left_out: outputs and sites that cannot be measured.
        scale_free: sites whose scale changes no output.
    """

    reference: Reference
    linear: Mapping[str, bool]
    drawing: SamplingStrategy
    study: MaskStudy
    labels: Mapping[str, Labels]
    pair: PairStudy | None = None
    linked: LinkedMasks = INDEPENDENT
    left_out: LeftOut = NOTHING
    scale_free: frozenset[GraphSite] = frozenset()

    @property
    def measured(self) -> tuple[GraphSite, ...]:
        """Sites that are measured one by one, in the order of the meters."""
        return tuple(self.drawing.probes)

    @property
    def compared(self) -> Mapping[str, Array]:
        """The reference for outputs in train mode.

        The outputs at inference; where those of a pair's other artifact differ for another reason than the scale of
        sites, such as rounded weights, the train artifact's own with its sites bypassed.
        """
        alike = self.pair is None or self.pair.is_alike
        return self.reference.outputs if alike else self.reference.derived

    def shared_over(self, site: GraphSite) -> tuple[Axis, ...]:
        """Return the names of the axes along which one mask cell of a site serves."""
        axes = self.study.shared.get(site, ())
        labels = self.labels.get(self.drawing.probes[site].after, ()) if axes else ()
        found = [labels[axis] for axis in axes if axis < len(labels)]
        if site.repeats and Axis.TIME not in found:
            found.append(Axis.TIME)
        return tuple(found)


def prepare(case: Case, plan: Plan, place: Device, left_out: LeftOut = NOTHING) -> Prepared:
    """Make sessions and feeds for everything that can be measured and is not left out.

    Raises InvalidModel, InvalidTensor or ExecutionFailed.
    """
    while True:
        try:
            return _prepared(case, plan, place, left_out)
        except Unmeasurable as error:
            left_out |= error.left_out


def _prepared(case: Case, plan: Plan, place: Device, left_out: LeftOut) -> Prepared:
    seeds = np.random.default_rng(plan.seed)
    model = case.model
    silent = deterministic(model.proto, model.active)
    measured = tuple(site for site in model.active if _can_be_measured(model, site) and site not in left_out.sites)
    shared = shared_session(model, silent, measured, left_out.outputs, place, seeds)
    bypassed = Session(silent, place, seeds) if shared is None else shared.bypassed
    reference = make_reference(case, bypassed, place, seeds, left_out.outputs)
    pair = study_pair(case, silent, reference.outputs, place, seeds)
    linked = linked_masks(model.proto, measured, case.train_feeds, place, seeds)
    recipe = StrategyInputs(
        case,
        bypassed,
        measured,
        tuple(reference.outputs),
        Silent(silent, case.plain_feeds, reference.derived),
        frozenset(second for _, second in linked.dependent),
        shared,
    )
    drawing = _drawing(recipe, place, seeds)
    check_shapes(drawing, reference.outputs)
    with naming_what_varies(drawing, reference.outputs):
        study = study_masks(drawing.sketch or drawing, plan, seeds)
    return Prepared(
        reference=reference,
        linear=reached_and_linear(model.scopes, model.active),
        drawing=replace(drawing, fewest_cells=study.fewest_cells),
        study=study,
        labels=_labels(case, reference, bypassed, drawing, study, place, seeds),
        pair=pair,
        linked=linked,
        left_out=LeftOut(reference.left_out) | left_out,
        scale_free=scale_free(silent, model.scopes, measured, case.plain_feeds, reference.derived, place, seeds),
    )


def _can_be_measured(model: Model, site: GraphSite) -> bool:
    """Whether the tensors around a site can be read, and differ: a frozen mask needs no sample."""
    return can_be_exposed(model.proto, site.path) and not is_frozen(site)


def _drawing(recipe: StrategyInputs, place: Device, seeds: np.random.Generator) -> SamplingStrategy:
    """Measure the sites in bodies as well, unless the runtime cannot return what lies in a body.

    It refuses to collect a tensor of a Scan whose shape it cannot infer.
    """
    outside = tuple(site for site in recipe.measured if not site.path)
    try:
        return make_drawing(recipe, place, seeds)
    except (ExecutionFailed, InvalidModel):
        if outside == recipe.measured:
            raise
        return make_drawing(replace(recipe, measured=outside), place, seeds)


def _labels(
    case: Case,
    reference: Reference,
    bypassed: NamedRuns,
    drawing: SamplingStrategy,
    study: MaskStudy,
    place: Device,
    seeds: np.random.Generator,
) -> dict[str, Labels]:
    """Name the axes of the outputs and of the sites whose mask is shared."""
    shared = tuple(site for site, axes in study.shared.items() if axes)
    if not any(value.ndim > 2 for value in reference.outputs.values()) and not shared:
        return {}
    session = bypassed
    probes: dict[GraphSite, SiteProbes] = {}
    if shared:
        silent, probes = probe(deterministic(case.model.proto, case.model.active), shared)
        session = Session(silent, place, seeds)
    outer = {probes[site].after: drawing.probes[site].after for site in shared}
    names = (*reference.derived, *outer)
    stepped = frozenset(probes[site].after for site in shared if site.path)

    def run(feeds: dict[str, Array]) -> Mapping[str, Array]:
        # What the whole batch answers is known.
        return reference.derived if feeds is whole and not shared else session.run(feeds, names)

    whole, labels = case.plain_feeds, _axis_names(case)
    try:
        found = label_axes(run, _few(case, drawing) or whole, labels, stepped, _grown(drawing, names, labels))
    except ExecutionFailed:  # replicates are drawn from a model whose batch was freed: this one wants all of it
        found = label_axes(run, whole, labels, stepped)
    return {outer.get(name, name): labels for name, labels in found.items()}


def _few(case: Case, drawing: SamplingStrategy) -> dict[str, Array] | None:
    """Return the first entries of a large batch; None where it is not one."""
    axes = None if drawing.tiling is None else drawing.tiling.input_axes
    return excerpt(case.plain_feeds, axes, drawing.elements) if axes and drawing.sketch is not None else None


def _grown(drawing: SamplingStrategy, names: Iterable[str], labels: Mapping[str, tuple[str, ...]]) -> Grown:
    """Return what a trial has shown to grow with the batch, where the batch has a label, and no other axis has it."""
    tiling = drawing.tiling
    if tiling is None or not all(name in tiling.output_axes for name in names):
        return {}
    places = {(name, axis): label for name, own in labels.items() for axis, label in enumerate(own)}
    batch = {places.get(place, "") for place in tiling.input_axes.items()}
    alike = {place for place, label in places.items() if label in batch}
    if len(batch) != 1 or "" in batch or alike != set(tiling.input_axes.items()):
        return {}
    return {batch.pop(): {name: {tiling.output_axes[name]} for name in names}}


def _axis_names(case: Case) -> dict[str, tuple[str, ...]]:
    """Return the labels that the model gives the axes of its inputs."""
    return {
        spec.name: tuple(dim if isinstance(dim, str) and ":" not in dim else "" for dim in spec.dims)
        for spec in case.model.specs
    }


def make_meters(case: Case, prepared: Prepared, plan: Plan) -> Meters:
    """Return meters that have seen nothing."""
    judged = case.model.role is not Role.INFERENCE
    probes, labels, reference = prepared.drawing.probes, prepared.labels, prepared.compared
    judgeable = _judgeable_outputs(case, prepared) if judged else frozenset()
    tested = frozenset(name for name in judgeable if prepared.linear[name])
    declared = {site: _declared(case, site) if judged else None for site in probes}
    # One budget for the whole audit, split evenly over its tests.
    tests = len(probes) + sum(_is_noise(site) for site in probes) + len(tested)
    alpha = plan.alpha * (1 - ALPHA_SHARE) / max(1, tests)
    return Meters(
        sites=[
            (_site_meter(site, q, prepared.study.shared[site], plan, alpha), probes[site].before, probes[site].after)
            for site, q in declared.items()
        ],
        outputs=[
            (OutputMeter(name, value, plan.tolerance, alpha, _time_axis(labels, name)), name)
            for name, value in reference.items()
        ],
        tested_outputs=tested,
        noted_outputs=judgeable - tested,
        judged=judged,
    )


def _judgeable_outputs(case: Case, prepared: Prepared) -> frozenset[str]:
    """Return the outputs that sites reach, and nothing that has another law of the mean."""
    if any(is_frozen(site) for site in case.model.active):
        # Behind a frozen mask the mean is what that one mask makes of it.
        return frozenset()
    # Alpha dropout keeps mean and variance of its own input, not the output's factor; a fill has a mean of its own.
    others = [site for site in prepared.drawing.probes if _has_other_mean(site)]
    excluded = set(reached_and_linear(case.model.scopes, others))
    excluded |= {name for operator in prepared.reference.other for name in operator.outputs}
    return frozenset(name for name in prepared.reference.outputs if name in prepared.linear and name not in excluded)


def _time_axis(labels: Mapping[str, Labels], name: str) -> int | None:
    found = labels.get(name, ())
    return found.index(Axis.TIME) if Axis.TIME in found else None


def _has_other_mean(site: GraphSite) -> bool:
    return site.law is not None and not site.law.is_plain and not site.law.spread


def _is_noise(site: GraphSite) -> bool:
    return site.law is not None and site.law.spread > 0


def _declared(case: Case, site: GraphSite) -> float | None:
    """Return the keep probability to test: the caller's, otherwise one that is declared apart from the mask itself.

    A chain is what its threshold says; an operator's ratio may be taken otherwise by whoever draws.
    """
    if case.keep_prob is not None:
        return case.keep_prob
    apart = site.implementation is Implementation.DROPOUT_OP
    return site.declared_keep_prob if apart else None


def _site_meter(
    site: GraphSite, keep_prob: float | None, shared: tuple[int, ...], plan: Plan, alpha: float
) -> SiteMeter:
    law = site.law or _PLAIN
    if _is_noise(site):
        return NoiseMeter(site.name, keep_prob, law, shared, plan.tolerance, alpha)
    effect = DesignEffect() if site.shares_draws else None
    if site.rates is not None:
        return RatesMeter(site.name, site.rates, shared, alpha, effect)
    kind = MaskMeter if site.other is None else ChoiceMeter
    as_run = site.keep_prob_as_run
    # By the standard, Bernoulli keeps what the runtime drops.
    rival = site.declared_keep_prob if site.declared_keep_prob != as_run else None
    return kind(site.name, keep_prob, law, shared, alpha, site.scale_elsewhere, as_run, rival, effect)
