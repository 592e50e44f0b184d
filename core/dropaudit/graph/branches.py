"""A pass that puts the branch an If takes in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx
from onnx import helper

from dropaudit.graph.noise import MOVES
from dropaudit.graph.rewrite import PREFIX, copy_of, graphs_of, replace_nodes
from dropaudit.graph.scope import Scope, bodies_of, main_scope
from dropaudit.graph.site import GraphSite

_RANDOM = frozenset({"RandomUniform", "RandomUniformLike", "RandomNormal", "RandomNormalLike", "Bernoulli", "Dropout"})


def open_conditions(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the tensors of the main graph, not random, that decide which branch an If takes, in it or in a body."""
    scope = main_scope(model)
    visible = set(scope.producers) | scope.inputs | set(scope.constants)
    found: list[str] = []
    for graph, path in graphs_of(model.graph):
        own = {name for node in graph.node for name in node.output} | {value.name for value in graph.input}
        conditions = (node.input[0] for node in graph.node if node.op_type == "If")
        found += [name for name in conditions if name in visible and (not path or name not in own)]
    return tuple(name for name in dict.fromkeys(found) if not _is_random(scope, name))


def _is_random(scope: Scope, name: str) -> bool:
    waiting, seen = [name], set()
    while waiting:
        node = scope.producers.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        if node.op_type in _RANDOM:
            return True
        seen.add(node.name)
        waiting += node.input
    return False


def decided(model: onnx.ModelProto, conditions: Mapping[str, bool]) -> onnx.ModelProto:
    """Replace every If whose condition is known by the branch that it takes.

    If(c) <then: Dropout(x) -> a; return a> <else: return x> -> y      with c true becomes
    Dropout(x) -> If_0/a ; Identity(If_0/a) -> y
    """
    changed = copy_of(model)
    _decide(changed.graph, conditions)
    return changed


def _decide(graph: onnx.GraphProto, conditions: Mapping[str, bool]) -> None:
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        for _, body in bodies_of(node):
            _decide(body, conditions)
        if node.op_type == "If" and node.input[0] in conditions:
            nodes += _taken(graph, node, conditions[node.input[0]])
        else:
            nodes.append(node)
    replace_nodes(graph, nodes)


def _taken(graph: onnx.GraphProto, node: onnx.NodeProto, truth: bool) -> list[onnx.NodeProto]:
    wanted = "then_branch" if truth else "else_branch"
    branch = onnx.GraphProto()
    branch.CopyFrom(next(attribute.g for attribute in node.attribute if attribute.name == wanted))
    own = {tensor.name for tensor in branch.initializer} | {
        name for each in branch.node for name in each.output if name
    }
    names = {name: f"{node.name}/{name}" for name in own}
    _rename(branch, names)
    graph.initializer.extend(branch.initializer)
    returned = [
        helper.make_node("Identity", [inside.name], [outside], name=f"{PREFIX}{outside}")
        for inside, outside in zip(branch.output, node.output, strict=True)
        if outside
    ]
    return [*branch.node, *returned]


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors other names, also where bodies capture them."""
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for value in graph.output:
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for _, body in bodies_of(node):
            shadowed = {value.name for value in body.input}
            _rename(body, {old: new for old, new in names.items() if old not in shadowed})


def branch_switches(model: onnx.ModelProto, sites: Iterable[GraphSite]) -> dict[str, bool]:
    """Return the graph inputs that choose between a branch with dropout sites and one with fewer.

    Args:
        model: the model.
        sites: its sites.

    Returns:
        By input, the value that takes the branch with sites.
    """
    scope = main_scope(model)
    counts: dict[str, int] = {}
    for site in sites:
        for step in site.path:
            counts[step] = counts.get(step, 0) + 1
    found = {}
    for graph, _ in graphs_of(model.graph):
        for node in graph.node:
            if node.op_type != "If":
                continue
            name, negated = _behind(scope, node.input[0])
            then, other = (counts.get(f"{node.name}:{branch}", 0) for branch in ("then_branch", "else_branch"))
            if name in scope.inputs and then != other:
                found[name] = (then > other) != negated
    return found


def _behind(scope: Scope, name: str) -> tuple[str, bool]:
    """Go back from a condition to the tensor it is, or is the negation of."""
    negated = False
    while name in scope.producers and scope.producers[name].op_type in MOVES | {"Not"}:
        negated ^= scope.producers[name].op_type == "Not"
        name = scope.producers[name].input[0]
    return name, negated
