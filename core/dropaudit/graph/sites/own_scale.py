"""Which constant factors beside a mask are the dropout's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace
from numpy.typing import NDArray

from dropaudit.graph.draws.noise_algebra import MOVES, Fill, Masked
from dropaudit.graph.draws.noise_map import NoiseMap
from dropaudit.graph.reading.scope import SHAPE_READERS
from dropaudit.graph.reading.traversal import depends_on
from dropaudit.graph.site import Law, RemoteScale
from dropaudit.graph.sites.laws import Numbers, are_close, holds_folded_scale, is_inverse, is_like_scale, is_own_factor
from dropaudit.stats.scale import rarest

_FARTHEST = 8
# Constants are float32; in a float16 graph they carry 11 bits.
_PRECISION = 1e-5
# What quantizers put around a tensor, which parts no factor from its mask.
_ROUNDS = frozenset({"QuantizeLinear", "DequantizeLinear"})
_HALF_PRECISION = 4e-3
# How far a threshold and a draw of 11 bits move a keep probability, and what factors are told apart by in any case.
_HALF_STEP, _MOST_HALF = 2e-3, 0.02


class SiteExtent(msgspec.Struct, frozen=True):
    """The tensors around a site and the law between them; scales that lie elsewhere are not part of that law."""

    source: str
    result: str
    law: Law
    remote: RemoteScale | None = None
    folded: float | None = None
    again: tuple[RemoteScale, ...] = ()


class _Span(msgspec.Struct, frozen=True):
    """An extent while it is chosen: what is kept is multiplied by one number, or by one for each element."""

    source: str
    result: str
    slope: Numbers
    remote: RemoteScale | None = None
    folded: float | None = None


class _Factor(msgspec.Struct, frozen=True):
    """A constant factor beside a site.

    Attributes:
        far: the tensor on its far side, seen from the mask.
        scale: the tensors on both sides of it; None where it is a number for each element.
        moved: whether operators that move elements lie between it and the mask.
        shared: whether another mask follows right behind it, whose scale it may be.
    """

    value: Numbers
    far: str
    scale: RemoteScale | None
    moved: bool
    shared: bool = False


def with_own_scale(
    noise: NoiseMap,
    plain: SiteExtent,
    keep_prob: float,
    error: float,
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
        error: of q; zero where it is declared.
        others: nodes that apply masks, which may read the same scaled data.
        taken: results of other sites: a factor before one of them is that site's.
    """
    if not 0 < keep_prob < 1 or not plain.law.is_plain:
        return plain
    span = _Span(plain.source, plain.result, plain.law.slope)
    found = _chosen(noise, span, _Rate(keep_prob, error, _precision(noise, keep_prob)), others, taken)
    return SiteExtent(
        found.source, found.result, replace(plain.law, slope=float(found.slope)), found.remote, found.folded
    )


def with_own_scale_by_element(
    noise: NoiseMap,
    plain: SiteExtent,
    slopes: NDArray[np.float64],
    keep_probs: NDArray[np.float64],
    others: Collection[str] = (),
    taken: Collection[str] = (),
) -> SiteExtent:
    """Choose as `with_own_scale` does where each element has a rate, and factors are vectors of the same rates.

        Div(x, [0.5, 0.8, 0.9]) -> s ; Mul(s, Less(u, [0.5, 0.8, 0.9])) -> y      source x, result y

    Args:
        noise: what the tensors of the scope are.
        plain: the site without such factors.
        slopes: factor on each element that is kept, broadcast against the site's result; NaN where it is not known.
        keep_probs: q of each, likewise.
        others: see `with_own_scale`.
        taken: see `with_own_scale`.
    """
    span = _Span(plain.source, plain.result, slopes)
    rate = _Rate(keep_probs, 0.0, _precision(noise, rarest(keep_probs)))
    found = _chosen(noise, span, rate, others, taken)
    return SiteExtent(found.source, found.result, plain.law)


def with_every_scale(noise: NoiseMap, plain: SiteExtent, others: Collection[str] = ()) -> SiteExtent:
    """Take in the constant factor right before and after a mask that never drops: it needs none.

    What lies beyond is the model's own.
    """
    span = _Span(plain.source, plain.result, plain.law.slope)
    before = [each for each in _before(noise, span, others, (), vectors=False) if not each.moved]
    after = [each for each in _after(noise, span.result, others, vectors=False) if not each.moved]
    found = _Choice(span, _Rate(0.5, 0.0, _PRECISION)).joined(before[:1], after[:1])
    return SiteExtent(found.source, found.result, replace(plain.law, slope=float(found.slope)))


def _chosen(
    noise: NoiseMap,
    span: _Span,
    rate: _Rate,
    others: Collection[str],
    taken: Collection[str],
) -> _Span:
    vectors = isinstance(rate.keep_prob, np.ndarray)
    before = list(_before(noise, span, others, taken, vectors=vectors))
    after = list(_after(noise, span.result, others, vectors=vectors))
    return _Choice(span, rate).extent(before, after)


