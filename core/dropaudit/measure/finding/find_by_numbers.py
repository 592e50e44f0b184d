"""Sites found by running what follows the draws: the algebra of noise gives the words, the numbers decide."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.draws.elementwise_region import Region, region_of
from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.draws.noise_map import IMPLEMENTATIONS, NoiseMap, body_inputs, noise_maps
from dropaudit.graph.passes.expose import can_be_exposed, exposed
from dropaudit.graph.reading.constants import Constants
from dropaudit.graph.reading.dropout_operator import switch_of
from dropaudit.graph.reading.scope import Scope, reads, scopes
from dropaudit.graph.site import GraphSite, Law, RemoteScale, Switch
from dropaudit.graph.sites.chains import drawn_sites, undrawn_operators
from dropaudit.graph.sites.extent import masking_nodes
from dropaudit.graph.sites.frozen_masks import frozen_masks
from dropaudit.graph.sites.laws import ALPHA_PRIME
from dropaudit.graph.sites.own_scale import SiteExtent, with_every_scale, with_own_scale, with_own_scale_by_element
from dropaudit.graph.sites.placement import place
from dropaudit.graph.sites.unrolled import merged
from dropaudit.measure.by_feature.scales import Rated, rated_by_element
from dropaudit.measure.finding.declared_rate import (
    Declared,
    declared_rate,
    declared_share,
    has_borders,
    measured_share,
    rates_by_element,
    shares_draws,
)
from dropaudit.measure.finding.region_sites import Applied, ElementKind, RegionReader, origin_of_mask
from dropaudit.measure.finding.region_values import RegionRunner, RegionValues
from dropaudit.measure.finding.repeated_masks import comes_masked, is_repeated
from dropaudit.measure.finding.scaled_by_rate import scaled_by_rates
from dropaudit.report import Implementation
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array

Path = tuple[str, ...]

# How far a share of a few draws may lie from the probability.
_MEASURED = 0.02
_LEAST_TELLING = 0.1


class _Inherited(msgspec.Struct, frozen=True):
    """Noise that a body sees: where it is drawn, and how often it has the larger of its two values."""

    maker: str
    implementation: Implementation
    switch: tuple[Switch, str | None, bool]
    rate: Declared | None


class _Read(msgspec.Struct, frozen=True):
    """The sites found in one scope, and the names that its bodies can see."""

    region: Region
    kinds: Mapping[str, ElementKind]
    passed_on: Mapping[str, _Inherited]


def sites_by_numbers(
    model: onnx.ModelProto, given: Constants, feeds: Mapping[str, Array], place: Device, seeds: np.random.Generator
) -> tuple[GraphSite, ...]:
    """Return the sites of a model whose nodes are named, main graph first.

    A Dropout operator on data and Gaussian noise are known by the algebra. Wherever else something is drawn, the part
    behind the draw is run over many draws, and what it makes of its data tells whether it is a mask, and which. Where
    that part cannot be run, the algebra has the word.

    Args:
        model: the model, as it is taken in its role.
        given: values of graph inputs that stay as they are.
        feeds: inputs of one train-mode run.
        place: where to run.
        seeds: source of randomness.
    """
    finder = _Finder(model, dict(feeds), place, seeds)
    return tuple(site for noise in noise_maps(scopes(model, given)) for site in finder.sites(noise))


class _Finder:
    def __init__(
        self, model: onnx.ModelProto, feeds: dict[str, Array], place: Device, seeds: np.random.Generator
    ) -> None:
        self._model = model
        self._feeds = feeds
        self._place = place
        self._seeds = seeds
        self._read: dict[Path, _Read] = {}

    def sites(self, noise: NoiseMap) -> list[GraphSite]:
        """Return the sites of one scope; scopes are asked for outside in."""
        inherited = self._inherited(noise.scope)
        region = region_of(noise, inherited)
        found = None if region is None else self._by_numbers(noise, region, inherited)
        if found is not None:
            found = [site for site in found if not is_repeated(noise, site)]
        algebra = drawn_sites(noise, found or ())
        known = algebra if found is None else [site for site in algebra if _is_known_by_algebra(site, found)]
        if found is None:
            # The shapes are not known: a mask, also one from around this body, may be larger than its data.
            known = [replace(site, broadcast_to=site.mask) for site in known]
        drawn = [*known, *(found or ())]
        order = {node.name: position for position, node in enumerate(noise.scope.graph.node)}
        drawn.sort(key=lambda site: order.get(site.name, 0))
        return [
            *drawn,
            *undrawn_operators(noise.scope),
            *frozen_masks(noise.scope, () if region is None else region.pure),
        ]

    def _by_numbers(
        self, noise: NoiseMap, region: Region, inherited: Mapping[str, _Inherited]
    ) -> list[GraphSite] | None:
        try:
            scaled = scaled_by_rates(region)
            data = self._data(region, [each.source for each in scaled.values()])
            runner = RegionRunner(region, self._model, data, self._place, self._seeds)
            values = runner.values()
        except (ExecutionFailed, InvalidModel, ValueError, TypeError, OverflowError):
            return None
        reader = RegionReader(values, partial(comes_masked, noise), scaled)
        applied = reader.read()
        self._read[region.scope.path] = _Read(region, reader.kinds, {})
        makers = {root.tensor: self._maker(noise.scope, root.tensor, region, inherited) for root in region.roots}
        self._read[region.scope.path] = _Read(region, reader.kinds, self._passed_on(region, reader, runner, makers))
        rates = {root: makers[root].rate for root in inherited}
        found: list[GraphSite] = []
        masking = masking_nodes(noise) | {each.node for each in applied}
        for each in applied:
            if _is_dropout(each):
                rated = _rated(runner, each, rates)
                found.append(_site(noise, values, each, makers, rated, {site.result for site in found}, masking))
        return merged(noise.scope, [_switched_off(site) if _is_idle(site) else site for site in found])

    def _data(self, region: Region, more: Iterable[str] = ()) -> dict[str, Array]:
        """Take what enters a region, and more, and a draw of each root from one run; in a body the last step's.

        Raises:
            InvalidModel: the runtime cannot return what lies in that body.
            ExecutionFailed: it does not run.
        """
        path = region.scope.path
        if not can_be_exposed(self._model, path):
            raise InvalidModel("what lies in this body cannot be returned")
        names = list(
            dict.fromkeys([*(root.tensor for root in region.roots), *region.entering, *_filled(region), *more])
        )
        known = {name: self._feeds[name] for name in names if not path and name in self._feeds}
        probed, probes = exposed(self._model, [_place_of(region.scope, name) for name in names if name not in known])
        found = Session(probed, self._place, self._seeds).run(self._feeds, tuple(dict.fromkeys(probes.values())))
        for (where, name), probe in probes.items():
            value = found[probe]
            for _ in where:
                if not len(value):
                    raise ExecutionFailed(f"a body around {name!r} takes no step")
                value = value[-1]
            known[name] = value
        # Zeros among other data stand for what is dropped; where there is no other, what is masked happens to be zero.
        data = {name for name in region.entering if not _is_zero(region.scope, name)}
        replaced = data or set(region.entering)
        return {name: _informative(known[name], self._seeds) if name in replaced else known[name] for name in names}

    def _maker(self, scope: Scope, tensor: str, region: Region, inherited: Mapping[str, _Inherited]) -> _Inherited:
        if tensor in inherited:
            return inherited[tensor]
        node = next(root.node for root in region.roots if root.tensor == tensor)
        assert node is not None
        switch = switch_of(scope, node) if node.op_type == "Dropout" else (Switch.ON, None, False)
        return _Inherited(node.name, IMPLEMENTATIONS[node.op_type], switch, None)

    def _passed_on(
        self, region: Region, reader: RegionReader, runner: RegionRunner, makers: Mapping[str, _Inherited]
    ) -> dict[str, _Inherited]:
        """Return the noise that bodies in a scope may see, with its rate where that is known."""
        read_inside = {
            name for node in region.scope.graph.node if node.op_type in ("Scan", "Loop", "If") for name in reads(node)
        }
        found = {}
        for name in read_inside & region.pure:
            if reader.kinds.get(name) in (ElementKind.MASK, ElementKind.NOISE):
                first = makers[min(region.touched[name])]
                rate = declared_share(runner, name, {root: made.rate for root, made in makers.items()})
                found[name] = _Inherited(first.maker, first.implementation, first.switch, rate)
        return found

    def _inherited(self, scope: Scope) -> dict[str, _Inherited]:
        """Return the noise that a body sees from outside, by its name inside."""
        outer = None if scope.outer is None else self._read.get(scope.outer.path)
        if outer is None:
            return {}
        own = scope.inputs | set(scope.producers)
        found = {name: made for name, made in outer.passed_on.items() if name not in own and name in scope.consumers}
        for outside, inside, carried, unchanged in body_inputs(scope):
            if outside in outer.passed_on and (unchanged or not carried):
                found[inside] = outer.passed_on[outside]
        return found


def _filled(region: Region) -> list[str]:
    """Return what Dropout operators that make masks read, which says what their masks keep."""
    makers = [root.node for root in region.roots if root.node is not None and root.position == 0]
    read = [node.input[0] for node in makers if node.op_type == "Dropout"]
    return [name for name in read if name not in region.scope.constants]


def _informative(value: Array, seeds: np.random.Generator) -> Array:
    """Return data as it is, or random numbers where nearly all of it is zero and would say nothing about a mask."""
    if value.dtype.kind != "f" or np.count_nonzero(value) > _LEAST_TELLING * value.size:
        return value
    return seeds.standard_normal(value.shape).astype(value.dtype)


def _is_zero(scope: Scope, name: str) -> bool:
    """Whether a tensor is zero whatever the data: x - x, or x * 0, as zeros of the data's shape are written."""
    while (node := scope.producers.get(name)) is not None and node.op_type in MOVES:
        name = node.input[0]
    if node is None:
        return False
    return (node.op_type == "Sub" and node.input[0] == node.input[1]) or (
        node.op_type == "Mul" and any(scope.scalar(each) == 0 for each in node.input)
    )


