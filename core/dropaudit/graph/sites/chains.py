"""Places where a drawn mask meets data, as sites."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from dropaudit.graph.draws.noise_algebra import Blend, Jittered, Masked, TwoPoint
from dropaudit.graph.draws.noise_map import NoiseMap, Origin
from dropaudit.graph.reading.dropout_operator import ratio_of, switch_of
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites.extent import extent_of, masking_nodes
from dropaudit.graph.sites.placement import place
from dropaudit.graph.sites.unrolled import merged
from dropaudit.report import Implementation


def drawn_sites(noise: NoiseMap, known: Collection[GraphSite] = ()) -> list[GraphSite]:
    """Return the places of a scope where a draw of two values, or a normal one, decides what becomes of data.

        RandomUniformLike(x) -> u ; Less(u, 0.8) -> b ; Cast(b) -> m ; Mul(x, m) -> y
        Dropout(x, 0.2, True) -> y

    are sites from x to y with the declared keep probability 0.8, at the node that makes y. Draws that are added, that
    choose between two tensors of data, or that scale it up and down around zero are noise and no site.

    Args:
        noise: what the tensors of the scope are.
        known: sites that numbers have found, of which algebra may know nothing.
    """
    found: list[GraphSite] = []
    blended, masking = _blended(noise), masking_nodes(noise).union(each.name for each in known)
    taken = {each.result for each in known}
    for node in noise.scope.graph.node:
        if not node.output or node.output[0] in blended:
            continue
        value = noise.values.get(node.output[0])
        if isinstance(value, Masked | Jittered) and _is_first(noise, node, value):
            site = _site(noise, node, value, taken, masking)
            if site is not None:
                found.append(site)
                taken.add(site.result)
    return merged(noise.scope, found)


def undrawn_operators(scope: Scope) -> list[GraphSite]:
    """Return the Dropout operators that never drop, or whose drop rate the graph computes."""
    found = []
    for node in scope.graph.node:
        if node.op_type == "Dropout" and node.domain in ("", "ai.onnx"):
            ratio, (switch, switch_input, default_on) = ratio_of(scope, node), switch_of(scope, node)
            if ratio is None or (ratio > 0 and switch is Switch.OFF):
                origin = Origin(Implementation.DROPOUT_OP, node.name, switch, switch_input, default_on)
                found.append(_undrawn(scope, node, origin, ratio))
    return found


def _undrawn(scope: Scope, node: onnx.NodeProto, origin: Origin, ratio: float | None) -> GraphSite:
    return GraphSite(
        name=node.name,
        path=scope.path,
        implementation=origin.implementation,
        placement=place(scope, node.input[0], node.output[0]),
        declared_keep_prob=None if ratio is None else 1 - ratio,
        source=node.input[0],
        result=node.output[0],
        draw=node.output[0],
        maker=node.name,
        switch=origin.switch,
        switch_input=origin.switch_input,
        default_on=origin.default_on,
        ratio_input=node.input[1] if ratio is None and node.input[1] in scope.inputs else None,
    )


def _is_first(noise: NoiseMap, node: onnx.NodeProto, value: Masked | Jittered) -> bool:
    """Whether a node is where the draw meets the data, and not a later step over the same masked data."""
    before = [noise.values.get(name) for name in node.input]
    return not any(isinstance(each, Masked | Jittered) and each.draw == value.draw for each in before)


def _blended(noise: NoiseMap) -> set[str]:
    """Return the masked halves of blends, and the first step of a layer whose later steps are blends.

    Zoneout begins with a state of zeros: m * 0 + (1 - m) * h is a half alone.
    """
    chances = {value.chance for value in noise.values.values() if isinstance(value, Blend)}
    halves: set[str] = set()
    for node in noise.scope.graph.node:
        value = noise.values.get(node.output[0]) if node.output else None
        if isinstance(value, Blend) or (isinstance(value, Masked) and _is_first_step(noise, node, value, chances)):
            halves |= {name for name in node.input if isinstance(noise.values.get(name), Masked)}
    return halves


def _is_first_step(noise: NoiseMap, node: onnx.NodeProto, value: Masked, chances: set[float]) -> bool:
    others = [noise.values.get(name) for name in node.input]
    joins_nothing = any(isinstance(each, TwoPoint) and each.hit == each.miss == 0 for each in others)
    return node.op_type == "Add" and joins_nothing and value.chance in chances


def _site(
    noise: NoiseMap, node: onnx.NodeProto, first: Masked | Jittered, taken: set[str], masking: Collection[str]
) -> GraphSite | None:
    extent = extent_of(noise, node.output[0], taken, masking)
    last = noise.values[extent.result]
    if not isinstance(last, Masked | Jittered) or not last.is_dropout:
        return None
    origin = noise.origins[first.draw]
    return GraphSite(
        name=node.name,
        path=noise.scope.path,
        implementation=origin.implementation,
        placement=place(noise.scope, extent.source, extent.result),
        declared_keep_prob=last.keep_prob,
        source=extent.source,
        result=extent.result,
        law=extent.law,
        mask=next((name for name in node.input if noise.is_noise(name, first.draw)), None),
        draw=first.draw,
        maker=origin.maker,
        remote=extent.remote,
        folded=extent.folded,
        switch=origin.switch,
        switch_input=origin.switch_input,
        default_on=origin.default_on,
        ratio_input=origin.ratio_input,
    )
