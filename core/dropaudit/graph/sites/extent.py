"""How far a site reaches: where its data comes in, and after which scale of its own the model goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import onnx

from dropaudit.graph.draws.noise_algebra import Data, Jittered, Masked, Mixed
from dropaudit.graph.draws.noise_map import NoiseMap
from dropaudit.graph.site import Law
from dropaudit.graph.sites.own_scale import SiteExtent, with_own_scale

_FARTHEST = 8


def extent_of(noise: NoiseMap, first: str, taken: Collection[str], masking: Collection[str]) -> SiteExtent:
    """Settle where a site begins and ends, as the algebra of noise says.

        Mul(x, a m) -> s ; Add(s, noise) -> y                   source x, result y
        Mul(x, 1 - m) -> s ; Sub(x, s) -> y                     source x, result y

    Args:
        noise: what the tensors of the scope are.
        first: the first tensor that holds masked data.
        taken: results of sites before it.
        masking: nodes that apply masks.
    """
    masked = noise.values[first]
    assert isinstance(masked, Masked | Jittered)
    last, mixed = _last_joined(noise, first, masked)
    if isinstance(mixed, Jittered):
        return SiteExtent(mixed.source, last, Law(slope=mixed.mean, spread=mixed.sd))
    law = Law(slope=mixed.kept.slope, shift=mixed.kept.shift, dropped=mixed.dropped)
    return with_own_scale(noise, SiteExtent(mixed.source, last, law), mixed.keep_prob, 0.0, masking, taken)


def masking_nodes(noise: NoiseMap) -> set[str]:
    """Return the names of the nodes that make masked data."""
    return {
        node.name
        for node in noise.scope.graph.node
        if node.output and isinstance(noise.values.get(node.output[0]), Masked)
    }


def _last_joined(noise: NoiseMap, first: str, value: Mixed) -> tuple[str, Mixed]:
    """Follow the readers to the last that joins more of the same draw or data: the other half of a select, a shift."""
    last, found = first, value
    if noise.scope.producers[first].op_type == "Dropout":
        # An operator is a site from its input to its output, whatever is added to it.
        return last, found
    for name, mixed, node in _onwards(noise, first, value):
        if any(_joins(noise, other, value) for other in node.input):
            last, found = name, mixed
    return last, found


def _joins(noise: NoiseMap, name: str, value: Mixed) -> bool:
    other = noise.value(name)
    return noise.is_noise(name, value.draw) or (isinstance(other, Data) and name == value.source)


def _onwards(noise: NoiseMap, name: str, value: Mixed) -> Iterator[tuple[str, Mixed, onnx.NodeProto]]:
    """Yield tensor after tensor that is still the same data under the same draw, while one node alone reads it."""
    for _ in range(_FARTHEST):
        node = noise.scope.sole_consumer(name)
        if node is None or not node.output:
            return
        name = node.output[0]
        found = noise.values.get(name)
        same = isinstance(found, Masked | Jittered) and found.draw == value.draw and found.source == value.source
        if not same or not isinstance(found, Masked | Jittered):
            return
        yield name, found, node
