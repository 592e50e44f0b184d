"""Sites and declarations of a graph, without running it."""

from __future__ import annotations

import onnx

from dropaudit.errors import InvalidModel, model_errors
from dropaudit.graph.origin.of_sites import nodes_by_place, origin_of
from dropaudit.graph.reading.load import parse_model
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.report import Site


def inspect_model(content: bytes) -> tuple[Site, ...]:
    """Return the sites that an ONNX file declares; nothing is measured.

    Raises:
        InvalidModel: the content is no ONNX model, or its graph is malformed.
    """
    with model_errors():
        return _sites(name_nodes(parse_model(content)))


def _sites(proto: onnx.ModelProto) -> tuple[Site, ...]:
    try:
        onnx.checker.check_model(proto, skip_opset_compatibility_check=True)
    except onnx.checker.ValidationError as error:
        raise InvalidModel(f"the graph is malformed: {str(error).splitlines()[0]}") from error
    nodes = nodes_by_place(proto)
    return tuple(
        Site(
            name=site.name,
            path=site.path_text,
            placement=site.placement,
            implementation=site.implementation,
            declared_keep_prob=site.declared_keep_prob,
            module=origin_of(site, nodes).module,
            location=origin_of(site, nodes).location,
        )
        for site in find_sites(proto)
    )
