"""Every dropout site of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx

from dropaudit.graph.draws.noise_map import NoiseMap, noise_maps
from dropaudit.graph.reading.constants import Constants
from dropaudit.graph.reading.scope import Scope, scopes
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.chains import drawn_sites, undrawn_operators
from dropaudit.graph.sites.frozen_masks import frozen_masks


def find_sites(model: onnx.ModelProto, given: Constants | None = None) -> tuple[GraphSite, ...]:
    """Locate the sites of a model whose nodes are named, main graph first, in graph order within a kind.

    Args:
        model: the model.
        given: values of graph inputs that stay as they are, such as a keep probability that is fed.
    """
    return sites_of(scopes(model, given))


def sites_of(scopes: Iterable[Scope]) -> tuple[GraphSite, ...]:
    """Locate the sites of a model whose graphs are indexed; see `find_sites`."""
    return tuple(site for noise in noise_maps(scopes) for site in _sites(noise))


def _sites(noise: NoiseMap) -> Iterator[GraphSite]:
    yield from drawn_sites(noise)
    yield from undrawn_operators(noise.scope)
    yield from frozen_masks(noise.scope, {name for name in noise.values if noise.is_noise(name)})
