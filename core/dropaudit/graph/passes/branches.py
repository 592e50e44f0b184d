"""A pass that puts the branch an If takes in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import onnx
from onnx import helper

from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, graphs_of, rename, replace_nodes
from dropaudit.graph.reading.random_types import RANDOM
from dropaudit.graph.reading.scope import Scope, bodies_of, main_scope, scopes
from dropaudit.graph.reading.traversal import upstream
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.deciders import NO_SWITCHES, Positions, Switches, decider_of
from dropaudit.graph.sites.mode_switches import take_in


def open_conditions(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the tensors of the main graph, not random, that decide which branch an If takes, in it or in a body."""
    if not _chooses(model):
        return ()
    scope = main_scope(model)
    visible = set(scope.producers) | scope.inputs | set(scope.constants)
    found: list[str] = []
    for graph, path in graphs_of(model.graph):
        own = {name for node in graph.node for name in node.output} | {value.name for value in graph.input}
        conditions = (node.input[0] for node in graph.node if node.op_type == "If")
        found += [name for name in conditions if name in visible and (not path or name not in own)]
    return tuple(name for name in dict.fromkeys(found) if not _is_random(scope, name))


def _chooses(model: onnx.ModelProto) -> bool:
    return any(node.op_type == "If" for graph, _ in graphs_of(model.graph) for node in graph.node)


def _is_random(scope: Scope, name: str) -> bool:
    before = upstream(scope.producers.get, [name], inputs=lambda node: node.input)
    return any(each in scope.producers and scope.producers[each].op_type in RANDOM for each in before)


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
            nodes += _taken(graph, node, conditions[node.input[0]], list(node.output))
        else:
            nodes.append(node)
    replace_nodes(graph, nodes)


def with_random_branches_joined(model: onnx.ModelProto, also: Collection[str] = ()) -> onnx.ModelProto:
    """Compute both branches of every If of the main graph that a random operator decides, and choose among results.

    If(c) <then: Relu(x) -> a; return a> <else: return x> -> y      with c random becomes
    Relu(x) -> If_0/a ; Identity(If_0/a) -> y/then ; Identity(x) -> y/else ; Where(c, y/then, y/else) -> y

    Args:
        model: the model.
        also: names of further nodes of the main graph whose branches are joined.
    """
    if not _chooses(model):
        return model
    scope = main_scope(model)
    joined = {
        node.name
        for node in model.graph.node
        if node.op_type == "If" and (node.name in also or _is_random(scope, node.input[0]))
    }
    if not joined:
        return model
    changed = copy_of(model)
    nodes: list[onnx.NodeProto] = []
    for node in changed.graph.node:
        nodes += _joined(changed.graph, node) if node.name in joined else [node]
    replace_nodes(changed.graph, nodes)
    return changed


def is_joined(model: onnx.ModelProto, name: str) -> bool:
    """Whether both branches of an If are computed: a Where stands in its place."""
    return any(node.op_type == "Where" and node.name.rpartition("/")[0] == name for node in model.graph.node)


def _joined(graph: onnx.GraphProto, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    found: list[onnx.NodeProto] = []
    for truth, part in ((True, "then"), (False, "else")):
        own = onnx.NodeProto()
        own.CopyFrom(node)
        own.name = f"{node.name}/{part}"
        found += _taken(graph, own, truth, [f"{name}/{part}" if name else "" for name in node.output])
    choices = [
        helper.make_node("Where", [node.input[0], f"{name}/then", f"{name}/else"], [name], name=f"{node.name}/{i}")
        for i, name in enumerate(node.output)
        if name
    ]
    return found + choices


def _taken(graph: onnx.GraphProto, node: onnx.NodeProto, truth: bool, outputs: Sequence[str]) -> list[onnx.NodeProto]:
    wanted = "then_branch" if truth else "else_branch"
    branch = onnx.GraphProto()
    branch.CopyFrom(next(attribute.g for attribute in node.attribute if attribute.name == wanted))
    own = {tensor.name for tensor in branch.initializer} | {
        name for each in branch.node for name in each.output if name
    }
    names = {name: f"{node.name}/{name}" for name in own}
    rename(branch, names)
    graph.initializer.extend(branch.initializer)
    returned = [
        helper.make_node("Identity", [inside.name], [outside], name=f"{PREFIX}{outside}")
        for inside, outside in zip(branch.output, outputs, strict=True)
        if outside
    ]
    return [*branch.node, *returned]


def branch_switches(
    model: onnx.ModelProto, sites: Iterable[GraphSite], known: Switches = NO_SWITCHES
) -> dict[str, Positions]:
    """Return the graph inputs that choose between a branch with dropout sites and one with fewer.

    Args:
        model: the model.
        sites: its sites.
        known: what switches sites otherwise.

    Returns:
        By input, the value that takes the branch with sites, and the one that takes the other.
    """
    if not _chooses(model):
        return {}
    scope = main_scope(model)
    counts: dict[str, int] = {}
    drawing = [scope.path for scope in scopes(model) for node in scope.graph.node if draws(scope, node)]
    for path in (*drawing, *(site.path for site in sites)):
        for step in path:
            counts[step] = counts.get(step, 0) + 1
    found: dict[str, Positions] = {}
    for graph, _ in graphs_of(model.graph):
        for node in graph.node:
            if node.op_type != "If":
                continue
            then, other = (counts.get(f"{node.name}:{branch}", 0) for branch in ("then_branch", "else_branch"))
            decider = (
                decider_of(scope, node.input[0], {**found, **known}, truth=then > other) if then != other else None
            )
            if decider is not None:
                take_in(found, decider, then > other)
    return found