class _Rate(msgspec.Struct, frozen=True):
    """A mask's rate as far as it is known: q, its error, and the relative precision of factors."""

    keep_prob: Numbers
    error: float
    precision: float


class _Choice(msgspec.Struct, frozen=True):
    plain: _Span
    rate: _Rate

    def extent(self, before: list[_Factor], after: list[_Factor]) -> _Span:
        """Prefer what makes the law right, then a further factor of the dropout beside it."""
        near, late = ([each for each in side if not each.moved] for side in (before, after))
        right = self._right(near, late)
        i, j = right if right is not None else (0, 0)
        i, j = self._with_own(near, i, right is not None), self._with_own(late, j, right is not None)
        if right is None and i == j == 0 and are_close(self.plain.slope, 1.0, self.rate.precision):
            # What looks like a scale is a wrong scale, unless an ordinary factor has taken the scale in.
            alike = [any(self._is_like_scale(each.value) for each in side[:1]) for side in (late, near)]
            folded = any(self._holds_folded(each.value) for each in (*near[:1], *late[:1]))
            j, i = (0, 0) if folded else (1, 0) if alike[0] else (0, 1) if alike[1] else (0, 0)
        chosen = self.joined(near[:i], late[:j])
        if i == len(near) and j == len(late):
            chosen = replace(chosen, remote=self._remote(chosen, before[i:], after[j:]))
        return self._with_folded(chosen, near[i:], late[j:])

    def _right(self, before: list[_Factor], after: list[_Factor]) -> tuple[int, int] | None:
        """Return how many factors on each side make the law right, as few as can be, and another mask's last."""
        pairs = [(i, j) for i in range(len(before) + 1) for j in range(len(after) + 1)]
        for i, j in sorted(pairs, key=lambda pair: (sum(pair), any(each.shared for each in after[: pair[1]]))):
            if self._is_right(self.joined(before[:i], after[:j])):
                return i, j
        return None

    def _is_right(self, span: _Span) -> bool:
        return is_inverse(span.slope, self.rate.keep_prob, self.rate.precision, self.rate.error)

    def _with_own(self, factors: list[_Factor], taken: int, is_right: bool) -> int:
        while taken < len(factors) and self._is_own(factors[taken], is_right):
            taken += 1
        return taken

    def _is_own(self, found: _Factor, is_right: bool) -> bool:
        if is_right and found.shared:
            return False
        # A half beside a mask of rate a half that is scaled right is a half as any, such as that of a GELU.
        if is_right and are_close(self.rate.keep_prob, 0.5, _PRECISION) and are_close(found.value, 0.5, _PRECISION):
            return False
        # Nobody divides by p, or twice by q, what is scaled right, and embeddings are multiplied by 4, 10 or the like.
        inverse = is_inverse(found.value, self.rate.keep_prob, self.rate.precision, self.rate.error)
        if is_right and self._is_whole(found.value) and not inverse:
            return False
        return is_own_factor(found.value, self.rate.keep_prob, self.rate.precision, self.rate.error)

    def _is_whole(self, factor: Numbers) -> bool:
        return isinstance(factor, float) and factor > 1 and factor == round(factor)

    def _is_like_scale(self, factor: Numbers) -> bool:
        return isinstance(factor, float) and is_like_scale(factor, float(np.nanmean(self.rate.keep_prob)))

    def _holds_folded(self, factor: Numbers) -> bool:
        if not (isinstance(factor, float) and isinstance(self.rate.keep_prob, float)) or self.rate.error:
            # What was measured makes a round number of any factor, by chance.
            return False
        return holds_folded_scale(factor, self.rate.keep_prob)

    def joined(self, before: list[_Factor], after: list[_Factor]) -> _Span:
        slope = self.plain.slope
        for each in (*before, *after):
            slope = slope * each.value
        source = before[-1].far if before else self.plain.source
        result = after[-1].far if after else self.plain.result
        return _Span(source, result, slope)

    def _remote(self, chosen: _Span, before: list[_Factor], after: list[_Factor]) -> RemoteScale | None:
        """Look for a scale of the site's own beyond operators that only move elements."""
        right = self._is_right(chosen)
        for found in (*before[:1], *after[:1]):
            if found.moved and self._is_own(found, right):
                return found.scale
        return None

    def _with_folded(self, chosen: _Span, before: list[_Factor], after: list[_Factor]) -> _Span:
        """An unscaled mask beside an ordinary factor that an exporter multiplied by 1/q."""
        unscaled = are_close(chosen.slope, 1.0, self.rate.precision) and chosen.remote is None
        near = [*before[:1], *after[:1]]
        if unscaled and isinstance(self.rate.keep_prob, float) and any(self._holds_folded(each.value) for each in near):
            return replace(chosen, folded=1 / self.rate.keep_prob)
        return chosen


