"""The places of a model where data decides whether something draws: a branch, or a Dropout's training mode."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import onnx

from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.passes.branches import open_conditions
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.reading.scope import main_scope, scopes
from dropaudit.graph.sites.mode_switches import decider_of


class Choice(msgspec.Struct, frozen=True):
    """An If whose condition is neither a constant, nor random, nor a switch.

    Attributes:
        name: the node.
        condition: the tensor of the main graph that decides.
        then, other: random operators in either branch.
    """

    name: str
    condition: str
    then: tuple[str, ...]
    other: tuple[str, ...]

    def left_out(self, truth: bool) -> tuple[str, ...]:
        """Return what is not drawn where the condition is `truth`."""
        return self.other if truth else self.then

    def branch_left_out(self, truth: bool) -> str:
        """Return the name of the branch that is not taken then."""
        return "else_branch" if truth else "then_branch"


def choices_of_data(model: onnx.ModelProto, switches: Collection[str]) -> tuple[Choice, ...]:
    """Return the choices between branches of which one at least draws.

    Args:
        model: the model; its nodes are named.
        switches: graph inputs that choose between the modes.
    """
    if not any(node.op_type == "If" for graph, _ in graphs_of(model.graph) for node in graph.node):
        return ()
    scope = main_scope(model)
    visible = {name for name in open_conditions(model) if name not in scope.constants}
    drawing = _drawing(model)
    found = []
    for graph, path in graphs_of(model.graph):
        for node in graph.node:
            if node.op_type != "If" or node.input[0] not in visible:
                continue
            decider = decider_of(scope, node.input[0])
            choice = _choice(node, path, drawing)
            if (choice.then or choice.other) and (decider is None or decider.name not in switches):
                found.append(choice)
    return tuple(found)


def modes_of_data(model: onnx.ModelProto, switches: Collection[str]) -> tuple[Choice, ...]:
    """Return the Dropout operators of the main graph whose training mode is computed from data, each as a choice.

    Args:
        model: the model; its nodes are named.
        switches: graph inputs that choose between the modes.
    """
    scope = main_scope(model)
    found = []
    for node in scope.graph.node:
        mode = node.input[2] if node.op_type == "Dropout" and len(node.input) > 2 else ""
        if mode in scope.producers and mode not in scope.constants:
            decider = decider_of(scope, mode)
            if decider is None or decider.name not in switches:
                found.append(Choice(node.name, mode, (node.name,), ()))
    return tuple(found)


_Drawing = list[tuple[tuple[str, ...], str]]


def _drawing(model: onnx.ModelProto) -> _Drawing:
    """Return the nodes that draw, each behind its path; a Dropout whose mode is off for good does not."""
    return [(scope.path, node.name) for scope in scopes(model) for node in scope.graph.node if draws(scope, node)]


def _choice(node: onnx.NodeProto, path: tuple[str, ...], drawing: _Drawing) -> Choice:
    def inside(branch: str) -> tuple[str, ...]:
        step = (*path, f"{node.name}:{branch}")
        return tuple(name for where, name in drawing if where[: len(step)] == step)

    return Choice(node.name, node.input[0], inside("then_branch"), inside("else_branch"))
