"""Which constant factors beside a mask are the dropout's own."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import onnx

from dropaudit.graph.draws.noise_algebra import MOVES, Fill
from dropaudit.graph.draws.noise_map import NoiseMap
from dropaudit.graph.reading.scope import SHAPE_READERS
from dropaudit.graph.site import Law, RemoteScale
from dropaudit.graph.sites.laws import holds_folded_scale, is_like_scale, is_own_factor, is_right
from dropaudit.graph.sites.placement import ancestors

_FARTHEST = 8
# Constants are float32; in a float16 graph they carry 11 bits.
_PRECISION = 1e-5
_HALF_PRECISION = 2e-3


@dataclass(frozen=True, slots=True)
class SiteExtent:
    """The tensors around a site and the law between them; a remote or folded scale is not part of that law."""

    source: str
    result: str
    law: Law
    remote: RemoteScale | None = None
    folded: float | None = None


@dataclass(frozen=True, slots=True)
class _Factor:
    """A constant factor beside a site.

    Attributes:
        far: the tensor on its far side, seen from the mask.
        scale: the tensors on both sides of it.
        moved: whether operators that move elements lie between it and the mask.
        shared: whether another mask follows right behind it, whose scale it may be.
    """

    value: float
    far: str
    scale: RemoteScale
    moved: bool
    shared: bool = False


def with_own_scale(
    noise: NoiseMap,
    plain: SiteExtent,
    keep_prob: float,
    tolerance: float | None,
    others: Collection[str] = (),
    taken: Collection[str] = (),
) -> SiteExtent:
    """Choose among the constant factors before and after a mask those that are the dropout's own.

        Mul(x, 1/q) -> s ; Mul(s, m) -> y            source x, result y
        Mul(x, m) -> s ; Mul(s, 1/q) -> y            source x, result y
        Mul(x, 1/q) -> s ; Add(s, 0) -> t ; Mul(t, m) -> y         source x, result y
        Mul(x, 1/q) -> s ; Transpose(s) -> t ; Mul(t, m) -> y      source t, result y, remote scale x to s
        Mul(x, 3.7) -> s ; Mul(s, m / q) -> y        source s, result y: 3.7 is the model's own

    Its own are those that make the law right, and next to a mask 1/q, 1/q^2, q, 1/p and p, where p = 1 - q.

    Args:
        noise: what the tensors of the scope are.
        plain: the site without such factors.
        keep_prob: q.
        tolerance: relative precision that q is known to; None where it is exact.
        others: nodes that apply masks, which may read the same scaled data.
        taken: results of other sites: a factor before one of them is that site's.
    """
    if not 0 < keep_prob < 1 or not plain.law.is_plain:
        return plain
    choice = _Choice(plain, keep_prob, tolerance or _precision(noise))
    before = list(_before(noise, plain, others, taken))
    after = list(_after(noise, plain.result, others))
    return choice.extent(before, after)


def with_every_scale(noise: NoiseMap, plain: SiteExtent, others: Collection[str] = ()) -> SiteExtent:
    """Take in all constant factors right before and after a mask that never drops: it needs none."""
    before = [each for each in _before(noise, plain, others, ()) if not each.moved]
    after = [each for each in _after(noise, plain.result, others) if not each.moved]
    return _Choice(plain, 0.5, _PRECISION).joined(before, after)


@dataclass(frozen=True, slots=True)
class _Choice:
    plain: SiteExtent
    keep_prob: float
    precision: float

    def extent(self, before: list[_Factor], after: list[_Factor]) -> SiteExtent:
        """Prefer what makes the law right, then a further factor of the dropout beside it."""
        near, late = ([each for each in side if not each.moved] for side in (before, after))
        right = self._right(near, late)
        i, j = right if right is not None else (0, 0)
        i, j = self._with_own(near, i, right is not None), self._with_own(late, j, right is not None)
        if right is None and i == j == 0 and math.isclose(self.plain.law.slope, 1.0, rel_tol=self.precision):
            # What looks like a scale is one, and wrong; unless an ordinary factor has taken the scale in.
            alike = [any(is_like_scale(each.value, self.keep_prob) for each in side[:1]) for side in (late, near)]
            folded = any(holds_folded_scale(each.value, self.keep_prob) for each in (*near[:1], *late[:1]))
            j, i = (0, 0) if folded else (1, 0) if alike[0] else (0, 1) if alike[1] else (0, 0)
        chosen = self.joined(near[:i], late[:j])
        if i == len(near) and j == len(late):
            chosen = replace(chosen, remote=self._remote(chosen, before[i:], after[j:]))
        return self._with_folded(chosen, near[i:], late[j:])

    def _right(self, before: list[_Factor], after: list[_Factor]) -> tuple[int, int] | None:
        """Return how many factors on each side make the law right, as few as can be."""
        pairs = [(i, j) for i in range(len(before) + 1) for j in range(len(after) + 1)]
        for i, j in sorted(pairs, key=sum):
            if is_right(self.joined(before[:i], after[:j]).law, self.keep_prob, self.precision):
                return i, j
        return None

    def _with_own(self, factors: list[_Factor], taken: int, is_right: bool) -> int:
        while taken < len(factors) and self._is_own(factors[taken], is_right):
            taken += 1
        return taken

    def _is_own(self, found: _Factor, is_right: bool) -> bool:
        factor = found.value
        if is_right and found.shared:
            return False
        # A half beside a mask of rate a half that is scaled right is a half as any, such as that of a GELU.
        if is_right and math.isclose(self.keep_prob, 0.5) and math.isclose(factor, 0.5):
            return False
        return is_own_factor(factor, self.keep_prob, self.precision)

    def joined(self, before: list[_Factor], after: list[_Factor]) -> SiteExtent:
        factor = math.prod(each.value for each in (*before, *after))
        law = replace(self.plain.law, slope=self.plain.law.slope * factor)
        source = before[-1].far if before else self.plain.source
        result = after[-1].far if after else self.plain.result
        return SiteExtent(source, result, law)

    def _remote(self, chosen: SiteExtent, before: list[_Factor], after: list[_Factor]) -> RemoteScale | None:
        """Look for a scale of the site's own beyond operators that only move elements."""
        right = is_right(chosen.law, self.keep_prob, self.precision)
        for found in (*before[:1], *after[:1]):
            if found.moved and self._is_own(found, right):
                return found.scale
        return None

    def _with_folded(self, chosen: SiteExtent, before: list[_Factor], after: list[_Factor]) -> SiteExtent:
        """An unscaled mask beside an ordinary factor that an exporter multiplied by 1/q."""
        unscaled = math.isclose(chosen.law.slope, 1.0, rel_tol=self.precision) and chosen.remote is None
        near = [*before[:1], *after[:1]]
        if unscaled and any(holds_folded_scale(each.value, self.keep_prob) for each in near):
            return replace(chosen, folded=1 / self.keep_prob)
        return chosen


