"""Sites and declarations of a graph, without running it."""

from __future__ import annotations

from dropaudit.errors import model_errors
from dropaudit.files.model_files import ModelContent, loaded
from dropaudit.graph.origin.of_sites import nodes_by_place, origin_of
from dropaudit.measure.cases.build_case import accepted
from dropaudit.plan import Provider
from dropaudit.report import Site
from dropaudit.runtime.provider import choose


def inspect_model(content: ModelContent) -> tuple[Site, ...]:
    """Return the sites that a model declares; nothing is measured.

    A model that is refused here is refused by an audit too, for the same reason; and the other way round, except for
    errors that only a run shows.

    Raises:
        UnreadableFile: a file of it cannot be read.
        InvalidModel: the content is not an ONNX model, or the runtime refuses it.
        ExecutionFailed: a node asks for what no run can give.
        ProviderUnavailable: there is no runtime.
    """
    with model_errors():
        found = accepted(loaded(content), choose(Provider.CPU))
    nodes = nodes_by_place(found.proto)
    origins = [origin_of(site, nodes) for site in found.sites]
    return tuple(
        Site(
            name=site.name,
            path=site.path_text,
            placement=site.placement,
            implementation=site.implementation,
            declared_keep_prob=site.declared_keep_prob,
            module=origin.module,
            location=origin.location,
        )
        for site, origin in zip(found.sites, origins, strict=True)
    )