def _before(
    noise: NoiseMap, plain: _Span, others: Collection[str], taken: Collection[str], *, vectors: bool
) -> Iterator[_Factor]:
    """Step back over constant factors and moves that only this site, or masks, read."""
    scope, name, moved = noise.scope, plain.source, False

    def is_allowed(node: onnx.NodeProto) -> bool:
        return node.name in others or depends_on(scope, plain.result, node)

    for _ in range(_FARTHEST):
        node = scope.producers.get(name)
        if node is None or name in taken or name in scope.outputs or not _only_read_by(noise, name, is_allowed):
            return
        step = _passed(noise, node, vectors=vectors)
        if step is None:
            return
        before, factor = step
        if factor is None or _is_one(factor):
            moved |= factor is None
            name = before
            continue
        yield _Factor(factor, before, _remote(before, name, factor), moved)
        name = before


def _is_one(factor: Numbers) -> bool:
    return isinstance(factor, float) and factor == 1


def _remote(source: str, result: str, factor: Numbers) -> RemoteScale | None:
    return RemoteScale(source, result, factor) if isinstance(factor, float) else None


def _after(noise: NoiseMap, name: str, others: Collection[str], *, vectors: bool) -> Iterator[_Factor]:
    scope, moved = noise.scope, False
    for _ in range(_FARTHEST):
        node = scope.sole_reader(name)
        step = None if node is None else _passed(noise, node, vectors=vectors)
        if node is None or step is None or step[0] != name:
            return
        factor, result = step[1], node.output[0]
        if factor is None or _is_one(factor):
            moved |= factor is None
        else:
            shared = _is_masked_next(noise, result, others)
            yield _Factor(factor, result, _remote(name, result, factor), moved, shared)
        name = result


def _is_masked_next(noise: NoiseMap, name: str, others: Collection[str]) -> bool:
    """Whether another mask is applied to a tensor, with nothing but moves between."""
    while (node := noise.scope.sole_reader(name)) is not None and node.op_type in MOVES:
        name = node.output[0]
    # What applies a mask by a complement reads the data twice.
    readers = [node for node in noise.scope.consumers.get(name, []) if not _masks_no_more(noise, node)]
    return any(each.name in others and len(each.input) > 1 and _passed(noise, each) is None for each in readers)


def _masks_no_more(noise: NoiseMap, node: onnx.NodeProto) -> bool:
    """Whether a node makes masked data of data that the same draw has masked, as by adding a constant."""
    after = noise.values.get(node.output[0])
    before = [noise.values.get(name) for name in node.input]
    return isinstance(after, Masked) and any(isinstance(each, Masked) and each.draw == after.draw for each in before)


def _only_read_by(noise: NoiseMap, name: str, is_allowed: Callable[[onnx.NodeProto], bool]) -> bool:
    return all(is_allowed(node) for node in noise.scope.consumers.get(name, []) if node.op_type not in SHAPE_READERS)


def _passed(noise: NoiseMap, node: onnx.NodeProto, *, vectors: bool = False) -> tuple[str, Numbers | None] | None:
    """Return the data that a node passes on times a number, and the number; None where it moves it, or rounds it.

    `vectors` says whether a number for each element will do.
    """
    if node.op_type in MOVES or node.op_type in _ROUNDS:
        return node.input[0], 1.0 if node.op_type == "Identity" else None
    if len(node.input) != 2 or node.op_type not in ("Mul", "Div", "Add", "Sub"):
        return None
    first, second = node.input
    number = _number(noise, second, vectors=vectors)
    if number is None and node.op_type in ("Mul", "Add"):
        first, number = second, _number(noise, first, vectors=vectors)
    if number is None or not np.all(np.isfinite(number)):
        return None
    if node.op_type in ("Add", "Sub"):
        return None if np.any(number) else (first, 1.0)
    if not np.all(number):
        return None
    return first, 1 / number if node.op_type == "Div" else number


def _number(noise: NoiseMap, name: str, *, vectors: bool) -> Numbers | None:
    found = noise.values.get(name)
    if isinstance(found, Fill):
        return float(found.value)
    constant = noise.scope.constants.get(name) if vectors else None
    return constant.astype(np.float64) if constant is not None and constant.dtype.kind == "f" else None


def _precision(noise: NoiseMap, keep_prob: float) -> float:
    """Return how well a factor can be told from 1/q: in half precision a threshold moves the rate as well."""
    halves = any(value.dtype == np.float16 for value in noise.scope.constants.values())
    return max(_HALF_PRECISION, min(_HALF_STEP / min(keep_prob, 1 - keep_prob), _MOST_HALF)) if halves else _PRECISION
