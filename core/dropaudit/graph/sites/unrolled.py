"""Steps of one layer that an exporter unrolled, as one site."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec
import onnx
from msgspec.structs import astuple, replace

from dropaudit.graph.reading.scope import Scope, reads
from dropaudit.graph.site import GraphSite, Law

_NodesAt = Callable[[str], list[onnx.NodeProto]]
_Onward = Callable[[onnx.NodeProto], list[str]]

_FARTHEST = 24
# Laws that were measured differ by rounding.
_PRECISION = 1e-5


def merged(scope: Scope, sites: list[GraphSite]) -> list[GraphSite]:
    """Join sites that apply one draw to what the same weights made, or to what they read: the time steps of a layer.

    h0 * m, h1 * m, h2 * m with h1 and h2 from one LSTM cell, and h0 that enters it, become one site with two repeats.
    One mask on what different layers made and read stays several sites, whose masks are then found to be identical.
    """
    sources: dict[str | None, set[str]] = {}
    for site in sites:
        sources.setdefault(site.draw, set()).add(site.source)
    groups: list[list[_Step]] = []
    of_draws: dict[str | None, list[list[_Step]]] = {}
    for site in sites:
        step = _step(scope, site) if len(sources[site.draw]) > 1 else _Step(site)
        of_draw = of_draws.setdefault(site.draw, [])
        group = next((each for each in of_draw if any(step.repeats(other) for other in each)), None)
        if group is None:
            group = []
            groups.append(group)
            of_draw.append(group)
        group.append(step)
    return [_joined([step.site for step in group]) for group in groups]


class _Step(msgspec.Struct, frozen=True):
    """A site, and the weights that lie nearest before it and behind it.

    Attributes:
        site: the site.
        before: weights that made its data.
        behind: weights that its result meets.
        readers: the nodes where it meets them: each step has its own.
    """

    site: GraphSite
    before: frozenset[str] = frozenset()
    behind: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()

    def repeats(self, other: _Step) -> bool:
        """Whether both are steps of one layer."""
        made = bool(self.before) and self.before == other.before
        read = bool(self.behind) and self.behind == other.behind and not self.readers & other.readers
        return (made or read) and self.site.draw == other.site.draw and _one_law(self.site.law, other.site.law)


def _one_law(one: Law | None, other: Law | None) -> bool:
    if one is None or other is None:
        return one is other
    pairs = zip(astuple(one), astuple(other), strict=True)
    return all(math.isclose(a, b, rel_tol=_PRECISION, abs_tol=_PRECISION) for a, b in pairs)


def _step(scope: Scope, site: GraphSite) -> _Step:
    made = _nearest(scope, site.source, lambda name: _made_by(scope, name), reads)
    met = _nearest(scope, site.result, lambda name: scope.consumers.get(name, []), lambda node: list(node.output))
    return _Step(site, _weights(scope, made), _weights(scope, met), frozenset(node.output[0] for node in met))


def _made_by(scope: Scope, name: str) -> list[onnx.NodeProto]:
    return [scope.producers[name]] if name in scope.producers else []


def _nearest(scope: Scope, name: str, nodes_at: _NodesAt, onward: _Onward) -> list[onnx.NodeProto]:
    """Return the nodes that read weights and lie nearest to a tensor, on the way from `nodes_at` it `onward`."""
    waiting = [name]
    for _ in range(_FARTHEST):
        nodes = [node for each in waiting for node in nodes_at(each)]
        found = [node for node in nodes if _weights(scope, [node])]
        if found or not nodes:
            return found
        waiting = list(dict.fromkeys(name for node in nodes for name in onward(node) if name))
    return []


def _weights(scope: Scope, nodes: Iterable[onnx.NodeProto]) -> frozenset[str]:
    """Return the constant tensors with two axes or more that nodes read."""
    return frozenset(name for node in nodes for name in reads(node) if _is_weight(scope, name))


def _joined(group: list[GraphSite]) -> GraphSite:
    first, *others = group
    return replace(first, repeats=tuple(each for other in others for each in other.applications))


def _is_weight(scope: Scope, name: str) -> bool:
    return name in scope.constants and scope.constants[name].ndim >= 2 and scope.scalar(name) is None
