"""Sites whose scale changes no output, since what they keep is normalized."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.facts.normalization import is_normalized
from dropaudit.graph.passes.site_factors import with_factors
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

_FACTORS = (2.0, 0.5)
# What is added to a sum before it divides moves the outputs by less.
_SAME = 1e-3


def scale_free(
    silent: onnx.ModelProto,
    scopes: Sequence[Scope],
    sites: Collection[GraphSite],
    feeds: Mapping[str, Array],
    outputs: Mapping[str, Array],
    place: Device,
    seeds: np.random.Generator,
) -> frozenset[GraphSite]:
    """Return the sites behind which data is normalized, and whose factor then changes no output.

    Args:
        silent: the model with every site bypassed.
        scopes: the graphs of the model.
        sites: its sites.
        feeds: inputs.
        outputs: the results of the silent model, by name.
        place: where to run.
        seeds: source of the runtime's seeds.
    """
    known = {scope.path: scope for scope in scopes}
    tried = [site for site in sites if site.path in known and is_normalized(known[site.path], site.result)]
    if not tried or not outputs:
        return frozenset()
    try:
        model, inputs = with_factors(silent, tried)
        session = Session(model, place, seeds)
        return frozenset(site for i, site in enumerate(tried) if _changes_nothing(session, inputs, i, feeds, outputs))
    except (ExecutionFailed, InvalidModel):
        return frozenset()


def _changes_nothing(
    session: Session,
    inputs: Sequence[tuple[str, np.dtype[np.generic]]],
    number: int,
    feeds: Mapping[str, Array],
    outputs: Mapping[str, Array],
) -> bool:
    for factor in _FACTORS:
        fed = {name: np.array(factor if i == number else 1.0, dtype) for i, (name, dtype) in enumerate(inputs)}
        found = session.run({**feeds, **fed}, tuple(outputs))
        if not all(agree(value, found[name], _SAME) for name, value in outputs.items()):
            return False
    return True
