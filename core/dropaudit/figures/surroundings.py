"""The operators around a site: what leads to it, what makes its mask, and what reads it."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.report import Operator, Surroundings

_STEPS = 3
_MOST_VISITED = 64
_MOST_SHOWN = 6


def surroundings_of(site: GraphSite, scopes: Iterable[Scope]) -> Surroundings | None:
    """Return the operators around a site, in the graph that holds it; None where that graph is not among `scopes`.

    x -> MatMul -> h -> [Mul] -> d -> Relu -> y        before: x, MatMul; applied: Mul; after: Relu, y
                         ^
         RandomUniformLike -> Less -> Cast             mask
    """
    scope = next((each for each in scopes if each.path == site.path), None)
    if scope is None or site.result not in scope.producers:
        return None
    way = _way_of_the_mask(site, scope)
    start = next((at for at, node in enumerate(way) if node.name == site.name), max(0, len(way) - 1))
    return Surroundings(
        before=tuple(_before(site.source, scope)),
        mask=_shown(way[:start]),
        applied=_shown(way[start:]),
        after=tuple(_after(site.result, scope)),
        readers=len(scope.consumers.get(site.result, ())),
    )


def _way_of_the_mask(site: GraphSite, scope: Scope) -> list[onnx.NodeProto]:
    """Return the nodes from the draw to the site's result, the data's own way left out, inputs before their readers."""
    found: dict[int, onnx.NodeProto] = {}
    leads = _leads(site, scope, site.result, found, set())
    return list(found.values()) if leads else [scope.producers[site.result]]


def _leads(site: GraphSite, scope: Scope, tensor: str, found: dict[int, onnx.NodeProto], visited: set[str]) -> bool:
    """Note in `found` the nodes behind a tensor that lie on a way from the draw; whether there is such a way."""
    node = scope.producers.get(tensor)
    if node is None or tensor == site.source or len(visited) >= _MOST_VISITED:
        return False
    if id(node) in found:
        return True
    if tensor in visited:
        return False
    visited.add(tensor)
    is_draw = node.name == site.maker
    leads = is_draw or any([_leads(site, scope, name, found, visited) for name in node.input if name])
    if leads:
        found[id(node)] = node
    return leads


def _shown(nodes: list[onnx.NodeProto]) -> tuple[Operator, ...]:
    """Return nodes as operators; of many the first and the last."""
    half = _MOST_SHOWN // 2
    kept = nodes if len(nodes) <= _MOST_SHOWN else [*nodes[:half], *nodes[-half:]]
    return tuple(Operator(type=node.op_type, name=node.name) for node in kept)


def _before(tensor: str, scope: Scope) -> list[Operator]:
    """Return the operators that lead to a tensor, the nearest last; what no operator makes stands by its name."""
    found: list[Operator] = []
    while tensor and len(found) < _STEPS:
        node = scope.producers.get(tensor)
        if node is None:
            found.append(Operator(type="", name=tensor))
            break
        found.append(Operator(type=node.op_type, name=node.name))
        tensor = _data_input(node, scope)
    return found[::-1]


def _data_input(node: onnx.NodeProto, scope: Scope) -> str:
    """Return the first input that is not a constant."""
    return next((name for name in node.input if name and name not in scope.constants), "")


def _after(tensor: str, scope: Scope) -> list[Operator]:
    """Return the operators that read a tensor, the nearest first, up to an output or a fork."""
    found: list[Operator] = []
    while len(found) < _STEPS:
        if tensor in scope.outputs:
            found.append(Operator(type="", name=tensor))
            break
        readers = scope.consumers.get(tensor, [])
        if not readers:
            break
        found.append(Operator(type=readers[0].op_type, name=readers[0].name))
        if len(readers) > 1 or not readers[0].output:
            break
        tensor = readers[0].output[0]
    return found
