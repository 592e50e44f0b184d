"""Masks that are applied to what they have masked already."""

from __future__ import annotations

import math
from collections.abc import Collection

from msgspec.structs import replace

from dropaudit.graph.draws.noise_algebra import Masked
from dropaudit.graph.draws.noise_map import NoiseMap
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.reading.traversal import upstream
from dropaudit.graph.site import GraphSite, RemoteScale

# Element by element, and zero where their only data is.
_LEAVE_ZEROS = frozenset(
    {
        "Abs", "Elu", "Erf", "Gelu", "HardSwish", "Identity", "LeakyRelu", "Neg", "PRelu", "Relu", "Selu", "Sign",
        "Sin", "Softsign", "Sqrt", "Swish", "Tanh", "ThresholdedRelu",
    }
)  # fmt: skip
_FARTHEST = 8
# Of a factor that is measured.
_PRECISION = 1e-4


def is_repeated(noise: NoiseMap, site: GraphSite) -> bool:
    """Whether a mask is applied to data that the same mask has made zero wherever it does: it changes nothing.

        Dropout(x, 0.3, True) -> d, m ; Mul(d, m) -> y
        Dropout(x, 0.3, True) -> d, m ; Relu(d) -> h ; Where(m, h, 0) -> y

    Args:
        noise: what the tensors of the scope are.
        site: a site of a mask that an operator Dropout returns beside its result.
    """
    before, after = _masked_before(noise, site.source), noise.values.get(site.result)
    if before is None or not isinstance(after, Masked) or after.draw != before.draw or after.chance != before.chance:
        return False
    zeros, further = ([line.slope == line.shift == 0 for line in (each.hit, each.miss)] for each in (before, after))
    return sum(zeros) == 1 and zeros == further


def comes_masked(noise: NoiseMap, source: str, roots: Collection[str]) -> bool:
    """Whether data is the result of the Dropout whose mask is among the roots, or keeps the zeros of that.

        Dropout(x, 0.3, True) -> d, m ; Neg(d) -> h         h comes masked by m, and so does d

    Args:
        noise: what the tensors of the scope are.
        source: the data.
        roots: tensors that are drawn.
    """
    before = _masked_before(noise, source)
    return before is not None and any(getattr(noise.values.get(root), "draw", None) == before.draw for root in roots)


def once_more(scope: Scope, again: tuple[RemoteScale, ...], last: RemoteScale) -> tuple[RemoteScale, ...] | None:
    """Add where a mask is applied once more; None where it scales one of several branches otherwise than another.

    What several branches do alike counts once.

    Args:
        scope: the graph.
        again: where it was applied again before.
        last: the data, the result, and the factor between them.
    """
    before = set(upstream(scope.producers.get, [last.source]))
    if all(each.result in before for each in again):
        return (*again, last)
    scale = last.factor * math.prod(each.factor for each in again if each.result in before)
    alike = math.isclose(scale, math.prod(each.factor for each in again), rel_tol=_PRECISION)
    return (*again, replace(last, factor=1.0)) if alike else None


def _masked_before(noise: NoiseMap, name: str) -> Masked | None:
    """Return the masked data that a tensor is made of by operators that leave zeros where they are."""
    for _ in range(_FARTHEST):
        found = noise.values.get(name)
        if isinstance(found, Masked):
            return found
        node = noise.scope.producers.get(name)
        if node is None or node.op_type not in _LEAVE_ZEROS:
            return None
        name = node.input[0]
    return None
