"""Training modes that a graph computes from its inputs, settled by running it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites.mode_switches import mode_of
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array


def with_computed_modes(
    model: onnx.ModelProto, sites: tuple[GraphSite, ...], feeds: Mapping[str, Array], place: Device
) -> tuple[GraphSite, ...]:
    """Return sites whose training mode the graph computes from data as switched on or off for good.

    Raises ExecutionFailed where the model does not run.
    """
    if not any(site.switch is Switch.COMPUTED for site in sites):
        return sites
    scope = main_scope(model)
    modes = {
        site: name
        for site in sites
        if site.switch is Switch.COMPUTED and not site.path and (name := mode_of(scope, site)) is not None
    }
    if not modes:
        return sites
    probed, probes = exposed(model, [((), name) for name in dict.fromkeys(modes.values())])
    found = Session(probed, place, np.random.default_rng(0)).run(feeds, tuple(probes.values()))
    on = {name: bool(np.any(found[probe])) for (_, name), probe in probes.items()}
    return tuple(
        replace(site, switch=Switch.ON if on[modes[site]] else Switch.OFF) if site in modes else site for site in sites
    )
