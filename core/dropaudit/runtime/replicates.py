"""Replicates: train-mode executions with fresh masks, drawn so that they are a valid sample.

A loop of single runs on ONNX Runtime's CPU provider is not such a sample: consecutive runs draw correlated masks. One
run on the input repeated K times along its batch axis is: its masks come from one stretch of one generator. Where a
model cannot be tiled, each run gets a random seed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit.errors import ShapeVaries
from dropaudit.graph.passes.loops.replicates import COUNT, replicates_of
from dropaudit.graph.passes.reductions import MaskPlace
from dropaudit.runtime.session import Tensors

Axes = Mapping[str, int]
Shapes = Mapping[str, tuple[int, ...]]
Found = TypeVar("Found")
# Takes the number of replicates before a piece, and the piece.
Use = Callable[[int, Tensors], Found]
_SINGLE_RUNS = 256


class Weighed(Protocol):
    """An output that is projected on weights; see `dropaudit.measure.meters.output_meter.OutputMeter`."""

    @property
    def weights(self) -> NDArray[np.floating]:
        """The reference over its largest magnitude, shape (elements,)."""
        ...

    @property
    def weight_limit(self) -> float:
        """Magnitude of a weight up to which it tells nothing."""
        ...

    @property
    def fold(self) -> tuple[int, int, int]:
        """Extents before, of and after the axis whose steps are told apart."""
        ...

    @property
    def divisor(self) -> NDArray[np.floating]:
        """The reference, infinite where it tells nothing."""
        ...


class Reduction(msgspec.Struct, frozen=True):
    """Counts taken on a device in each replicate; see `dropaudit.runtime.counters`.

    Attributes:
        masks: tensors before and after a mask.
        seen: smallest and largest factor of a mask so far, by the tensor after it.
        outputs: what outputs are compared with, by name.
        fixed: tensors that are the same in all replicates.
    """

    masks: tuple[MaskPlace, ...]
    seen: Mapping[str, tuple[float, float]]
    outputs: Mapping[str, Weighed]
    fixed: Tensors

    @property
    def tensors(self) -> tuple[str, ...]:
        """Tensors that are drawn."""
        before = [mask.before for mask in self.masks if not mask.is_fixed]
        return tuple(dict.fromkeys([*before, *(mask.after for mask in self.masks), *self.outputs]))


# Whether two tensors have their elements and replicates at the same places.
Alike = Callable[[str, str], bool]


@runtime_checkable
class Reduces(Protocol):
    """A use of replicates that is content with counts of most of them."""

    @property
    def whole(self) -> int:
        """The first replicates, whose elements are needed all the same."""
        ...

    def counts_suffice(self, fixed: Tensors, alike: Alike) -> bool:
        """Whether counts are enough, given tensors that no randomness reaches."""
        ...

    def reduction(self, fixed: Tensors) -> Reduction:
        """Return what to count, when the elements of the first replicates have been looked at."""
        ...

    def glimpse(self, draws: Tensors, fixed: Tensors) -> Any:
        """Use the first elements of a few replicates that are counted beside, shape (n, elements)."""
        ...

    def counted(self, counts: Tensors, whole: Callable[[], Any]) -> Any:
        """Use the counts of a piece, or what `whole` makes of its elements where the counts do not tell."""
        ...


class Runs(Protocol):
    """Runs a model, each time with other random numbers."""

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        """Run once and return the named outputs."""
        ...


class Sampler(Protocol):
    """Draws replicates of named tensors."""

    @property
    def name(self) -> str:
        """The name of this sampling strategy in the report."""
        ...

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """Draw `count` replicates of the named tensors, piece by piece, and yield what `use` makes of each piece.

        A piece has its replicates along a new first axis, and is forgotten when `use` returns; `use` may be called in
        another thread. Yielded are the number of replicates of a piece and its result, in the order of the pieces.
        """
        ...

    def affordable(self, names: Sequence[str]) -> int | None:
        """Return how many more replicates of the named tensors are worth their time; None where any number is."""
        ...


class Layout(Protocol):
    """Feeds and results of a run that draws many replicates."""

    @property
    def name(self) -> str:
        """The name of the sampling strategy in the report."""
        ...

    def drawn(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names that a run must return for some tensors."""
        ...

    def repeated(self, count: int) -> Tensors:
        """Return the inputs of `count` replicates."""
        ...

    def split(self, found: Tensors, names: Sequence[str], count: int) -> Tensors:
        """Return the named tensors with replicates along a new first axis. Raises ShapeVaries."""
        ...


class Iterations(msgspec.Struct, frozen=True):
    """Feeds and results of a model that draws replicates one after the other, see `graph.passes.loops.replicates`.

    Attributes:
        feeds: one replicate's inputs.
        fixed: tensors that no randomness reaches, for one replicate: they are known without a run.
        shapes: shapes of one replicate.
    """

    feeds: Tensors
    fixed: Tensors
    shapes: Shapes

    @property
    def name(self) -> str:
        """See Layout."""
        return "looped"

    def drawn(self, names: Sequence[str]) -> tuple[str, ...]:
        """See Layout."""
        return tuple(replicates_of(name) for name in names if name not in self.fixed)

    def repeated(self, count: int) -> Tensors:
        """See Layout."""
        return {**self.feeds, COUNT: np.array(count)}

    def split(self, found: Tensors, names: Sequence[str], count: int) -> Tensors:
        """See Layout."""
        return {name: self._split(name, found, count) for name in names}

    def _split(self, name: str, found: Tensors, count: int) -> NDArray[Any]:
        if name in self.fixed:
            return same_in_all(self.fixed[name], count)
        value = found[replicates_of(name)]
        if value.shape != (count, *self.shapes[name]):
            raise ShapeVaries(name, self.shapes[name], value.shape[1:])
        return value


