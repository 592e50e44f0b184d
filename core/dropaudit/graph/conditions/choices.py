"""The places of a model where data decides whether something draws: a branch, or a Dropout's training mode."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import onnx
from msgspec.structs import replace

from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.passes.branches import open_conditions
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.passes.selections import selections_of_numbers
from dropaudit.graph.reading.scope import Scope, main_scope, scopes
from dropaudit.graph.sites.deciders import Decider, decider_of


class Choice(msgspec.Struct, frozen=True):
    """An If whose condition is neither a constant, nor random, nor a switch.

    Attributes:
        name: the node.
        condition: the tensor of the main graph that decides.
        then, other: random operators in either branch.
        is_switched: whether a switch decides, where the data lets it.
        numbers: data of one number each that lets it.
    """

    name: str
    condition: str
    then: tuple[str, ...]
    other: tuple[str, ...]
    is_switched: bool = False
    numbers: tuple[tuple[str, float], ...] = ()

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
            choice = _switched(_choice(node, path, drawing), decider, switches)
            if (choice.then or choice.other) and _is_data(decider, switches):
                found.append(choice)
    return tuple(found)


def both_draw(model: onnx.ModelProto, switches: Collection[str]) -> frozenset[str]:
    """Return the names of the choices of which either branch draws, so that no inputs show all that is drawn."""
    return frozenset(each.name for each in choices_of_data(model, switches) if each.then and each.other)


def modes_of_data(model: onnx.ModelProto, switches: Collection[str]) -> tuple[Choice, ...]:
    """Return what is switched by what is computed from data, each as a choice.

    Those are the Dropout operators of the main graph with such a training mode, and what a Where selects by it.

    Args:
        model: the model; its nodes are named.
        switches: graph inputs that choose between the modes.
    """
    modes = {node.name: node.input[2] for node in model.graph.node if node.op_type == "Dropout" and node.input[2:]}
    found = _of_operators(main_scope(model), modes, switches) if _makes_any(model.graph, set(modes.values())) else []
    for each in selections_of_numbers(model):
        then, other = ((each.name,), ()) if each.draws_when_true else ((), (each.name,))
        found.append(_switched(Choice(each.name, each.condition, then, other), each.decider, switches))
    return tuple(found)


def _of_operators(scope: Scope, modes: Mapping[str, str], switches: Collection[str]) -> list[Choice]:
    """Return the choices that are the training modes of Dropout operators, those by their names."""
    found = []
    for name, mode in modes.items():
        if mode in scope.producers and mode not in scope.constants:
            decider = decider_of(scope, mode)
            if _is_data(decider, switches):
                found.append(_switched(Choice(name, mode, (name,), ()), decider, switches))
    return found


def _makes_any(graph: onnx.GraphProto, names: Collection[str]) -> bool:
    """Whether a node makes one of some tensors, constants aside."""
    return any(name in names for node in graph.node if node.op_type != "Constant" for name in node.output)


def _is_data(decider: Decider | None, switches: Collection[str]) -> bool:
    """Whether data decides, alone or beside switches."""
    return decider is None or decider.name not in switches or bool(decider.numbers)


def _switched(choice: Choice, decider: Decider | None, switches: Collection[str]) -> Choice:
    if decider is None or decider.name not in switches:
        return choice
    return replace(choice, is_switched=True, numbers=decider.numbers)


_Drawing = list[tuple[tuple[str, ...], str]]


def _drawing(model: onnx.ModelProto) -> _Drawing:
    """Return the nodes that draw, each behind its path; a Dropout whose mode is off for good does not."""
    return [(scope.path, node.name) for scope in scopes(model) for node in scope.graph.node if draws(scope, node)]


def _choice(node: onnx.NodeProto, path: tuple[str, ...], drawing: _Drawing) -> Choice:
    def inside(branch: str) -> tuple[str, ...]:
        step = (*path, f"{node.name}:{branch}")
        return tuple(name for where, name in drawing if where[: len(step)] == step)

    return Choice(node.name, node.input[0], inside("then_branch"), inside("else_branch"))