def _place_of(scope: Scope, name: str) -> tuple[Path, str]:
    """Say where a tensor that a scope reads is made: in it, or in one that encloses it."""
    while scope.outer is not None and name not in scope.producers and name not in scope.inputs:
        scope = scope.outer
    return scope.path, name


def _is_known_by_algebra(site: GraphSite, found: Iterable[GraphSite]) -> bool:
    """Dropout operators on data, and noise that multiplies data, unless the numbers have found a mask there."""
    operator = site.implementation is Implementation.DROPOUT_OP and site.maker == site.name
    noise = site.law is not None and site.law.spread > 0
    return operator or (noise and all(other.result != site.result for other in found))


def _switched_off(site: GraphSite) -> GraphSite:
    """Whether a site is off for good: it never drops, and does not scale either."""
    return replace(site, switch=Switch.OFF)


def _is_idle(site: GraphSite) -> bool:
    return site.declared_keep_prob == 1 and site.law is not None and math.isclose(site.law.slope, 1.0, rel_tol=1e-6)


def _is_dropout(applied: Applied) -> bool:
    """Whether dropped elements become zero, or the fill of alpha dropout; any other fill has its own meaning."""
    law = applied.law
    if applied.inert == 0:
        return False
    if law is None or law.fill == 0 or law.slope is None:
        return True
    return math.isclose(law.fill, law.slope * ALPHA_PRIME + law.shift, rel_tol=1e-3)