@dataclass(frozen=True, slots=True)
class Tile:
    """Feeds and results of replicates that lie along a batch axis.

    Attributes:
        feeds: one replicate's inputs.
        input_axes: batch axis of each input that has one.
        output_axes: batch axis of each tensor to return.
        fixed: tensors that no randomness reaches, for one replicate: they are known without a run.
        shapes: shapes of one replicate; of a tensor that is not among them, any.
    """

    feeds: Tensors
    input_axes: Axes
    output_axes: Axes
    fixed: Tensors = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)
    _last: dict[int, Tensors] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """See Layout."""
        return "tiled"

    def drawn(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names that a run must return."""
        return tuple(name for name in names if name not in self.fixed)

    def repeated(self, count: int) -> Tensors:
        """Return the inputs of `count` replicates; kept for pieces of one size, and of the next."""
        found = self._last.get(count)
        if found is None:
            found = tiled(self.feeds, self.input_axes, count)
            if len(self._last) > 1:
                self._last.clear()
            self._last[count] = found
        return found

    def split(self, found: Tensors, names: Sequence[str], count: int) -> Tensors:
        """Return the named tensors with replicates along a new first axis. Raises ShapeVaries."""
        return {
            name: same_in_all(self.fixed[name], count) if name in self.fixed else self._split(name, found[name], count)
            for name in names
        }

    def _split(self, name: str, value: NDArray[Any], count: int) -> NDArray[Any]:
        axis = self.output_axes[name]
        if name in self.shapes:
            one = self.shapes[name]
            wanted = (*one[:axis], count * one[axis], *one[axis + 1 :])
            if value.shape != wanted:
                raise ShapeVaries(name, wanted, value.shape)
        return split(value, axis, count)


@dataclass(frozen=True, slots=True)
class TiledSampler:
    """Draws many replicates in one run, by one session.

    Attributes:
        largest: most replicates of one run.
    """

    session: Runs
    layout: Layout
    largest: int

    @property
    def name(self) -> str:
        """See Sampler."""
        return self.layout.name

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler."""
        for start, size in parts(count, pieces_for(count, self.largest)):
            found = self.session.run(self.layout.repeated(size), self.layout.drawn(names))
            yield size, use(start, self.layout.split(found, names, size))

    def affordable(self, names: Sequence[str]) -> None:
        """See Sampler."""


@dataclass(frozen=True, slots=True)
class ReseededSampler:
    """Draws one replicate a run, each run with a random seed.

    Attributes:
        fixed: tensors that no randomness reaches; see Tile.
        largest: most replicates of a piece.
        shapes: shapes of one replicate; see Tile.
        left: how many more runs for some tensors are worth their time; see `affordable`.
    """

    session: Runs
    feeds: Tensors
    fixed: Tensors = field(default_factory=dict)
    largest: int = _SINGLE_RUNS
    shapes: Shapes = field(default_factory=dict)
    left: Callable[[Sequence[str]], int] | None = None

    @property
    def name(self) -> str:
        """See Sampler."""
        return "reseeded"

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler."""
        for start, size in parts(count, pieces_for(count, min(self.largest, _SINGLE_RUNS))):
            drawn = [name for name in names if name not in self.fixed]
            runs = [checked(self.session.run(self.feeds, drawn), self.shapes) for _ in range(size)]
            together = {name: stacked(name, [run[name] for run in runs]) for name in drawn}
            known = {name: same_in_all(self.fixed[name], size) for name in names if name in self.fixed}
            yield size, use(start, together | known)

    def affordable(self, names: Sequence[str]) -> int | None:
        """See Sampler."""
        return None if self.left is None else self.left([name for name in names if name not in self.fixed])


def checked(found: Tensors, shapes: Shapes) -> Tensors:
    """Return what a run has returned. Raises ShapeVaries for a tensor of another shape than `shapes` holds."""
    for name, value in found.items():
        if name in shapes and value.shape != shapes[name]:
            raise ShapeVaries(name, shapes[name], value.shape)
    return found


def stacked(name: str, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return what runs have returned for a tensor along a new first axis. Raises ShapeVaries."""
    for value in values:
        if value.shape != values[0].shape:
            raise ShapeVaries(name, values[0].shape, value.shape)
    return np.stack(values)


def pieces_for(count: int, largest: int) -> int:
    """Return into how many pieces `count` replicates are divided, none larger than `largest`."""
    return -(-count // max(1, largest))


def parts(count: int, number: int) -> Iterator[tuple[int, int]]:
    """Divide `count` replicates into nearly equal pieces, the larger ones first, and yield starts and sizes."""
    size, larger = divmod(count, number)
    start = 0
    for place in range(number):
        own = size + (place < larger)
        yield start, own
        start += own


def same_in_all(value: NDArray[Any], count: int) -> NDArray[Any]:
    """Return what is the same in `count` replicates along a new first axis, without a copy."""
    return np.broadcast_to(value, (count, *value.shape))


def tiled(feeds: Mapping[str, NDArray[Any]], axes: Axes, count: int) -> Tensors:
    """Repeat every input that has a batch axis `count` times along it."""
    return {
        name: np.concatenate([value] * count, axis=axes[name]) if name in axes else value
        for name, value in feeds.items()
    }


def split(value: NDArray[Any], axis: int, count: int) -> NDArray[Any]:
    """Undo tiling: turn an axis of count * n into a first axis of `count` and an axis of n."""
    shape = (*value.shape[:axis], count, value.shape[axis] // count, *value.shape[axis + 1 :])
    return np.moveaxis(value.reshape(shape), axis, 0)
