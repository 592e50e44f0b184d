"""Graph inputs that decide a truth value of the graph, alone or together: found by trying their values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.reading.constants import Constants, known_with, scalar, values_of
from dropaudit.graph.reading.random_types import UNIFORM
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.reading.traversal import marks_before, once_for_each_scope, upstream

# Inputs and values that are tried together, in all combinations.
_MOST_COMBINATIONS = 256
# Values of one number that are tried.
_MOST_NUMBERS = 24
# Where a graph input says how much is dropped, some of it is.
_SOME_RATE = 0.5


class Positions(msgspec.Struct, frozen=True):
    """The two values of a graph input: with dropout switched on, and off. Truth values are 1 and 0.

    An input beside which another is switched may have one value for both.
    """

    on: float
    off: float

    @property
    def turned(self) -> Positions:
        """The same the other way round."""
        return Positions(self.off, self.on)


Switches = Mapping[str, Positions]
ON, OFF = Positions(1.0, 0.0), Positions(0.0, 1.0)
NO_SWITCHES: Switches = {}


class Decider(msgspec.Struct, frozen=True):
    """A graph input that decides, or several that do together.

    Attributes:
        name: the input, the first of several whose value changes.
        value: what makes the tensor true, and what makes it false.
        default: what its default makes of the tensor; None where it has no default.
        others: of several inputs the others, each with its values.
        numbers: inputs that must have certain values for the others to decide, each with one: data, and no switches.
    """

    name: str
    value: Positions
    default: bool | None
    others: tuple[tuple[str, Positions], ...] = ()
    numbers: tuple[tuple[str, float], ...] = ()

    def positions_for(self, truth: bool) -> dict[str, Positions]:
        """Return the values of its inputs that make the tensor `truth`, and those that make it the other one."""
        together = ((self.name, self.value), *self.others)
        return {name: value if truth else value.turned for name, value in together}


def decider_of(scope: Scope, name: str, known: Switches = NO_SWITCHES, *, truth: bool = True) -> Decider | None:
    """Return the scalar input that decides a tensor of the main graph, or those that do together; None of none.

        Not(training) -> inference ; Not(inference) -> mode      is decided by `training`, and true where that is
        Xor(training, frozen) -> mode                            by both, true with one alone, and false with none
        Greater(step, 10) -> late ; And(training, late) -> mode  by `training`, where `step` is such a number

    Args:
        scope: the main graph.
        name: a tensor that holds one truth value.
        known: what switches other tensors: of several ways to decide one that leaves it so is chosen.
        truth: what the tensor is where those are on.
    """
    read = {value.name: array for value in _inputs_of(scope, name) if (array := _scalar_of(value)) is not None}
    rates = {each: np.full_like(array, _SOME_RATE) for each, array in read.items() if each in _rates_of(scope)}
    free = {each: array for each, array in read.items() if each not in rates}
    wanted = {each: value if truth else value.turned for each, value in known.items()}
    search = _Search(scope, name, rates, wanted)
    for each, array in free.items():
        found = search.decided_by({each: _truths(array)})
        if found is not None:
            return found
    if len(free) < 2:
        return None
    flags = {each: _truths(array) for each, array in free.items() if search.is_switch(each, free)}
    bounds = _numbers_before(scope, name) if flags and len(flags) < len(free) else []
    numbers = {each: _numbers(array, bounds) for each, array in free.items() if each not in flags}
    return search.decided_by(flags, numbers) if flags else None


def _inputs_of(scope: Scope, name: str) -> list[onnx.ValueInfoProto]:
    known = _inputs_read(scope).get(name, 0)
    return [value for position, value in enumerate(scope.graph.input) if value.name == name or known >> position & 1]


@once_for_each_scope
def _rates_of(scope: Scope) -> frozenset[str]:
    """Return what says how much is dropped: the ratio of a Dropout, or what a uniform draw is compared with."""
    found: set[str] = set()
    for node in scope.graph.node:
        makers = (scope.producers.get(name) for name in node.input)
        if any(maker is not None and maker.op_type in UNIFORM for maker in makers):
            found.update(node.input)
        elif node.op_type == "Dropout":
            found.update(node.input[1:2])
    return frozenset(found)


def _numbers_before(scope: Scope, name: str) -> list[float]:
    """Return the numbers that a tensor is made with, such as bounds of comparisons, in rising order."""
    before = upstream(scope.producers.get, [name], inputs=lambda node: node.input)
    found = {number for each in before if (number := _number(scope, each)) is not None}
    return sorted(found)[:_MOST_NUMBERS]


def _number(scope: Scope, name: str) -> float | None:
    value = scope.constants.get(name)
    return None if value is None or value.dtype.kind == "b" or value.size != 1 else scalar(value)


def _truths(array: NDArray[Any]) -> list[NDArray[Any]]:
    return [np.full_like(array, truth) for truth in (True, False)]


def _numbers(array: NDArray[Any], bounds: Sequence[float]) -> list[NDArray[Any]]:
    """Return numbers to try: 1 and 0, and what lies at, between and beside bounds."""
    beside = [number + step for number in bounds for step in (0, 1, -1)]
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    wanted = [number for number in (1.0, 0.0, *beside, *between) if _can_hold(array.dtype, number)]
    return [np.full_like(array, number) for number in list(dict.fromkeys(wanted))[:_MOST_NUMBERS]]


def _can_hold(dtype: np.dtype[Any], number: float) -> bool:
    if dtype.kind == "f":
        return bool(np.isfinite(number))
    limits = np.iinfo(dtype)
    return number.is_integer() and limits.min <= number <= limits.max


Chosen = tuple[NDArray[Any], ...]
_Tried = Mapping[str, Sequence[NDArray[Any]]]


class _Search(msgspec.Struct, frozen=True):
    """The search for values of inputs that make a tensor true, and others that make it false.

    Attributes:
        scope: the main graph.
        name: the tensor.
        given: values of inputs that stay as they are.
        wanted: values of inputs that other tensors ask for.
    """

    scope: Scope
    name: str
    given: Constants
    wanted: Switches

    def is_switch(self, name: str, read: Constants) -> bool:
        """Whether an input is a truth value, or a whole number that decides by being 1 or 0, as one does.

        Args:
            name: the input.
            read: all inputs that the tensor is made of, and that may change.
        """
        if read[name].dtype.kind not in "iu" or any(array.dtype.kind == "f" for array in read.values()):
            return read[name].dtype.kind == "b"
        tried = {each: _truths(array) for each, array in read.items()}
        if math.prod(map(len, tried.values())) > _MOST_COMBINATIONS:
            return False
        others = [dict(zip(tried, chosen, strict=True)) for chosen in product(*tried.values())]
        return any(
            len({_value_with(self.scope, self.name, self.given | other | {name: value}) for value in tried[name]}) > 1
            for other in others
        )

    def decided_by(self, switches: _Tried, numbers: _Tried = MappingProxyType({})) -> Decider | None:
        """Return how some inputs decide, given values of each; None where they do not.

        Args:
            switches: inputs that may have another value where the tensor is false than where it is true.
            numbers: inputs that may not.
        """
        tried = _fewer({**numbers, **switches})
        if math.prod(map(len, tried.values())) > _MOST_COMBINATIONS:
            return None
        for held in product(*(tried[name] for name in numbers)):
            truths = self._truths(switches, tried, dict(zip(numbers, held, strict=True)))
            if truths is None:
                return None
            if all(truths.values()):
                pairs = product(truths[True], truths[False])
                every = (_positions(tuple(switches), on, off) for on, off in pairs)
                return self._decider(min(every, key=self._rank), dict(zip(numbers, held, strict=True)))
        return None

    def _truths(self, switches: _Tried, tried: _Tried, held: Constants) -> dict[bool, list[Chosen]] | None:
        """Return the choices that make the tensor true, and false; None where it is not known with one."""
        found: dict[bool, list[Chosen]] = {True: [], False: []}
        for chosen in product(*(tried[name] for name in switches)):
            fed = self.given | held | dict(zip(switches, chosen, strict=True))
            truth = _value_with(self.scope, self.name, fed)
            if truth is None:
                return None
            found[truth].append(chosen)
        return found

    def _rank(self, found: Switches) -> tuple[int, int, float]:
        """Rank a choice of values: other tensors have what they ask for.

        Of the switches as many as can are switched, so that none is left on that the mode asks for; then they are off.
        """
        asked = sum(self.wanted.get(name, value) != value for name, value in found.items())
        changed = sum(value.on != value.off for value in found.values())
        return asked, -changed, sum(value.off != 0 for value in found.values())

    def _decider(self, found: Switches, held: Constants) -> Decider:
        name = next(name for name, value in found.items() if value.on != value.off)
        others = tuple((other, value) for other, value in found.items() if other != name)
        numbers = tuple((each, _number_of(value)) for each, value in held.items())
        return Decider(name, found[name], self._by_default((*found, *held)), others, numbers)

    def _by_default(self, inputs: Sequence[str]) -> bool | None:
        """Return what the defaults of inputs make of the tensor; None where one of them has none."""
        known = {each.name: values_of(each) for each in self.scope.graph.initializer}
        defaults = {each: known[each] for each in (*inputs, *self.given) if each in known}
        complete = all(each in defaults for each in inputs)
        return _value_with(self.scope, self.name, self.given | defaults) if complete else None


def _fewer(values: _Tried) -> dict[str, Sequence[NDArray[Any]]]:
    """Leave out values, the last of where there are most, until all combinations can be tried."""
    found = dict(values)
    while math.prod(map(len, found.values())) > _MOST_COMBINATIONS and max(map(len, found.values())) > 2:
        most = max(found, key=lambda name: len(found[name]))
        found[most] = found[most][:-1]
    return found


def _positions(names: Sequence[str], on: Chosen, off: Chosen) -> dict[str, Positions]:
    return {
        name: Positions(_number_of(first), _number_of(second))
        for name, first, second in zip(names, on, off, strict=True)
    }


def _number_of(value: NDArray[Any]) -> float:
    return float(value.reshape(-1)[0])


@once_for_each_scope
def _inputs_read(scope: Scope) -> dict[str, int]:
    """Return, by tensor, the graph inputs that the nodes before it read, as bits at their positions."""
    bits = {value.name: 1 << position for position, value in enumerate(scope.graph.input)}
    return marks_before(scope, lambda node: sum(bits[name] for name in {*node.input} & bits.keys()))


@once_for_each_scope
def _known_with_inputs(_: Scope) -> dict[frozenset[tuple[str, bytes]], Constants]:
    """Return where it is kept what becomes known with values of inputs: there are few, and many ask for them."""
    return {}


def _scalar_of(value: onnx.ValueInfoProto) -> NDArray[Any] | None:
    tensor = value.type.tensor_type
    if any(dim.dim_value != 1 for dim in tensor.shape.dim):
        return None
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type or onnx.TensorProto.FLOAT))
    return np.zeros([1] * len(tensor.shape.dim), dtype=dtype) if dtype.kind in "bifu" else None


def _value_with(scope: Scope, name: str, fed: Mapping[str, NDArray[Any]]) -> bool | None:
    if name in fed:
        return bool(fed[name].reshape(-1)[0])
    kept, key = _known_with_inputs(scope), frozenset((source, value.tobytes()) for source, value in fed.items())
    if key not in kept:
        kept[key] = known_with(fed, scope.constants, scope.consumers, scope.opset)
    number = scalar(kept[key].get(name, scope.constants.get(name)))
    return None if number is None else bool(number)
