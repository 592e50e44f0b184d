"""The model that replicates are drawn from, with the tensors around its sites made readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import onnx

from dropaudit.graph.passes.derive_mode import trains_batch_statistics, without_batch_statistics
from dropaudit.graph.passes.expose import TensorPlace, exposed
from dropaudit.graph.site import GraphSite


class SiteProbes(msgspec.Struct, frozen=True):
    """Names under which the tensors around a site come out."""

    before: str
    after: str


Probes = Mapping[GraphSite, SiteProbes]


def measured_model(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model that replicates are drawn from: batch statistics are judged apart, and tie a batch together."""
    return without_batch_statistics(proto) if trains_batch_statistics(proto) else proto


def probe(proto: onnx.ModelProto, sites: Sequence[GraphSite]) -> tuple[onnx.ModelProto, dict[GraphSite, SiteProbes]]:
    """Make the tensors around each site readable."""
    places: list[TensorPlace] = [(site.path, tensor) for site in sites for tensor in (site.source, site.result)]
    probed, names = exposed(proto, places)
    return probed, {
        site: SiteProbes(names[(site.path, site.source)], names[(site.path, site.result)]) for site in sites
    }


def names_of(probes: Probes) -> tuple[str, ...]:
    """Return the names of all probes, each once."""
    return tuple(dict.fromkeys(name for each in probes.values() for name in (each.before, each.after)))
