"""The factor of a pair's inference artifact at each site of the train artifact: found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.facts.weight_comparison import WeightComparison, compare_weights
from dropaudit.graph.passes.site_factors import with_factors
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case
from dropaudit.measure.finding.exchanged_weights import unnoticed
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

SAME = 1e-3
# The gap that arithmetic leaves of factors that are right, and how much nearer more factors must come than fewer.
_EXACT, _NEARER = 1e-5, 0.5
# The same where one artifact holds its weights in fewer digits.
_ROUNDED = 5e-2
# Three factors for each of so many sites are tried in all combinations; of more sites, one at a time and all together.
_COMBINED = 4
_SMALLEST, _LARGEST, _POINTS, _HALVINGS = 0.02, 50.0, 40, 40

# Steps of a fit of several factors at once, and what a factor's logarithm is moved by to see its slope.
_STEPS, _NUDGE = 12, 1e-2
# How far a factor may lie from a keep probability that was only seen, as a share of it, and steps to find it.
_ROOM, _NARROWINGS = 0.05, 30

Factors = tuple[float, ...]


class PairStudy(msgspec.Struct, frozen=True):
    """How the two artifacts of a pair relate.

    Attributes:
        weights: their weights, compared; of those with other numbers under one name, `renumbered` are the ones whose
            other numbers change no output.
        factors: by site, what inference multiplies its data by; None where no factors make the train artifact, with
            its sites bypassed, give the outputs of the other.
        gap: distance of the outputs that is left then, relative to their norm.
    """

    weights: WeightComparison
    factors: Mapping[GraphSite, float] | None
    gap: float = 0.0

    @property
    def is_alike(self) -> bool:
        """Whether the outputs of the inference artifact are those that the train artifact would have without sites."""
        rounded = self.weights.rounded and all(factor == 1 for factor in (self.factors or {}).values())
        return self.factors is not None and not rounded


def study_pair(
    case: Case, silent: onnx.ModelProto, wanted: Mapping[str, Array], place: Device, seeds: np.random.Generator
) -> PairStudy | None:
    """Compare the artifacts of a pair; None for a single artifact.

    Args:
        case: the subject.
        silent: its train artifact with every site bypassed.
        wanted: outputs of the inference artifact, by the train artifact's names.
        place: where to run.
        seeds: source of the runtime's seeds.
    """
    if case.inference is None:
        return None
    weights = compare_weights(case.model.proto, case.inference.proto)
    sites = tuple(site for site in case.model.active if site.law is not None and site.law.is_plain and not site.other)
    try:
        trier = _Trier(case, silent, sites, wanted, place, seeds)
        find = trier.nearest if weights.rounded else trier.factors
        found = find(fitted=not weights.different)
        if found is None:
            return PairStudy(weights, None)
        names, other = weights.renumbered, case.inference.proto
        left = unnoticed(silent, other, names, case.plain_feeds, tuple(wanted), place, seeds)
        return PairStudy(replace(weights, renumbered=left), *found)
    except (ExecutionFailed, InvalidModel):
        return PairStudy(weights, None)


def _exponential(powers: NDArray[np.float64]) -> Factors:
    return tuple(float(each) for each in np.exp(np.clip(powers, -10.0, 10.0)))


class _Trier:
    def __init__(
        self,
        case: Case,
        silent: onnx.ModelProto,
        sites: Sequence[GraphSite],
        wanted: Mapping[str, Array],
        place: Device,
        seeds: np.random.Generator,
    ) -> None:
        self._sites = tuple(sites)
        self._wanted = wanted
        self._feeds = case.plain_feeds
        self._keep_probs = [site.keep_prob_as_run or case.keep_prob for site in sites]
        model, self._names = with_factors(silent, sites)
        self._session = Session(model, place, seeds)

    def factors(self, *, fitted: bool) -> tuple[dict[GraphSite, float], float] | None:
        """Try 1 everywhere, then q and 1/q, then fit factors; None where nothing gives the same outputs."""
        for found in (*self._known(), *self._beside_shares()):
            if self._reproduces(found, SAME):
                return self._with_gap(found)
        return self._nearest_fit() if fitted else None

    def _nearest_fit(self) -> tuple[dict[GraphSite, float], float] | None:
        """Return the first fit that is exact, else the nearest: one factor may pass for two of which one is near 1."""
        nearest: tuple[dict[GraphSite, float], float] | None = None
        for found in self._fitted():
            if not self._reproduces(found, SAME):
                continue
            fit = self._with_gap(found)
            if fit[1] <= _EXACT:
                return fit
            nearest = fit if nearest is None or fit[1] < _NEARER * nearest[1] else nearest
        return nearest

    def nearest(self, *, fitted: bool) -> tuple[dict[GraphSite, float], float] | None:
        """Return the nearest of the known factors, as `factors` does: of rounded weights the outputs differ anyway."""
        gaps = {found: self._gap(found) for found in dict.fromkeys(self._known())}
        for found in (min(gaps, key=lambda each: gaps[each]), *(self._fitted() if fitted else ())):
            if self._reproduces(found, _ROUNDED):
                return self._with_gap(found)
        return None

    def _with_gap(self, found: Factors) -> tuple[dict[GraphSite, float], float]:
        norm = sum(float(np.sum(np.square(value, dtype=np.float64))) for value in self._wanted.values())
        return dict(zip(self._sites, found, strict=True)), math.sqrt(self._gap(found) / (norm or 1.0))

    def _beside_shares(self) -> Iterator[Factors]:
        """Where rates are not declared, fit q or 1/q of those sites beside the shares that were seen."""
        seen = [q or site.share for q, site in zip(self._keep_probs, self._sites, strict=True)]
        if seen == self._keep_probs:
            return
        nearest = min(self._combinations(seen), key=self._gap)
        powers = [0.0 if q else float(np.sign(f - 1)) for q, f in zip(self._keep_probs, nearest, strict=True)]

        def moved(by: float) -> Factors:
            return tuple(factor * by**power for factor, power in zip(nearest, powers, strict=True))

        yield moved(self._lowest(lambda by: self._gap(moved(by)), 1 - _ROOM, 1 + _ROOM, _NARROWINGS))

    def _known(self) -> Iterator[Factors]:
        return self._combinations(self._keep_probs)

    def _combinations(self, keep_probs: Sequence[float | None]) -> Iterator[Factors]:
        """Yield 1 everywhere, then 1, q and 1/q of each site; of many sites, at one site alone or at all alike."""
        ones = (1.0,) * len(self._sites)
        yield ones
        choices = [(1.0,) if q is None or not 0 < q < 1 else (1.0, q, 1 / q) for q in keep_probs]
        if len(choices) <= _COMBINED:
            yield from product(*choices)
            return
        for i in (1, 2):
            yield tuple(options[i % len(options)] for options in choices)
        for position, options in enumerate(choices):
            for value in options[1:]:
                yield (*ones[:position], value, *ones[position + 1 :])

    def _fitted(self) -> Iterator[Factors]:
        """One factor for all sites, then one for each site alone, then one for each together."""
        count = len(self._sites)
        groups = [tuple(range(count)), *((i,) for i in range(count) if count > 1)]
        for group in groups[: 1 + _COMBINED]:
            yield self._best(group)
        if 1 < count <= _COMBINED:
            yield self._descended()

    def _descended(self) -> Factors:
        """Fit a factor for each site by Gauss and Newton, in logarithms and with a bounded step."""
        wanted, powers = self._flat(self._wanted), np.zeros(len(self._sites))
        for _ in range(_STEPS):
            here = self._flat(self._run(_exponential(powers)))
            moved = [self._flat(self._run(_exponential(powers + row))) for row in _NUDGE * np.eye(len(powers))]
            slopes = (np.stack(moved, axis=1) - here[:, None]) / _NUDGE
            if not (np.all(np.isfinite(slopes)) and np.all(np.isfinite(here))):
                break
            step = np.linalg.lstsq(slopes, wanted - here, rcond=None)[0]
            powers = powers + np.clip(step, -1.0, 1.0)
        return _exponential(powers)

    def _flat(self, outputs: Mapping[str, Array]) -> NDArray[np.float64]:
        return np.concatenate([np.asarray(outputs[name], np.float64).ravel() for name in self._wanted])

    def _best(self, group: Iterable[int]) -> Factors:
        inside = set(group)

        def at(factor: float) -> Factors:
            return tuple(factor if i in inside else 1.0 for i in range(len(self._sites)))

        grid = np.geomspace(_SMALLEST, _LARGEST, _POINTS)
        nearest = int(np.argmin([self._gap(at(float(factor))) for factor in grid]))
        low, high = float(grid[max(0, nearest - 1)]), float(grid[min(_POINTS - 1, nearest + 1)])
        return at(self._lowest(lambda factor: self._gap(at(factor)), low, high, _HALVINGS))

    def _lowest(self, gap: Callable[[float], float], low: float, high: float, steps: int) -> float:
        """Return where a gap with one minimum between two bounds is smallest, by ternary search."""
        for _ in range(steps):
            first, second = low + (high - low) / 3, high - (high - low) / 3
            low, high = (low, second) if gap(first) < gap(second) else (first, high)
        return (low + high) / 2

    def _run(self, factors: Factors) -> Mapping[str, Array]:
        fed = {name: np.array(value, dtype) for (name, dtype), value in zip(self._names, factors, strict=True)}
        return self._session.run({**self._feeds, **fed}, tuple(self._wanted))

    def _gap(self, factors: Factors) -> float:
        found = self._run(factors)
        if any(found[name].shape != value.shape for name, value in self._wanted.items()):
            return float("inf")
        gaps = (np.asarray(found[name], np.float64) - value for name, value in self._wanted.items())
        total = sum(float(np.sum(np.square(gap))) for gap in gaps)
        return total if np.isfinite(total) else float("inf")

    def _reproduces(self, factors: Factors, precision: float) -> bool:
        found = self._run(factors)
        return all(agree(value, found[name], precision) for name, value in self._wanted.items())