def _rated(runner: RegionRunner, applied: Applied, known: Mapping[str, Declared | None]) -> Rated:
    """Read the declared rate of a mask off the graph: one rate, or one for each element."""
    rate = declared_rate(runner, applied, known)
    plain = applied.law is not None and applied.law.fill == applied.law.shift == 0 and applied.other is None
    if rate is not None or not plain:
        return Rated(rate, share=None if rate is not None or applied.other is None else (applied.kept, _MEASURED))
    rated = rated_by_element(runner, applied, rates_by_element(runner, applied))
    undeclared = rated.rate is None and rated.rates is None
    return replace(rated, share=measured_share(runner, applied)) if undeclared else rated


def _site(
    noise: NoiseMap,
    values: RegionValues,
    applied: Applied,
    makers: Mapping[str, _Inherited],
    rated: Rated,
    taken: set[str],
    masking: set[str],
) -> GraphSite:
    scope, made = noise.scope, makers[min(applied.roots)]
    extent = _extent(noise, applied, made, rated, taken, masking)
    switch, switch_input, default_on = made.switch
    return GraphSite(
        name=applied.node,
        path=scope.path,
        implementation=made.implementation,
        placement=place(scope, extent.source, extent.result),
        declared_keep_prob=rated.rate,
        source=extent.source,
        result=extent.result,
        law=extent.law,
        mask=applied.mask,
        draw=origin_of_mask(values.region, applied.mask),
        maker=made.maker,
        remote=extent.remote,
        folded=extent.folded,
        again=extent.again,
        switch=switch,
        switch_input=switch_input,
        default_on=default_on,
        other=applied.other,
        broadcast_to=_broadcast_to(values, extent, applied.mask),
        uneven=rated.rates is None and applied.law is not None and applied.law.slope is None,
        rates=rated.rates,
        share=rated.share[0] if rated.share is not None else None,
        has_borders=has_borders(values.region, applied.mask),
        shares_draws=shares_draws(values, applied),
    )


