"""Steps of one layer that an exporter unrolled, as one site."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from dropaudit.graph.reading.scope import Scope, reads
from dropaudit.graph.site import GraphSite

_FARTHEST = 24


def merged(scope: Scope, sites: list[GraphSite]) -> list[GraphSite]:
    """Join sites that apply one draw to what the same weights made: the time steps of a layer.

    h1 * m, h2 * m, h3 * m with h1, h2, h3 from one LSTM cell become one site with two repeats. One mask on what
    different layers made stays several sites, whose masks are then found to be identical.
    """
    groups: dict[object, list[GraphSite]] = defaultdict(list)
    for site in sites:
        is_step = any(other.draw == site.draw and other.source != site.source for other in sites)
        weights = nearest_weights(scope, site.source) if is_step else frozenset()
        groups[(site.draw, site.law, weights) if weights else site.name].append(site)
    return [_joined(group) for group in groups.values()]


def _joined(group: list[GraphSite]) -> GraphSite:
    first, *others = group
    return replace(first, repeats=tuple(each for other in others for each in other.applications))


def nearest_weights(scope: Scope, name: str) -> frozenset[str]:
    """Return the constant tensors with two axes or more that lie nearest before a tensor."""
    waiting = [name]
    for _ in range(_FARTHEST):
        nodes = [scope.producers[each] for each in waiting if each in scope.producers]
        if not nodes:
            break
        inputs = [each for node in nodes for each in reads(node)]
        weights = {each for each in inputs if _is_weight(scope, each)}
        if weights:
            return frozenset(weights)
        waiting = list(dict.fromkeys(inputs))
    return frozenset()


def _is_weight(scope: Scope, name: str) -> bool:
    return name in scope.constants and scope.constants[name].ndim >= 2 and scope.scalar(name) is None
