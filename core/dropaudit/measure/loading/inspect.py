"""Sites and declarations of a graph, without running it."""

from __future__ import annotations

from dropaudit.errors import model_errors
from dropaudit.measure.cases.build_case import accepted
from dropaudit.plan import Provider
from dropaudit.report import Site
from dropaudit.runtime.provider import choose


def inspect_model(content: bytes) -> tuple[Site, ...]:
    """Return the sites that an ONNX file declares; nothing is measured.

    What is refused here an audit refuses too, for the same reason, and the other way round but for what only a run
    shows.

    Raises:
        InvalidModel: the content is no ONNX model, or the runtime refuses it.
        ExecutionFailed: a node asks for what no run can give.
        ProviderUnavailable: there is no runtime.
    """
    with model_errors():
        found = accepted(content, choose(Provider.CPU)).sites
    return tuple(
        Site(
            name=site.name,
            path=site.path_text,
            placement=site.placement,
            implementation=site.implementation,
            declared_keep_prob=site.declared_keep_prob,
        )
        for site in found
    )
