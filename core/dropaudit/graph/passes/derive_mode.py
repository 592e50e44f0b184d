"""Passes that derive a mode: let sites pass everything on, put other noise at its mean, take batch statistics out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.reading.random_types import RANDOM
from dropaudit.graph.reading.scope import bodies_of
from dropaudit.graph.site import Application, GraphSite, Switch
from dropaudit.report import Implementation

PREFIX = "dropaudit/"
_NEVER = f"{PREFIX}never"
_TRAINABLE = "BatchNormalization"


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that a pass may change."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def graphs_of(graph: onnx.GraphProto, path: tuple[str, ...] = ()) -> Iterator[tuple[onnx.GraphProto, tuple[str, ...]]]:
    """Yield a graph and all bodies in it, each with its path."""
    yield graph, path
    for node in graph.node:
        for step, body in bodies_of(node):
            yield from graphs_of(body, (*path, step))


def rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors of a graph other names, also where bodies capture them; the graph is changed, but for its inputs."""
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for value in graph.output:
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for _, body in bodies_of(node):
            shadowed = {value.name for value in body.input}
            rename(body, {old: new for old, new in names.items() if old not in shadowed})


def without_sites(model: onnx.ModelProto, sites: Sequence[GraphSite]) -> onnx.ModelProto:
    """Derive the inference mode: the sites let everything pass.

    Dropout(x, 0.5, True) -> y          becomes      Dropout(x, 0.5, False) -> y
    Div(x, q) -> s ; Dropout(s, 0.5, True) -> y          becomes      Dropout(x, 0.5, False) -> y
    Mul(x, mask) -> y                   becomes      Identity(x) -> y
    Mul(x, 3 / q) -> s ; Mul(s, mask) -> y                   becomes      Mul(s, q) -> y
    Mul(x, mask) -> y with a smaller x  becomes      Expand(x, Shape(mask)) -> y
    """
    derived = copy_of(model)
    for graph, path in graphs_of(derived.graph):
        for site in sites:
            if site.path == path and site.source != site.result:
                _silence(derived, graph, site)
    return derived


def is_silent(model: onnx.ModelProto) -> bool:
    """Whether nothing is left that could draw: no operator but Dropouts that `without_sites` has switched off."""
    nodes = (node for graph, _ in graphs_of(model.graph) for node in graph.node if node.op_type in RANDOM)
    return all(node.op_type == "Dropout" and list(node.input[2:]) == [_NEVER] for node in nodes)


def _silence(model: onnx.ModelProto, graph: onnx.GraphProto, site: GraphSite) -> None:
    own_operator = site.implementation is Implementation.DROPOUT_OP and site.maker == site.name and not site.mask
    if own_operator:
        # What reads its mask does so in this mode too.
        if site.switch is not Switch.OFF:
            _switch_off(model, graph, site)
        if site.result in _node(graph, site.name).output:
            return
    if site.other is not None:
        _mix(graph, site, float_type(model))
        return
    for application in site.applications:
        _bypass(graph, _broadcast(graph, application), site.folded, float_type(model))
    for scale in (*site.again, *([] if site.remote is None else [site.remote])):
        _bypass(graph, Application(scale.source, scale.result))


