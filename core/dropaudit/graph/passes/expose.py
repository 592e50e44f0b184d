"""Passes that make tensors readable, those in the bodies of Scan and Loop as well, and leave out all others."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, replace_nodes
from dropaudit.graph.reading.scope import reads

# A tensor by the path of the graph it lies in, and its name.
TensorPlace = tuple[tuple[str, ...], str]


def exposed(model: onnx.ModelProto, tensors: Iterable[TensorPlace]) -> tuple[onnx.ModelProto, dict[TensorPlace, str]]:
    """Make tensors outputs of the model.

        Dropout(x) -> y ; Relu(y) -> z ; return z
        becomes      … ; Identity(y) -> dropaudit/1/y ; return z, dropaudit/1/y

    A tensor in the body of a Scan or Loop comes out with the steps along a new first axis. One that the model returns
    already, by its own name or since an earlier call, is left as it is.

    Returns:
        The model, and the name of the new output by tensor.
    """
    probed = copy_of(model)
    names: dict[TensorPlace, str] = {}
    returned = {value.name for value in model.graph.output}
    known = {name: name for name in returned} | _probes(model.graph)
    # Names of one call follow each other, and those of an earlier call on the same model come before.
    start = 1 + sum(name.startswith(PREFIX) for name in returned)
    for number, (path, tensor) in enumerate(dict.fromkeys(tensors), start=start):
        if not path and tensor in known:
            names[(path, tensor)] = known[tensor]
            continue
        name = f"{PREFIX}{start}.{number}/{tensor}"
        _expose(probed.graph, path, tensor, name)
        names[(path, tensor)] = name
    return probed, names


def narrowed(model: onnx.ModelProto, outputs: Collection[str]) -> onnx.ModelProto:
    """Return some outputs of a model alone, with the nodes that they need.

    Relu(x) -> y ; Neg(y) -> z ; return y, z      becomes, for y,      Relu(x) -> y ; return y
    """
    changed = copy_of(model)
    needed, kept = set(outputs), list[onnx.NodeProto]()
    for node in reversed(changed.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(reads(node))
    replace_nodes(changed.graph, reversed(kept))
    for position in reversed(range(len(changed.graph.output))):
        if changed.graph.output[position].name not in outputs:
            del changed.graph.output[position]
    return changed


def _probes(graph: onnx.GraphProto) -> dict[str, str]:
    """Return the tensors of a graph that an earlier call made outputs, with the names of those."""
    return {node.input[0]: node.output[0] for node in graph.node if node.name.startswith(f"{PREFIX}probe/")}


def can_be_exposed(model: onnx.ModelProto, path: tuple[str, ...]) -> bool:
    """Whether all enclosing nodes of a path collect what their steps return."""
    graph = model.graph
    for step in path:
        node, graph = _inside(graph, step)
        if node.op_type not in ("Scan", "Loop"):
            return False
    return True


def _expose(graph: onnx.GraphProto, path: tuple[str, ...], tensor: str, name: str) -> None:
    if not path:
        graph.node.append(helper.make_node("Identity", [tensor], [name], name=f"{PREFIX}probe/{name}"))
        graph.output.append(onnx.ValueInfoProto(name=name))
        return
    node, body = _inside(graph, path[0])
    inner = f"{name}/in{len(path)}"
    _expose(body, path[1:], tensor, inner)
    outer = f"{name}/out{len(path)}"
    node.output.append(outer)
    for attribute in node.attribute:
        if attribute.name in ("scan_output_axes", "scan_output_directions"):
            attribute.ints.append(0)
    graph.node.append(helper.make_node("Identity", [outer], [name], name=f"{PREFIX}probe/{name}"))
    graph.output.append(onnx.ValueInfoProto(name=name))


def _inside(graph: onnx.GraphProto, step: str) -> tuple[onnx.NodeProto, onnx.GraphProto]:
    name, _, attribute_name = step.rpartition(":")
    node = next(node for node in graph.node if node.name == name)
    body = next(attribute.g for attribute in node.attribute if attribute.name == attribute_name)
    return node, body
