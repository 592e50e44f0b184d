"""Whether only linear operators lie between the sites and an output."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import SHAPE_READERS, Scope, bodies_of, carried_positions, reads
from dropaudit.graph.site import GraphSite

# Linear in all of their inputs together.
_SUMS = frozenset({"Add", "Sub", "Sum", "Mean", "Concat", "Neg"})
# Linear in each of their inputs while the others stay.
_PRODUCTS = frozenset({"Mul", "MatMul", "Gemm", "Einsum", "Conv", "ConvTranspose"})
# Linear in their first input.
_FIRST = MOVES | {
    "Div", "Gather", "GatherND", "Slice", "Split", "Pad", "Tile", "ReduceSum", "ReduceMean", "AveragePool",
    "GlobalAveragePool", "CumSum", "Dropout", "DepthToSpace", "SpaceToDepth", "BatchNormalization",
}  # fmt: skip

Flow = dict[str, bool]


def reached_and_linear(scopes: Iterable[Scope], sites: Iterable[GraphSite]) -> Flow:
    """Return the outputs that sites reach; True where only linear (or affine) operators lie between.

    Gemm(drop(x), W) + b is linear, tanh(drop(x)) and LSTM(drop(x)) are not. In the body of a Scan, what goes into a
    state comes back at the next step.

    Args:
        scopes: the main graph and all bodies.
        sites: the sites that drop.
    """
    results: dict[tuple[str, ...], list[str]] = {}
    for site in sites:
        results.setdefault(site.path, []).extend(each.result for each in site.applications)
    by_path = {scope.path: scope for scope in scopes}
    main = by_path[()]
    flow = _flow(main, {}, results, by_path)
    return {value.name: flow[value.name] for value in main.graph.output if value.name in flow}


def without_effect(scopes: Iterable[Scope], sites: Iterable[GraphSite]) -> frozenset[GraphSite]:
    """Return the sites whose result no output depends on."""
    every = list(scopes)
    return frozenset(site for site in sites if not reached_and_linear(every, [site]))


_Results = dict[tuple[str, ...], list[str]]
_Scopes = dict[tuple[str, ...], Scope]


def _flow(scope: Scope, entering: Flow, results: _Results, scopes: _Scopes) -> Flow:
    """Follow what enters a graph, and the sites in it, through its nodes."""
    linear = {**entering, **dict.fromkeys(results.get(scope.path, []), True)}
    for node in scope.graph.node:
        if bodies_of(node):
            linear.update(_through_bodies(scope, node, linear, results, scopes))
            continue
        touched = [name for name in reads(node) if name in linear]
        if not touched or node.op_type in SHAPE_READERS:
            continue
        straight = _is_linear(node, set(touched)) and all(linear[name] for name in touched)
        for name in node.output:
            linear[name] = straight and linear.get(name, True)
    return linear


def _through_bodies(scope: Scope, node: onnx.NodeProto, linear: Flow, results: _Results, scopes: _Scopes) -> Flow:
    found: Flow = {}
    for step, body in bodies_of(node):
        inner = scopes[(*scope.path, step)]
        leaving = _body_flow(node, inner, linear, results, scopes)
        shift = 1 if node.op_type == "Loop" else 0
        for position, name in enumerate(node.output):
            inside = body.output[position + shift].name
            if inside in leaving:
                found[name] = leaving[inside] and found.get(name, True)
    return found


def _body_flow(node: onnx.NodeProto, inner: Scope, linear: Flow, results: _Results, scopes: _Scopes) -> Flow:
    """Follow a body until nothing new comes back through its states."""
    inputs = [value.name for value in inner.graph.input]
    pairs = zip(node.input, inputs, strict=False)
    entering = linear | {inside: linear[outside] for outside, inside in pairs if outside in linear}
    carried = carried_positions(node, inner.graph)
    for _ in range(len(carried) + 2):
        leaving = _flow(inner, entering, results, scopes)
        back = {
            inputs[position]: leaving[name] and entering.get(inputs[position], True)
            for position, returned in carried.items()
            if (name := inner.graph.output[returned].name) in leaving
        }
        if back.items() <= entering.items():
            break
        entering.update(back)
    return leaving


def _is_linear(node: onnx.NodeProto, touched: set[str]) -> bool:
    if node.op_type in _SUMS:
        return True
    if node.op_type in _PRODUCTS:
        return sum(name in touched for name in node.input) == 1
    if node.op_type == "Where":
        return node.input[0] not in touched
    return node.op_type in _FIRST and touched == {node.input[0]}