def _broadcast_to(values: RegionValues, extent: SiteExtent, mask: str) -> str | None:
    """Return the mask where the data takes its shape."""
    data, result = values.shapes.get(extent.source), values.shapes.get(extent.result)
    return mask if data is not None and data != result == values.shapes.get(mask) else None


def _extent(
    noise: NoiseMap, applied: Applied, made: _Inherited, rated: Rated, taken: set[str], masking: set[str]
) -> SiteExtent:
    law = applied.law
    if law is None:
        whole = SiteExtent(applied.source, applied.result, Law(slope=applied.inert or 1.0))
        return whole if applied.inert is None else with_every_scale(noise, whole, masking)
    plain = SiteExtent(applied.source, applied.result, Law(slope=law.slope or 1.0, shift=law.shift, dropped=law.fill))
    if rated.rates is not None and rated.slopes is not None:
        return with_own_scale_by_element(noise, plain, rated.slopes, rated.rates.array, masking, taken)
    if law.slope is None:
        return plain
    rate = rated.rate
    # The scale goes with the rate at which the runtime draws Bernoulli, not with the declared one.
    as_run = 1 - rate if rate is not None and made.implementation is Implementation.BERNOULLI else rate
    share, error = rated.share or (law.kept, _MEASURED)
    keep_prob, error = (share, error) if as_run is None else (as_run, 0.0)

    def with_scale(span: SiteExtent) -> SiteExtent:
        return with_own_scale(noise, span, keep_prob, error, masking, taken)

    extent = with_scale(plain)
    return replace(extent, again=tuple(_with_scales(applied.again, extent, with_scale)))


def _with_scales(
    again: Iterable[RemoteScale], extent: SiteExtent, with_scale: Callable[[SiteExtent], SiteExtent]
) -> Iterator[RemoteScale]:
    """Take in the scales beside a mask, each time that it is applied again, that make all of them together right."""
    slope = extent.law.slope * (1.0 if extent.remote is None else extent.remote.factor)
    for each in again:
        last = with_scale(SiteExtent(each.source, each.result, Law(slope=slope * each.factor)))
        yield RemoteScale(last.source, last.result, last.law.slope / slope)
        slope = last.law.slope
