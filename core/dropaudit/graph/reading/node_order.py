"""A pass that puts nodes behind those whose results they read."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import onnx

from dropaudit.graph.reading.scope import bodies_of, reads


def sort_nodes(graph: onnx.GraphProto) -> None:
    """Put the nodes of a graph and of its bodies in an order in which every tensor is made before it is read.

        Mul(c, m) -> y ; Cast(x) -> c      becomes      Cast(x) -> c ; Mul(c, m) -> y

    The format asks for such an order and the runtime does not: converters to half precision append their casts at the
    end. Nodes keep their order as far as can be; a graph with a circle is left as it is, for the runtime to refuse.
    """
    for node in graph.node:
        for _, body in bodies_of(node):
            sort_nodes(body)
    if _is_in_order(graph):
        return
    order = _order(graph)
    if len(order) == len(graph.node):
        nodes = [graph.node[position] for position in order]
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del graph.node[:]
        graph.node.extend(copies)


def _is_in_order(graph: onnx.GraphProto) -> bool:
    later = {name for node in graph.node for name in node.output if name}
    for node in graph.node:
        if not later.isdisjoint(reads(node)):
            return False
        later.difference_update(node.output)
    return True


def _order(graph: onnx.GraphProto) -> list[int]:
    """Return the positions of nodes as they can be run, the first in the file first."""
    makers = {name: position for position, node in enumerate(graph.node) for name in node.output if name}
    waiting: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for position, node in enumerate(graph.node):
        needed = {makers[name] for name in reads(node) if name in makers}
        waiting[position] = len(needed)
        for each in needed:
            readers.setdefault(each, []).append(position)
    ready = [position for position, count in waiting.items() if not count]
    heapify(ready)
    order = []
    while ready:
        position = heappop(ready)
        order.append(position)
        for reader in readers.get(position, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, reader)
    return order
