"""Graph inputs that switch a mode: a training mode, or which branch is taken."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from msgspec.structs import replace

from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.graph.reading.traversal import once_for_each_scope
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites.deciders import NO_SWITCHES, Decider, Positions, Switches, decider_of


def take_in(switches: dict[str, Positions], decider: Decider, truth: bool) -> None:
    """Add the values of inputs that make a tensor `truth`; what decides by itself goes before what others help."""
    values = decider.positions_for(truth)
    known = switches if decider.others else {}
    switches |= {name: value for name, value in values.items() if name not in known}


def with_deciders(
    model: onnx.ModelProto, sites: Iterable[GraphSite], known: Switches = NO_SWITCHES
) -> tuple[tuple[GraphSite, ...], dict[str, Positions]]:
    """Return sites whose computed training mode an input decides as switched by it, and the values that do so."""
    sites = tuple(sites)
    if not any(site.switch is Switch.COMPUTED for site in sites):
        return sites, {}
    scope = main_scope(model)
    found: list[GraphSite] = []
    switches: dict[str, Positions] = {}
    for site in sites:
        decider = _decider_of_site(scope, site, {**switches, **known}) if site.switch is Switch.COMPUTED else None
        if decider is not None:
            take_in(switches, decider, truth=True)
        if decider is None or decider.numbers:
            # Data decides as well, and a run says how.
            found.append(site)
            continue
        kind = Switch.INPUT if decider.default is None else Switch.DEFAULT
        found.append(replace(site, switch=kind, switch_input=decider.name, default_on=bool(decider.default)))
    return tuple(found), switches


def mode_of(scope: Scope, site: GraphSite) -> str | None:
    """Return the tensor of the main graph that holds a Dropout's training mode; None where a body makes it."""
    node = _nodes(scope).get(site.maker)
    if node is None or len(node.input) < 3:
        return None
    return node.input[2] or None


def _decider_of_site(scope: Scope, site: GraphSite, known: Switches) -> Decider | None:
    name = mode_of(scope, site) if not site.path else None
    return None if name is None else decider_of(scope, name, known)


@once_for_each_scope
def _nodes(scope: Scope) -> dict[str, onnx.NodeProto]:
    return {node.name: node for node in scope.graph.node}
