"""The truth about a graph, measured on its own interpreter over many replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from dropaudit_evaluation.spellings.intention import Law, SiteIntention
from dropaudit_evaluation.spellings.network.build import Built
from dropaudit_evaluation.spellings.network.network import FIXED_BATCH
from dropaudit_evaluation.spellings.network.others import VOCABULARY
from dropaudit_evaluation.spellings.numbers.interpreter import Interpreter
from dropaudit_evaluation.spellings.numbers.streams import Streams
from dropaudit_evaluation.spellings.numbers.values import Value

REPLICATES = 400
# Where masks hang together, their effect on the mean cannot be derived; time steps are replicates too.
_JOINT_REPLICATES, _JOINT_IN_TIME = 8000, 1600


@dataclass(frozen=True, slots=True)
class SiteTruth:
    """Observations of one site; the arrays have the replicates first, and one iteration of a body after the other.

    Attributes:
        site: what it is meant to be.
        kept: cells that are not zero, among those whose data is not.
        seen: cells whose data is not zero.
        ratio: result over data where both are not zero, NaN elsewhere.
        data, result: around the site.
    """

    site: SiteIntention
    kept: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    ratio: NDArray[np.float64]
    data: NDArray[Any]
    result: NDArray[Any]

    @property
    def keep_rate(self) -> float:
        """Share of cells that were kept."""
        return float(self.kept.sum() / self.seen.sum())

    @property
    def never_drops(self) -> bool:
        """Whether every cell was kept in every replicate."""
        return bool(np.all(self.kept == self.seen))

    @property
    def never_changes(self) -> bool:
        """Whether no cell is kept in one replicate and dropped in another."""
        return not np.any(self.kept.any(axis=0) & self.dropped.any(axis=0))

    @property
    def dropped(self) -> NDArray[np.bool_]:
        """Cells that are zero though their data is not."""
        dropped: NDArray[np.bool_] = self.seen & ~self.kept
        return dropped

    def agrees_along(self, axis: int) -> bool:
        """Whether all cells along an axis of the graph are kept or dropped together."""
        return not np.any(self.kept.any(axis=axis + 2) & self.dropped.any(axis=axis + 2))


@dataclass(frozen=True, slots=True)
class Truth:
    """Observations of one graph.

    Attributes:
        sites: in the order of the intentions.
        scales: of each replicate, the projection of its output on the output without any site.
        feeds: what it was run on, where what masks do to the mean depends on the data; None where it does not.
    """

    sites: tuple[SiteTruth, ...]
    scales: NDArray[np.float64]
    feeds: Mapping[str, NDArray[Any]] | None = None


def measure(built: Built, rng: np.random.Generator) -> Truth:
    """Run a graph as it is for its output, and with its sites bypassed for what each of them does.

    Behind a bypass the data of a site is the same in all replicates, and zero nowhere because of another site.
    """
    feeds = _feeds(built, rng)
    bypass = {site.result: site.data for site in built.sites}
    apart = Interpreter(built.model, Streams(REPLICATES, rng), [*bypass.values()], bypass)
    (reference,) = apart.run(feeds)
    (output,) = Interpreter(built.model, Streams(_replicates_of(built), rng)).run(feeds)
    sites = tuple(_site_truth(site, apart.watched[site.data], apart.bypassed[site.result]) for site in built.sites)
    return Truth(sites, _scales(output, reference), feeds if _hang_together(built) else None)


def _hang_together(built: Built) -> bool:
    """Whether masks of two sites are not independent of each other."""
    seeds = [site.seed for site in built.sites if site.seed is not None]
    return len(set(seeds)) < len(seeds) or any(site.shares_mask for site in built.sites)


def _replicates_of(built: Built) -> int:
    """Return how many replicates the output needs."""
    if not _hang_together(built):
        return REPLICATES
    has_time = len(built.model.graph.output[0].type.tensor_type.shape.dim) > 2
    return _JOINT_IN_TIME if has_time else _JOINT_REPLICATES


def _feeds(built: Built, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    return {info.name: _made(info, built, rng) for info in built.model.graph.input}


def _made(info: onnx.ValueInfoProto, built: Built, rng: np.random.Generator) -> NDArray[Any]:
    tensor = info.type.tensor_type
    shape = tuple(dim.dim_value or FIXED_BATCH for dim in tensor.shape.dim)
    if info.name == "training":
        return np.asarray(all(site.law is not Law.OFF for site in built.sites))
    if tensor.elem_type == TensorProto.BOOL:
        return np.asarray("condition:not of an input" not in built.record)
    if tensor.elem_type == TensorProto.INT64:
        return rng.integers(1, VOCABULARY, shape)
    return rng.standard_normal(shape).astype(np.float32)


def _site_truth(site: SiteIntention, data: list[Value], result: list[Value]) -> SiteTruth:
    after = _turns(result)
    before = np.broadcast_to(_turns(data)[:, : after.shape[1]], after.shape)
    seen = before != 0
    kept = seen & (after != 0)
    ratio = np.full(after.shape, np.nan)
    np.divide(after, before, out=ratio, where=kept, casting="unsafe")
    return SiteTruth(site, kept, seen, ratio, before, after)


def _turns(values: list[Value]) -> NDArray[Any]:
    """Stack the turns of a body behind the replicates."""
    return np.stack(np.broadcast_arrays(*values), axis=1)


def _scales(output: Value, reference: Value) -> NDArray[np.float64]:
    y = reference.reshape(-1).astype(np.float64)
    whole = output.reshape(output.shape[0], -1).astype(np.float64)
    scales: NDArray[np.float64] = whole @ y / (y @ y)
    return scales
