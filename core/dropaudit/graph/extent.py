"""How far a site reaches: where its data comes in, and after which scale of its own the model goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import onnx

from dropaudit.graph.laws import holds_folded_scale, is_like_scale, is_own_factor, is_right
from dropaudit.graph.noise import MOVES, Fill, Jittered, Masked, Mixed
from dropaudit.graph.noise_map import NoiseMap
from dropaudit.graph.site import Law, RemoteScale

_FARTHEST = 8
# Constants are float32; in a float16 graph they carry 11 bits.
_PRECISION = 1e-5
_HALF_PRECISION = 2e-3


@dataclass(frozen=True, slots=True)
class Extent:
    """The tensors around a site and the law between them; a remote or folded scale is not part of that law."""

    source: str
    result: str
    law: Law
    remote: RemoteScale | None = None
    folded: float | None = None


def extent_of(noise: NoiseMap, first: str) -> Extent:
    """Settle where a site begins and ends.

        Mul(x, 1/q) -> s ; Mul(s, m) -> y            source x, result y
        Mul(x, m) -> s ; Mul(s, 1/q) -> y            source x, result y
        Mul(x, a m) -> s ; Add(s, noise) -> y        source x, result y
        Mul(x, 1/q) -> s ; Transpose(s) -> t ; Mul(t, m) -> y      source t, result y, remote scale x to s
        Mul(x, 3.7) -> s ; Mul(s, m / q) -> y        source s, result y: 3.7 is the model's own

    Args:
        noise: what the tensors of the scope are.
        first: the first tensor that holds masked data.
    """
    masked = noise.values[first]
    if isinstance(masked, Jittered):
        last, mixed = _last_joined(noise, first, masked)
        assert isinstance(mixed, Jittered)
        return Extent(mixed.source, last, Law(slope=mixed.mean, spread=mixed.sd))
    assert isinstance(masked, Masked)
    last, mixed = _last_joined(noise, first, masked)
    assert isinstance(mixed, Masked)
    plain = Extent(mixed.source, last, _law(mixed))
    return _settled(noise, plain, mixed)


def _law(masked: Masked) -> Law:
    return Law(slope=masked.kept.slope, shift=masked.kept.shift, dropped=masked.dropped)


def _last_joined(noise: NoiseMap, first: str, value: Mixed) -> tuple[str, Mixed]:
    """Follow the readers to the last that joins more noise of the same draw: the other half of a select, a shift."""
    last, found = first, value
    for name, mixed, node in _onwards(noise, first, value):
        if any(other != name and noise.is_noise(other, value.draw) for other in node.input):
            last, found = name, mixed
    return last, found


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


def _settled(noise: NoiseMap, plain: Extent, masked: Masked) -> Extent:
    """Choose among the scalar factors before and after the mask those that are the dropout's own."""
    q = masked.keep_prob
    if not 0 < q < 1:
        return plain
    onwards = ((name, mixed) for name, mixed, _ in _onwards(noise, plain.result, masked))
    after = [Extent(plain.source, name, _law(mixed)) for name, mixed in onwards if isinstance(mixed, Masked)]
    chosen = _choice(plain, _before(noise, plain), after, q, _precision(noise))
    return replace(chosen, remote=_remote(noise, chosen, q, _precision(noise)))


def _remote(noise: NoiseMap, chosen: Extent, keep_prob: float, precision: float) -> RemoteScale | None:
    """Look for the scale of an unscaled mask beyond operators that only move elements."""
    if chosen.folded or not chosen.law.is_plain or not math.isclose(chosen.law.slope, 1.0, rel_tol=precision):
        return None
    for found in (_moved_before(noise, chosen.source), _moved_after(noise, chosen.result)):
        if found is not None and is_own_factor(found.factor, keep_prob, precision):
            return found
    return None


