"""What a graph declares, without running it."""

from __future__ import annotations

from dropaudit.graph.load import parse_model
from dropaudit.graph.names import name_nodes
from dropaudit.graph.sites import find_sites
from dropaudit.report import Site


def inspect_model(content: bytes) -> tuple[Site, ...]:
    """Return the sites that an ONNX file declares; nothing is measured.

    Raises:
        InvalidModel: the content is no ONNX model.
    """
    return tuple(
        Site(
            name=site.name,
            path=site.path_text,
            placement=site.placement,
            implementation=site.implementation,
            declared_keep_prob=site.declared_keep_prob,
        )
        for site in find_sites(name_nodes(parse_model(content)))
    )
