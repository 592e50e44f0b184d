"""Masks that an exporter froze into constants, as sites."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.placement import place
from dropaudit.graph.sites.unrolled import merged
from dropaudit.report import Implementation, Placement
from dropaudit.stats.fits import distinct
from dropaudit.stats.scatter import is_patterned, is_scattered

_FEWEST_CELLS = 8
_FEWEST_WEIGHTS = 64
_WEIGHTED = {
    "MatMul": (0, 1),
    "Gemm": (0, 1),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
    "Conv": (1,),
    "Gather": (0,),
}
_CHANCE_OF_ORDER = 0.2
# Rows of zeros are a mask when they are more than the one that pads.
_FEWEST_ROWS = 3
# Exact zeros are a mask when they are not just a few.
_LEAST_SHARE = 0.02


def frozen_masks(scope: Scope, drawn: Container[str] = ()) -> list[GraphSite]:
    """Return the products of data with a constant that looks like a mask: zeros, and one other value.

    Mul(x, [[2, 0, 2, 2, 0, …]]) -> y : source x, result y. A Where over such a condition counts as well, and a Div by
    infinities and one other value.

    Args:
        scope: the graph.
        drawn: tensors made of draws and constants alone, which are no data: a mask on them is a graph's edges, say.
    """
    found = []
    for node in scope.graph.node:
        if node.op_type in ("Mul", "Div", "Where"):
            masks = [name for name in _mask_inputs(node) if looks_like_mask(_factor(scope, node, name))]
            data = [name for name in node.input if name not in scope.constants]
            if len(masks) == 1 and len(data) == 1 and data[0] not in drawn:
                found.append(_site(scope, node, data[0], masks[0]))
    return merged(scope, found)


def _mask_inputs(node: onnx.NodeProto) -> list[str]:
    return {"Mul": list(node.input), "Div": list(node.input[1:])}.get(node.op_type, list(node.input[:1]))


def _factor(scope: Scope, node: onnx.NodeProto, name: str) -> NDArray[Any] | None:
    """Return what data is multiplied by: what is divided by infinity is zero."""
    value = scope.constants.get(name)
    if value is None or node.op_type != "Div" or value.dtype.kind != "f":
        return value
    with np.errstate(all="ignore"):
        return np.asarray(1 / value)


def frozen_weights(scope: Scope) -> list[GraphSite]:
    """Return the weights with exact zeros all over: dropout on a weight that an exporter computed once.

    Rows or columns that are zero as a whole, and single zeros, are none. A pruned weight looks the same, so this only
    means something in an artifact that is to be trained with.
    """
    found = {}
    for node in scope.graph.node:
        for position in _WEIGHTED.get(node.op_type, ()):
            name = node.input[position] if position < len(node.input) else ""
            is_table = node.op_type == "Gather"
            if name in scope.constants and (
                has_scattered_zeros(scope.constants[name]) or (is_table and has_dropped_rows(scope.constants[name]))
            ):
                found[name] = _weight_site(scope, node, name)
    return list(found.values())


def has_scattered_zeros(value: NDArray[Any]) -> bool:
    """Whether a weight holds scattered exact zeros: all over its rows and columns, filling none, and in no order.

    Bands, blocks and the like are how a filter bank or a layer of groups is made.
    """
    if value.size < _FEWEST_WEIGHTS or value.dtype.kind != "f" or value.ndim < 2:
        return False
    zero = value == 0
    share = float(zero.mean())
    if not _LEAST_SHARE <= share <= 1 - _LEAST_SHARE or len(distinct(value[~zero])) < 2:
        return False
    table = zero.reshape(-1, zero.shape[-1])
    spread = [table.mean(axis=axis) for axis in (0, 1)]
    spread_out = all(float(each.max()) < 1 and float(np.mean(each > 0)) > 0.5 for each in spread)
    return spread_out and is_scattered(~table)


def has_dropped_rows(table: NDArray[Any]) -> bool:
    """Whether an embedding table has rows of zeros all over, as dropout of whole words leaves them."""
    if table.ndim != 2 or table.dtype.kind != "f" or table.shape[1] < 2:
        return False
    rows = np.all(table == 0, axis=1)
    return bool(_FEWEST_ROWS <= rows.sum() < rows.size and not _is_ordered(~rows, 0))


def looks_like_mask(value: NDArray[Any] | None) -> bool:
    """Whether a constant holds zeros and one value of at least 1, in no order.

    Ones that are followed by zeros along an axis only, as in padding and causal masks, are not dropout, nor are
    patterns, as of every second feature or of groups; a single one selects.
    """
    if value is None or value.dtype.kind not in "fb" or value.size < _FEWEST_CELLS:
        return False
    highest = value.max()
    if not np.isfinite(highest) or highest < 1 or not np.all((value == 0) | (value == highest)):
        return False
    kept = _without_repeats(value != 0)
    if kept.size < _FEWEST_CELLS or not 0 < kept.mean() < 1 or (highest == 1 and kept.sum() == 1):
        return False
    return not any(_is_ordered(kept, i) for i in range(kept.ndim)) and not is_patterned(kept)


def _without_repeats(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out axes along which nothing changes: a mask that was stretched over time holds each cell once."""
    for axis in range(kept.ndim):
        if np.all(kept == kept.take([0], axis=axis)):
            kept = kept.take([0], axis=axis)
    return kept


def _is_ordered(kept: NDArray[np.bool_], axis: int) -> bool:
    """Whether cells never rise, or never fall, along an axis, where a random mask would hardly do so.

    Of n independent cells the chance to come in this order is sum_k q^k (1-q)^(n-k), for each line along the axis.
    """
    extent = kept.shape[axis]
    steps = np.diff(kept.astype(np.int8), axis=axis)
    if extent < 2 or not (np.all(steps <= 0) or np.all(steps >= 0)):
        return False
    share = float(kept.mean())
    chance = sum(share**k * (1 - share) ** (extent - k) for k in range(extent + 1))
    return bool(chance ** (kept.size // extent) < _CHANCE_OF_ORDER)


def _site(scope: Scope, node: onnx.NodeProto, data: str, mask: str) -> GraphSite:
    return GraphSite(
        name=node.name,
        path=scope.path,
        implementation=Implementation.CONSTANT_MASK,
        placement=place(scope, data, node.output[0]),
        declared_keep_prob=None,
        source=data,
        result=node.output[0],
        mask=mask,
        draw=mask,
        maker=node.name,
    )


def _weight_site(scope: Scope, node: onnx.NodeProto, name: str) -> GraphSite:
    return GraphSite(
        name=f"{node.name}/{name}",
        path=scope.path,
        implementation=Implementation.CONSTANT_MASK,
        placement=Placement.EMBEDDING if node.op_type == "Gather" else Placement.WEIGHT,
        declared_keep_prob=None,
        source=name,
        result=name,
        mask=name,
        draw=name,
        maker=node.name,
    )
