"""Masks whose keep probability differs from feature to feature, scaled by a factor for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import Law
from dropaudit.graph.sites.own_scale import SiteExtent
from dropaudit.measure.finding.region_sites import Applied
from dropaudit.measure.finding.region_values import RegionValues
from dropaudit.stats.fits import distinct

# A share of 64 draws, one from each part of the range, is known to about this much.
_NEAR = 0.15
_MOST = 0.9


def with_scale_by_feature(scope: Scope, values: RegionValues, applied: Applied) -> SiteExtent | None:
    """Take in a factor for each feature beside an unscaled mask where it is what its rates ask for; None where not.

        Div(x, [0.5, 0.8, 0.9]) -> s ; Mul(s, Less(u, [0.5, 0.8, 0.9])) -> y      source x, result y

    Args:
        scope: the graph.
        values: what its tensors are over many draws.
        applied: the mask on data.
    """
    shape = values.shapes[applied.result]
    after, before = values.of(applied.result), values.of(applied.source, shape)
    if after is None or before is None:
        return None
    telling = np.broadcast_to(np.abs(before) > 0, after.shape)
    kept = (np.abs(after) > 0).sum(axis=0) / np.maximum(telling.sum(axis=0), 1)
    for source, result, factors in _beside(scope, values, applied):
        right = np.abs(factors * kept - 1) < _NEAR
        if right[telling.any(axis=0)].mean() > _MOST:
            return SiteExtent(source, result, Law(slope=1.0))
    return None


def _beside(scope: Scope, values: RegionValues, applied: Applied) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    producer, reader = scope.producers.get(applied.source), scope.sole_reader(applied.result)
    if producer is not None and (found := _factors(scope, values, producer, applied.result)) is not None:
        yield found[0], applied.result, found[1]
    if reader is not None and (found := _factors(scope, values, reader, applied.result)) is not None:
        yield applied.source, reader.output[0], found[1]


def _factors(
    scope: Scope, values: RegionValues, node: onnx.NodeProto, result: str
) -> tuple[str, NDArray[np.float64]] | None:
    if node.op_type not in ("Mul", "Div"):
        return None
    for data, constant in (tuple(node.input), tuple(reversed(node.input)))[: 2 if node.op_type == "Mul" else 1]:
        found = scope.constants.get(constant)
        if found is None or found.dtype.kind != "f" or len(distinct(found)) < 2:
            continue
        picked = values.of(constant, values.shapes[result])
        if picked is not None:
            numbers = np.asarray(picked[0], dtype=np.float64)
            return data, 1 / numbers if node.op_type == "Div" else numbers
    return None
