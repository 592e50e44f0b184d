"""Masks that an exporter froze into constants, as sites."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.placement import place
from dropaudit.graph.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.report import Implementation

_FEWEST_CELLS = 8


def frozen_masks(scope: Scope) -> list[GraphSite]:
    """Return the products of data with a constant that looks like a mask: zeros, and one other value.

    Mul(x, [[2, 0, 2, 2, 0, …]]) -> y : source x, result y.
    """
    found = []
    for node in scope.graph.node:
        if node.op_type == "Mul":
            masks = [name for name in node.input if looks_like_mask(scope.constants.get(name))]
            data = [name for name in node.input if name not in scope.constants]
            if len(masks) == 1 and len(data) == 1:
                found.append(_site(scope, node, data[0], masks[0]))
    return found


def looks_like_mask(value: NDArray[Any] | None) -> bool:
    """Whether a constant holds zeros and one value of at least 1, in no order.

    Ones that are followed by zeros along an axis only, as in padding and causal masks, are no dropout.
    """
    if value is None or value.size < _FEWEST_CELLS or value.dtype.kind != "f":
        return False
    highest = value.max()
    if not np.isfinite(highest) or highest < 1 or not np.all((value == 0) | (value == highest)):
        return False
    kept = int(np.count_nonzero(value))
    return 0 < kept < value.size and not any(_is_padding(value, axis) for axis in range(value.ndim))


def _is_padding(value: NDArray[Any], axis: int) -> bool:
    """Whether values never rise, or never fall, along an axis, and do change."""
    if value.shape[axis] < 2:
        return False
    steps = np.diff(value, axis=axis)
    return bool(np.any(steps)) and bool(np.all(steps <= 0) or np.all(steps >= 0))


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
    )
