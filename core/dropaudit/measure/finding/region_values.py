"""A region run by itself, over many draws, on the data that it really gets."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.draws.elementwise_region import Region, Root, model_of
from dropaudit.graph.reading.dropout_operator import ratio_of
from dropaudit.graph.reading.random_types import NORMAL, UNIFORM
from dropaudit.graph.reading.scope import Scope
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.stats.fits import distinct
from dropaudit.subjects import Array

Shape = tuple[int, ...]

# Draws of each cell: they lie in as many equal parts of its range, so that what happens once in 64 is seen.
_RUNS, _FEWEST_RUNS = 64, 8
# Numbers drawn for one region in all.
_DRAWN = 2**22
# Elements of a tensor that are looked at.
_SAMPLED = 2048


@dataclass
class RegionValues:
    """The values of a region's tensors over several runs.

    Attributes:
        region: the region.
        fixed: value of every tensor that enters, in the run that the region's data was taken from.
        shapes: by tensor.
    """

    region: Region
    fixed: Mapping[str, Array]
    shapes: Mapping[str, Shape]
    _places: dict[Shape, NDArray[np.intp]] = field(default_factory=dict)
    _values: dict[tuple[str, Shape], list[NDArray[Any]]] = field(default_factory=dict)

    def of(self, name: str, shape: Shape | None = None) -> NDArray[Any] | None:
        """Return sampled elements of a tensor over the runs, shape (runs, elements); None where it does not fit.

        Args:
            name: a tensor of the region, one that enters it, or a constant.
            shape: the shape that it is broadcast to; its own when None. Tensors of one shape have the same elements
                sampled.
        """
        own = self.shapes.get(name)
        if own is None:
            constant = self.region.scope.constants.get(name)
            own = None if constant is None else constant.shape
        target = own if shape is None else shape
        if own is None or target is None or not _fits(own, target):
            return None
        found = self._values.get((name, target))
        if found is not None:
            return np.stack(found)
        still = self.fixed.get(name, self.region.scope.constants.get(name))
        return None if still is None else self._picked(np.asarray(still), target)[None]

    def take(self, found: Mapping[str, Array], wanted: Sequence[tuple[str, Shape]]) -> None:
        """Take in the tensors of one run."""
        for name, shape in wanted:
            if name in found and _fits(found[name].shape, shape):
                self._values.setdefault((name, shape), []).append(self._picked(found[name], shape))

    def _picked(self, value: Array, shape: Shape) -> NDArray[Any]:
        size = math.prod(shape)
        flat = np.broadcast_to(value, shape).reshape(-1) if size <= _SAMPLED else None
        if flat is not None:
            return np.array(flat)
        if shape not in self._places:
            self._places[shape] = np.random.default_rng(size).integers(0, size, _SAMPLED)
        index = np.unravel_index(self._places[shape], shape)
        return np.asarray(np.broadcast_to(value, shape)[index])


def _fits(shape: Shape, target: Shape) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


class RegionRunner:
    """Runs a region on draws of our own making."""

    def __init__(
        self,
        region: Region,
        like: onnx.ModelProto,
        data: Mapping[str, Array],
        place: Device,
        seeds: np.random.Generator,
    ) -> None:
        """Make a session of the region.

        Args:
            region: the region.
            like: the model that it is a part of.
            data: a value of each root and of all that enters, from one run of that model.
            place: where to run.
            seeds: source of randomness.

        Raises:
            InvalidModel: the runtime refuses the part.
        """
        self.region = region
        self._data = dict(data)
        self._rng = np.random.default_rng(int(seeds.integers(2**63)))
        self._tensors = tuple(name for node in region.nodes for name in node.output if name)
        self._session = Session(model_of(region, like, data, self._tensors), place, seeds)
        self._strata: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        drawn = sum(self._data[root.tensor].size for root in region.roots)
        # A power of two, so that odd steps go through all parts.
        self.runs = 2 ** (max(_FEWEST_RUNS, min(_RUNS, _DRAWN // max(1, drawn))).bit_length() - 1)

    def run(self, drawn: Mapping[str, Array], names: Sequence[str] | None = None) -> dict[str, Array]:
        """Run once with given values of the roots. Raises ExecutionFailed."""
        feeds = {name: value for name, value in (self._data | dict(drawn)).items() if name in self._session.input_names}
        wanted = [name for name in names or self._tensors if name in self._session.output_names]
        return self._session.run(feeds, wanted) | {name: value for name, value in drawn.items()}

    def values(self) -> RegionValues:
        """Run many times and keep what the elements were. Raises ExecutionFailed."""
        first = self.run(self.draw(0))
        shapes = {name: value.shape for name, value in (self._data | first).items()}
        drawn = {root.tensor for root in self.region.roots}
        fixed = {name: value for name, value in self._data.items() if name not in drawn}
        found = RegionValues(self.region, fixed, shapes)
        wanted = list(dict.fromkeys(self._views(shapes)))
        for number in range(self.runs):
            found.take(self.run(self.draw(number)), wanted)
        return found

    def value(self, name: str) -> Array:
        """Return a tensor that enters, or a constant."""
        return self._data[name] if name in self._data else self.region.scope.constants[name]

    def largest(self, name: str) -> float:
        """Return the largest number of a tensor that enters, or a constant, in the run that it was taken from."""
        return float(np.max(np.abs(self.value(name))))

    def mask_values(self, name: str) -> tuple[float, float] | None:
        """Return the two values of a mask, the smaller first; None where a few draws show another number of them."""
        drawn = [np.ravel(self.run(self.draw(number), (name,))[name]) for number in range(_FEWEST_RUNS)]
        found = distinct(np.concatenate(drawn))
        return (float(found[0]), float(found[1])) if len(found) == 2 else None

    def _views(self, shapes: Mapping[str, Shape]) -> list[tuple[str, Shape]]:
        """Each tensor in its own shape, and in the shapes of the tensors made of it."""
        made = [name for name in (*self._tensors, *(root.tensor for root in self.region.roots))]
        views = [(name, shapes[name]) for name in made]
        for node in self.region.nodes:
            views += [(name, shapes[node.output[0]]) for name in node.input if name in self.region.touched]
        return views

    def draw(self, number: int) -> dict[str, Array]:
        """Draw every root once more, each by itself whatever its seed: the law of one site is wanted."""
        return {root.tensor: self._one(root, number) for root in self.region.roots}

    def _one(self, root: Root, number: int) -> Array:
        like, node = self._data[root.tensor], root.node
        if node is None:
            # Noise from outside comes as it came in the run that was looked at, with its cells exchanged.
            return self._rng.permutation(like.reshape(-1)).reshape(like.shape)
        uniform = self._uniform(node.name, like.shape, number)
        return drawn_by(self.region.scope, root, uniform, like, self._data)

    def _uniform(self, stream: str, shape: Shape, number: int) -> NDArray[np.float64]:
        """Return numbers in (0, 1): over as many runs as there are, one in each of as many equal parts.

        Further runs visit the parts in another order: what two draws decide together would else repeat itself.
        """
        key = f"{stream}{shape}{number // self.runs}"
        if key not in self._strata:
            first, step = (self._rng.integers(0, self.runs, shape, dtype=np.int64) for _ in range(2))
            self._strata[key] = (first, 2 * step + 1)
        first, step = self._strata[key]
        shift = np.random.default_rng(zlib.crc32(f"{key} {number}".encode())).random(shape)
        return np.asarray(((first + number * step) % self.runs + 0.001 + 0.998 * shift) / self.runs)


def drawn_by(scope: Scope, root: Root, uniform: NDArray[np.float64], like: Array, known: Mapping[str, Array]) -> Array:
    """Return what an operator makes of a uniform draw on (0, 1), as the runtime computes it.

    Args:
        scope: the graph it lies in.
        root: what it draws.
        uniform: the draw, in the shape of `like`.
        like: a value of the root: its type.
        known: values of tensors that it reads.
    """
    node = root.node
    assert node is not None
    numbers = {attribute.name: attribute.f for attribute in node.attribute}
    if node.op_type in UNIFORM:
        low, high = numbers.get("low", 0.0), numbers.get("high", 1.0)
        return (low + (high - low) * uniform).astype(like.dtype)
    if node.op_type in NORMAL:
        return (numbers.get("mean", 0.0) + numbers.get("scale", 1.0) * _normal(uniform)).astype(like.dtype)
    if node.op_type == "Bernoulli":
        # The runtime draws one with the probability of zero, see the measured facts.
        chance = known.get(node.input[0], scope.constants.get(node.input[0]))
        return np.asarray(uniform > np.asarray(chance)).astype(like.dtype)
    if node.op_type == "Multinomial":
        ends = chances_of(known.get(node.input[0], scope.constants.get(node.input[0]))).cumsum(axis=-1)
        return np.asarray((uniform[..., None] >= ends[..., None, :-1]).sum(axis=-1)).astype(like.dtype)
    ratio = ratio_of(scope, node) or 0.0
    kept = uniform >= ratio
    if root.position == 1:
        return kept
    # Of a mask of few cells, what came out may have been dropped as a whole: what goes in says what is kept.
    value = np.asarray(known.get(node.input[0], scope.constants.get(node.input[0])), dtype=np.float64)
    return np.where(kept, value / (1 - ratio), 0).astype(like.dtype)


def chances_of(logarithms: Array | None) -> NDArray[np.float64]:
    """Return the chances of the categories of a Multinomial, whose logarithms it is fed up to a constant."""
    found = np.asarray(logarithms, dtype=np.float64)
    chances = np.exp(found - found.max(axis=-1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=-1, keepdims=True))


def _normal(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return normal draws for uniform ones: quantiles between 4,097 tabled ones, exact to 1e-5 in the middle."""
    return np.interp(uniform, _CUMULATIVE, _QUANTILES)


_QUANTILES = np.linspace(-6.0, 6.0, 4097)
_CUMULATIVE = np.array([0.5 * (1 + math.erf(z / math.sqrt(2))) for z in _QUANTILES])