def _node(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    return next(node for node in graph.node if node.name == name)


def _broadcast(graph: onnx.GraphProto, application: Application) -> Application:
    """Give the data of an application the shape that its result has, where it is smaller."""
    like = application.broadcast_to
    if like is None:
        return application
    position = next(i for i, node in enumerate(graph.node) if application.result in node.output)
    data = f"{PREFIX}{application.result}/data"
    for offset, step in enumerate(stretched(application.source, like, data, name=data)):
        graph.node.insert(position + offset, step)
    return Application(data, application.result)


def stretched(data: str, like: str, result: str, *, name: str) -> tuple[onnx.NodeProto, onnx.NodeProto]:
    """Return the nodes that give data the shape of another tensor: Shape(like) -> s ; Expand(data, s) -> result.

    Args:
        data: what is stretched.
        like: a tensor of the shape.
        result: what comes out.
        name: of the Expand.
    """
    own = result if result.startswith(PREFIX) else f"{PREFIX}{result}"
    shape = f"{own}/shape"
    return (
        helper.make_node("Shape", [like], [shape], name=shape),
        helper.make_node("Expand", [data, shape], [result], name=name),
    )


def _bypass(
    graph: onnx.GraphProto, application: Application, folded: float | None = None, dtype: np.dtype[Any] | None = None
) -> None:
    """Let an application pass everything on; a scale that is folded into a factor beside it is taken out."""
    position, node = next((i, node) for i, node in enumerate(graph.node) if application.result in node.output)
    name = f"{PREFIX}{application.result}"
    inputs = [application.source]
    if folded is not None:
        graph.initializer.append(numpy_helper.from_array(np.array(1 / folded, dtype=dtype), f"{name}/unfold"))
        inputs.append(f"{name}/unfold")
    passing = helper.make_node("Identity" if folded is None else "Mul", inputs, [application.result], name=name)
    graph.node.remove(node)
    graph.node.insert(position, passing)


def _mix(graph: onnx.GraphProto, site: GraphSite, dtype: np.dtype[Any]) -> None:
    """Take both tensors of a choice in the shares in which each is taken.

    Where(m, x, y) -> z      becomes      Add(Mul(x, q), Mul(y, 1 - q)) -> z
    """
    position, node = next((i, node) for i, node in enumerate(graph.node) if site.result in node.output)
    own, share = f"{PREFIX}{site.result}", site.keep_prob_as_run
    share = site.share if share is None else share
    share = 0.5 if share is None else share
    for part, value in (("share", share), ("rest", 1 - share)):
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=dtype), f"{own}/{part}"))
    steps = [
        helper.make_node("Mul", [site.source, f"{own}/share"], [f"{own}/taken"], name=f"{own}/taken"),
        helper.make_node("Mul", [site.other or "", f"{own}/rest"], [f"{own}/left"], name=f"{own}/left"),
        helper.make_node("Add", [f"{own}/taken", f"{own}/left"], [site.result], name=own),
    ]
    graph.node.remove(node)
    for offset, step in enumerate(steps):
        graph.node.insert(position + offset, step)


def float_type(model: onnx.ModelProto) -> np.dtype[Any]:
    """Return the floating-point type that the model computes in: its outputs'."""
    for value in (*model.graph.output, *model.graph.input):
        dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type or onnx.TensorProto.FLOAT)
        if dtype.kind == "f":
            return dtype
    return np.dtype(np.float32)


def _switch_off(model: onnx.ModelProto, graph: onnx.GraphProto, site: GraphSite) -> None:
    if all(tensor.name != _NEVER for tensor in model.graph.initializer):
        model.graph.initializer.append(numpy_helper.from_array(np.array(False), _NEVER))
    node = _node(graph, site.name)
    # Before it there may be a scale of its own, which goes as one behind it does.
    node.input[0], node.input[2] = site.source, _NEVER


def trains_batch_statistics(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the BatchNormalization nodes that use the statistics of the batch."""
    return tuple(
        node.name for graph, _ in graphs_of(model.graph) for node in graph.node if _training_mode(node) is not None
    )


def without_batch_statistics(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let every BatchNormalization use its running statistics.

    BatchNormalization<training_mode = 1>(x, s, b, m, v) -> y, m2, v2
    becomes      BatchNormalization(x, s, b, m, v) -> y ; Identity(m) -> m2 ; Identity(v) -> v2
    """
    return _rewritten(model, _with_running_statistics)


def _training_mode(node: onnx.NodeProto) -> onnx.AttributeProto | None:
    if node.op_type != _TRAINABLE:
        return None
    return next((attribute for attribute in node.attribute if attribute.name == "training_mode" and attribute.i), None)


def _with_running_statistics(node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    if _training_mode(node) is None:
        return None
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    mode = _training_mode(changed)
    assert mode is not None
    mode.i = 0
    del changed.output[1:]
    kept = [(source, name) for source, name in zip(node.input[3:5], node.output[1:3], strict=False) if name]
    return [changed, *(helper.make_node("Identity", [source], [name], name=f"{PREFIX}{name}") for source, name in kept)]


def _rewritten(
    model: onnx.ModelProto, replacement: Callable[[onnx.NodeProto], list[onnx.NodeProto] | None]
) -> onnx.ModelProto:
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            found = replacement(node)
            nodes += [node] if found is None else found
        replace_nodes(graph, nodes)
    return changed


def replace_nodes(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Give a graph other nodes."""
    copies = []
    for node in nodes:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copies.append(copied)
    del graph.node[:]
    graph.node.extend(copies)