def _moved_before(noise: NoiseMap, name: str) -> RemoteScale | None:
    scope = noise.scope
    while (node := scope.producers.get(name)) is not None and node.op_type in MOVES:
        name = node.input[0]
        if scope.sole_reader(name) is None:
            return None
    found = None if node is None else _scaled(noise, node)
    return None if found is None else RemoteScale(found[0], name, found[1])


def _moved_after(noise: NoiseMap, name: str) -> RemoteScale | None:
    scope = noise.scope
    while (node := scope.sole_reader(name)) is not None and node.op_type in MOVES:
        name = node.output[0]
    found = None if node is None else _scaled(noise, node)
    return None if node is None or found is None or found[0] != name else RemoteScale(name, node.output[0], found[1])


def _choice(plain: Extent, before: Extent | None, after: list[Extent], keep_prob: float, precision: float) -> Extent:
    """Prefer what makes the law right, then a second factor 1/q beside it, then any factor that looks like a scale."""
    first = [] if before is None else [before]
    both = [] if before is None else [_joined(plain, before, each) for each in after]
    options = [plain, *after, *first, *both]
    right = next((each for each in options if is_right(each.law, keep_prob, precision)), None)
    if right is not None:
        doubled = [each for each in options if _is_doubled(each.law, right.law, keep_prob, precision)]
        return doubled[0] if doubled else right
    if not plain.law.is_plain or not math.isclose(plain.law.slope, 1.0, rel_tol=precision):
        return plain
    near = [*after[:1], *first]
    own = [each for each in near if is_own_factor(each.law.slope, keep_prob, precision)]
    if len(own) == 2:
        return both[0]
    alike = [each for each in near if is_like_scale(each.law.slope, keep_prob)]
    if own or alike:
        return (own or alike)[0]
    folded = any(holds_folded_scale(each.law.slope, keep_prob) for each in near)
    return replace(plain, folded=1 / keep_prob) if folded else plain


def _is_doubled(law: Law, plain: Law, keep_prob: float, precision: float) -> bool:
    return plain.is_plain and math.isclose(law.slope, plain.slope / keep_prob, rel_tol=precision)


def _joined(plain: Extent, before: Extent, after: Extent) -> Extent:
    factor = before.law.slope / plain.law.slope if plain.law.slope else 0.0
    law = Law(after.law.slope * factor, after.law.shift, after.law.dropped)
    return Extent(before.source, after.result, law)


def _before(noise: NoiseMap, plain: Extent) -> Extent | None:
    """Step back over a scalar factor that only masks read."""
    scope = noise.scope
    producer = scope.producers.get(plain.source)
    if producer is None or plain.source in scope.outputs or not _only_masks_read(noise, plain.source):
        return None
    found = _scaled(noise, producer)
    if found is None:
        return None
    name, factor = found
    return Extent(name, plain.result, Law(plain.law.slope * factor, plain.law.shift, plain.law.dropped))


def _only_masks_read(noise: NoiseMap, name: str) -> bool:
    readers = [node for node in noise.scope.consumers[name] if node.op_type != "Shape"]
    return all(node.output and isinstance(noise.values.get(node.output[0]), Masked) for node in readers)


def _scaled(noise: NoiseMap, node: onnx.NodeProto) -> tuple[str, float] | None:
    """Return the tensor that a node multiplies by a scalar, and the scalar."""
    if node.op_type not in ("Mul", "Div") or len(node.input) != 2:
        return None
    first, second = node.input
    factor = noise.values.get(second)
    if not isinstance(factor, Fill) and node.op_type == "Mul":
        first, factor = second, noise.values.get(first)
    if not isinstance(factor, Fill) or not factor.value or not np.isfinite(factor.value):
        return None
    return first, 1 / factor.value if node.op_type == "Div" else factor.value


def _precision(noise: NoiseMap) -> float:
    halves = any(value.dtype == np.float16 and value.size == 1 for value in noise.scope.constants.values())
    return _HALF_PRECISION if halves else _PRECISION
