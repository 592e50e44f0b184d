"""Sites and the user's code."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from dropaudit.graph.origin.torch_export import CodeOrigin, code_origin
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.site import GraphSite

NodePlace = tuple[tuple[str, ...], str]


def nodes_by_place(model: onnx.ModelProto) -> dict[NodePlace, onnx.NodeProto]:
    """Return the nodes of a model by the bodies they lie in and their name."""
    return {(path, node.name): node for graph, path in graphs_of(model.graph) for node in graph.node}


def origin_of(site: GraphSite, nodes: Mapping[NodePlace, onnx.NodeProto]) -> CodeOrigin:
    """Return where in the user's code a site comes from: the node that applies its mask, or the one that draws it."""
    found = (nodes.get((site.path, name)) for name in (site.name, site.maker))
    return code_origin(node for node in found if node is not None)