def _before(noise: NoiseMap, plain: SiteExtent, others: Collection[str], taken: Collection[str]) -> Iterator[_Factor]:
    """Step back over constant factors and moves that only this site, or masks, read."""
    scope, name, moved = noise.scope, plain.source, False
    allowed = {node.name for node in ancestors(scope, plain.result)} | set(others)
    for _ in range(_FARTHEST):
        node = scope.producers.get(name)
        if node is None or name in taken or name in scope.outputs or not _only_read_by(noise, name, allowed):
            return
        step = _passed(noise, node)
        if step is None:
            return
        allowed.add(node.name)
        before, factor = step
        if factor is None or factor == 1:
            moved |= factor is None
            name = before
            continue
        yield _Factor(factor, before, RemoteScale(before, name, factor), moved)
        name = before


def _after(noise: NoiseMap, name: str, others: Collection[str]) -> Iterator[_Factor]:
    scope, moved = noise.scope, False
    for _ in range(_FARTHEST):
        node = scope.sole_reader(name)
        step = None if node is None else _passed(noise, node)
        if node is None or step is None or step[0] != name:
            return
        factor, result = step[1], node.output[0]
        if factor is None or factor == 1:
            moved |= factor is None
        else:
            shared = _is_masked_next(noise, result, others)
            yield _Factor(factor, result, RemoteScale(name, result, factor), moved, shared)
        name = result


def _is_masked_next(noise: NoiseMap, name: str, others: Collection[str]) -> bool:
    """Whether another mask is applied to a tensor, with nothing but moves between."""
    while (node := noise.scope.sole_reader(name)) is not None and node.op_type in MOVES:
        name = node.output[0]
    meets = node is not None and len(node.input) > 1 and _passed(noise, node) is None
    return meets and node is not None and node.name in others


def _only_read_by(noise: NoiseMap, name: str, allowed: Collection[str]) -> bool:
    readers = [node for node in noise.scope.consumers.get(name, []) if node.op_type not in SHAPE_READERS]
    return all(node.name in allowed for node in readers)


def _passed(noise: NoiseMap, node: onnx.NodeProto) -> tuple[str, float | None] | None:
    """Return the data that a node passes on times a number, and the number; None for the number where it moves it."""
    if node.op_type in MOVES:
        return node.input[0], 1.0 if node.op_type == "Identity" else None
    if len(node.input) != 2 or node.op_type not in ("Mul", "Div", "Add", "Sub"):
        return None
    first, second = node.input
    number = _number(noise, second)
    if number is None and node.op_type in ("Mul", "Add"):
        first, number = second, _number(noise, first)
    if number is None or not np.isfinite(number):
        return None
    if node.op_type in ("Add", "Sub"):
        return (first, 1.0) if number == 0 else None
    if number == 0:
        return None
    return first, 1 / number if node.op_type == "Div" else number


def _number(noise: NoiseMap, name: str) -> float | None:
    found = noise.values.get(name)
    return found.value if isinstance(found, Fill) else None


def _precision(noise: NoiseMap) -> float:
    halves = any(value.dtype == np.float16 and value.size == 1 for value in noise.scope.constants.values())
    return _HALF_PRECISION if halves else _PRECISION
