"""Every dropout site of a model."""

from __future__ import annotations

import onnx

from dropaudit.graph.chains import random_chains
from dropaudit.graph.frozen import frozen_masks
from dropaudit.graph.operators import dropout_operators
from dropaudit.graph.scope import scopes
from dropaudit.graph.site import GraphSite


def find_sites(model: onnx.ModelProto) -> tuple[GraphSite, ...]:
    """Locate the sites of a model whose nodes are named, main graph first, in graph order within a kind."""
    return tuple(
        site
        for scope in scopes(model)
        for find in (dropout_operators, random_chains, frozen_masks)
        for site in find(scope)
    )
