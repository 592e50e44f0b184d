"""One graph with what surrounds each tensor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

import msgspec
import onnx
from msgspec.structs import replace

from dropaudit.graph.reading.constants import Constants, constants_of, scalar
from dropaudit.graph.reading.random_types import LIKE

# Operators that read the shape of a tensor and none of its numbers.
SHAPE_READERS = frozenset({"Shape", "Size", *LIKE.values()})


class Scope(msgspec.Struct, frozen=True, eq=False, dict=True, weakref=True):
    """A main graph or a body, indexed.

    Attributes:
        graph: the graph itself.
        path: enclosing nodes from the outside in, each as `node:attribute`; empty in the main graph.
        owner: the node that holds a body, and `outer` the scope that it lies in; None in the main graph.
        opset: version of the default operator set.
        constants: tensors whose value is known.
        producers: node by the tensor it makes.
        consumers: nodes by a tensor they read, bodies that capture it included.
    """

    graph: onnx.GraphProto
    path: tuple[str, ...]
    opset: int
    constants: Constants
    producers: dict[str, onnx.NodeProto]
    consumers: dict[str, list[onnx.NodeProto]]
    owner: onnx.NodeProto | None = None
    outer: Scope | None = None

    @cached_property
    def outputs(self) -> set[str]:
        """Names of the graph's outputs."""
        return {value.name for value in self.graph.output}

    @cached_property
    def inputs(self) -> set[str]:
        """Names that a caller can feed, defaults included."""
        return {value.name for value in self.graph.input}

    def scalar(self, name: str) -> float | None:
        """Return the number that a constant holds in all its elements, if it does."""
        return scalar(self.constants.get(name))

    def sole_consumer(self, name: str) -> onnx.NodeProto | None:
        """Return the node that alone reads a tensor; None when there are several, or the graph returns it."""
        readers = self.consumers.get(name, [])
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def sole_reader(self, name: str) -> onnx.NodeProto | None:
        """Return the node that alone reads the elements of a tensor; readers of its shape do not count."""
        readers = [node for node in self.consumers.get(name, []) if node.op_type not in SHAPE_READERS]
        return readers[0] if len(readers) == 1 and name not in self.outputs else None


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the default operator set."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def main_scope(model: onnx.ModelProto, given: Constants | None = None) -> Scope:
    """Index the main graph of a model; `given` are values of graph inputs that stay as they are."""
    opset = opset_of(model)
    scope = _scope(model.graph, (), opset, {})
    return replace(scope, constants=constants_of(model.graph, opset, given=given)) if given else scope


def scopes(model: onnx.ModelProto, given: Constants | None = None) -> Iterator[Scope]:
    """Index the main graph and, outside in, the body of every control-flow operator."""
    yield from _with_bodies(main_scope(model, given))


def _with_bodies(scope: Scope) -> Iterator[Scope]:
    yield scope
    for node in scope.graph.node:
        for step, body in bodies_of(node):
            inner = _scope(body, (*scope.path, step), scope.opset, scope.constants)
            yield from _with_bodies(replace(inner, owner=node, outer=scope))


def _scope(graph: onnx.GraphProto, path: tuple[str, ...], opset: int, outer: Constants) -> Scope:
    consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in dict.fromkeys(reads(node)):
            consumers[name].append(node)
    return Scope(
        graph=graph,
        path=path,
        opset=opset,
        constants=constants_of(graph, opset, outer),
        producers={name: node for node in graph.node for name in node.output if name},
        consumers=dict(consumers),
    )


def bodies_of(node: onnx.NodeProto) -> list[tuple[str, onnx.GraphProto]]:
    """Return the graphs a control-flow node holds, each with its step in a path, `node:attribute`."""
    return [
        (f"{node.name}:{attribute.name}", attribute.g)
        for attribute in node.attribute
        if attribute.type == onnx.AttributeProto.GRAPH
    ]


def carried_positions(node: onnx.NodeProto, body: onnx.GraphProto) -> dict[int, int]:
    """Return what a Scan or Loop carries from step to step: by position of the body's input, that of its output."""
    inputs = len(body.input)
    if node.op_type == "Loop":
        # The body takes iteration and condition first, and returns the condition.
        return {position: position - 1 for position in range(2, inputs)}
    if node.op_type == "Scan":
        scanned = next((int(attribute.i) for attribute in node.attribute if attribute.name == "num_scan_inputs"), 0)
        return {position: position for position in range(inputs - scanned)}
    return {}


def reads(node: onnx.NodeProto) -> list[str]:
    """Return the tensors a node reads, those that its bodies capture from outside included."""
    names = [name for name in node.input if name]
    for _, body in bodies_of(node):
        names += _captured(body)
    return names


def _captured(body: onnx.GraphProto) -> list[str]:
    own = {value.name for value in body.input} | {tensor.name for tensor in body.initializer}
    own |= {name for node in body.node for name in node.output}
    used = [name for node in body.node for name in reads(node)] + [value.name for value in body.output]
    return [name for name in used if name not in own]
