"""Passes that make a model measurable: derive the inference mode, expose tensors, keep masks apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.scope import bodies_of
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.report import Implementation

_PREFIX = "dropaudit/"
_NEVER = f"{_PREFIX}never"


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that a pass may change."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def without_sites(model: onnx.ModelProto, sites: Sequence[GraphSite]) -> onnx.ModelProto:
    """Derive the inference mode: the sites let everything pass.

        Dropout(x, 0.5, True) -> y          becomes      Dropout(x, 0.5, False) -> y
        Mul(x, mask) -> y                   becomes      Identity(x) -> y

    A Dropout that a graph input switches stays as it is: that input is fed False.
    """
    derived = copy_of(model)
    for graph, path in _graphs(derived.graph, ()):
        here = [site for site in sites if site.path == path]
        for site in here:
            if site.implementation is not Implementation.DROPOUT_OP:
                _bypass(graph, site)
            elif site.switch in (Switch.ON, Switch.COMPUTED):
                _switch_off(graph, site)
    return derived


def _graphs(graph: onnx.GraphProto, path: tuple[str, ...]) -> Iterable[tuple[onnx.GraphProto, tuple[str, ...]]]:
    yield graph, path
    for node in graph.node:
        for step, body in bodies_of(node):
            yield from _graphs(body, (*path, step))


def _bypass(graph: onnx.GraphProto, site: GraphSite) -> None:
    position, node = next((i, node) for i, node in enumerate(graph.node) if site.result in node.output)
    graph.node.remove(node)
    graph.node.insert(
        position, helper.make_node("Identity", [site.source], [site.result], name=f"{_PREFIX}{site.name}")
    )


def _switch_off(graph: onnx.GraphProto, site: GraphSite) -> None:
    if all(tensor.name != _NEVER for tensor in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.array(False), _NEVER))
    node = next(node for node in graph.node if node.name == site.name)
    node.input[2] = _NEVER


def exposed(model: onnx.ModelProto, tensors: Iterable[str]) -> tuple[onnx.ModelProto, dict[str, str]]:
    """Make tensors of the main graph readable.

        Dropout(x) -> y ; Relu(y) -> z ; return z
        becomes      … ; Identity(y) -> dropaudit/y ; return z, dropaudit/y

    Returns:
        The model, and the name of the new output by tensor.
    """
    probed = copy_of(model)
    names = {tensor: f"{_PREFIX}{tensor}" for tensor in dict.fromkeys(tensors)}
    for tensor, name in names.items():
        probed.graph.node.append(helper.make_node("Identity", [tensor], [name], name=f"{_PREFIX}probe/{tensor}"))
        probed.graph.output.append(onnx.ValueInfoProto(name=name))
    return probed, names


def staggered(model: onnx.ModelProto, sites: Sequence[GraphSite], paddings: Sequence[int]) -> onnx.ModelProto:
    """Make Dropout operators of one run draw from different stretches of their generators.

        Dropout(x, r, t) -> y      becomes      Dropout(Pad(Flatten(x)), r, t) -> Slice -> Reshape -> y

    ONNX Runtime seeds the second Dropout of a run with the first one's seed plus one, which correlates their
    masks position by position. Each operator still applies its own kernel to its own data.

    Args:
        sites: Dropout operators of the main graph.
        paddings: how many elements to put before the data of each; zero leaves a site as it is.
    """
    changed = copy_of(model)
    for site, padding in zip(sites, paddings, strict=True):
        if padding:
            _stagger(changed.graph, site, padding)
    return changed


def _stagger(graph: onnx.GraphProto, site: GraphSite, padding: int) -> None:
    position, node = next((i, node) for i, node in enumerate(graph.node) if node.name == site.name)

    def own(part: str) -> str:
        return f"{_PREFIX}{site.name}/{part}"

    numbers = {"flatten": [-1], "pads": [padding, 0], "begin": [padding], "end": [np.iinfo(np.int64).max]}
    for part, value in numbers.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=np.int64), own(part)))
    dropout = onnx.NodeProto()
    dropout.CopyFrom(node)
    dropout.input[0] = own("long")
    del dropout.output[:]
    dropout.output.append(own("masked"))
    steps = [
        helper.make_node("Shape", [site.source], [own("shape")], name=own("Shape")),
        helper.make_node("Reshape", [site.source, own("flatten")], [own("flat")], name=own("Flatten")),
        helper.make_node("Pad", [own("flat"), own("pads")], [own("long")], name=own("Pad")),
        dropout,
        helper.make_node("Slice", [own("masked"), own("begin"), own("end")], [own("cut")], name=own("Slice")),
        helper.make_node("Reshape", [own("cut"), own("shape")], [site.result], name=own("Reshape")),
    ]
    graph.node.remove(node)
    for offset, step in enumerate(steps):
        graph.node.insert(position + offset, step)
