"""Which branches made-up data takes, and other data that takes those that draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.conditions.choices import Choice, choices_of_data, modes_of_data
from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.reading.constants import scalar
from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.sites.deciders import Switches
from dropaudit.inputs import Feeds
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array

# Values to try for an input of one number: epochs, lengths, thresholds and temperatures lie on one side of these.
_NUMBERS = (0, 1, -1, 2, 10, 1000, -1000)
# Of numbers that a model holds, those that any type can, and so many.
_LARGEST, _MOST_NUMBERS = 100, 16


class UnseenBranch(msgspec.Struct, frozen=True):
    """A branch with random operators that the data does not take."""

    name: str
    branch: str
    operators: tuple[str, ...]


class _Conditions:
    """The truth values of a model's conditions for given inputs."""

    def __init__(self, model: onnx.ModelProto, choices: Sequence[Choice], place: Device) -> None:
        probed, self._probes = exposed(model, [((), choice.condition) for choice in choices])
        self._session = Session(probed, place, np.random.default_rng(0))

    def truths(self, feeds: Mapping[str, Array]) -> dict[str, bool]:
        """Return the truth of each condition. Raises ExecutionFailed."""
        names = tuple(dict.fromkeys(self._probes.values()))
        found = self._session.run(feeds, names)
        return {tensor: bool(np.all(found[probe])) for (_, tensor), probe in self._probes.items()}


def with_branches_taken(
    model: onnx.ModelProto,
    switches: Switches,
    feeds: Feeds,
    switched: Mapping[str, Array],
    place: Device,
    *,
    training: bool,
) -> Feeds:
    """Change made-up inputs, one at a time, until the data takes as many of the branches that draw as it can.

    Where a switch decides beside data, it shall decide: at inference such a branch is better left alone.

    Args:
        model: the model.
        switches: inputs that choose between the modes.
        feeds: its other inputs; what the caller gave is left as it is.
        switched: what the switches are fed.
        place: where to run.
        training: whether training modes that are computed from data are to be on as well.
    """
    modes = (choice for choice in modes_of_data(model, switches) if training or choice.is_switched)
    choices = (*choices_of_data(model, switches), *modes)
    if not training:
        choices = tuple(_turned(choice) if choice.is_switched else choice for choice in choices)
    if not choices or not feeds.synthesized:
        return feeds
    try:
        conditions = _Conditions(model, choices, place)
        best, drawn = feeds, _drawn(choices, conditions.truths({**feeds.arrays, **switched}))
        for arrays in (*_told(feeds, choices), *_others(feeds, (*_NUMBERS, *_compared_with(model)))):
            if drawn == sum(max(len(each.then), len(each.other)) for each in choices):
                break
            found = _drawn(choices, _tried(conditions, {**arrays, **switched}))
            if found > drawn:
                best, drawn = replace(feeds, arrays=arrays), found
    except (ExecutionFailed, InvalidModel):
        return feeds
    return best


def unseen_branches(
    model: onnx.ModelProto, switches: Switches, feeds: Mapping[str, Array], place: Device, *, training: bool
) -> tuple[UnseenBranch, ...]:
    """Return branches with random operators that these inputs do not take; at inference not what is switched off."""
    choices = [each for each in choices_of_data(model, switches) if training or not each.is_switched]
    if not choices:
        return ()
    try:
        truths = _Conditions(model, choices, place).truths(feeds)
    except (ExecutionFailed, InvalidModel):
        return ()
    left_out = ((choice, truths[choice.condition]) for choice in choices)
    return tuple(
        UnseenBranch(choice.name, choice.branch_left_out(truth), choice.left_out(truth))
        for choice, truth in left_out
        if choice.left_out(truth)
    )


def _turned(choice: Choice) -> Choice:
    return replace(choice, then=choice.other, other=choice.then)


def _drawn(choices: Sequence[Choice], truths: Mapping[str, bool]) -> int:
    return sum(len(each.left_out(not truths[each.condition])) for each in choices if each.condition in truths)


def _tried(conditions: _Conditions, feeds: Mapping[str, Array]) -> dict[str, bool]:
    """Return the truths of the conditions; none where the model does not run on such inputs."""
    try:
        return conditions.truths(feeds)
    except ExecutionFailed:
        return {}


def _compared_with(model: onnx.ModelProto) -> list[float]:
    """Return numbers that a model holds: it may ask whether an input is one of them."""
    found = (scalar(value) for value in main_scope(model).constants.values() if value.size == 1)
    numbers = dict.fromkeys(number for number in found if number is not None and abs(number) <= _LARGEST)
    return list(numbers)[:_MOST_NUMBERS]


def _told(feeds: Feeds, choices: Sequence[Choice]) -> Iterator[dict[str, Array]]:
    """Yield inputs with the numbers that let switches decide."""
    for choice in choices:
        made = {name: number for name, number in choice.numbers if name in feeds.synthesized}
        if made:
            yield feeds.arrays | {name: np.full_like(feeds.arrays[name], number) for name, number in made.items()}


def _others(feeds: Feeds, numbers: Sequence[float]) -> Iterator[dict[str, Array]]:
    for name in sorted(feeds.synthesized):
        for other in _values(feeds.arrays[name], numbers):
            yield {**feeds.arrays, name: other}


def _values(value: Array, numbers: Sequence[float]) -> Iterator[Array]:
    """Yield what else a caller might send in place of made-up data."""
    if value.dtype.kind == "b":
        yield ~value
    elif value.size == 1:
        yield from (np.full_like(value, number) for number in numbers if _can_hold(value.dtype, number))
    elif value.dtype.kind == "f":
        yield from (-value, np.abs(value), -np.abs(value), 10 * value, np.zeros_like(value))


def _can_hold(dtype: np.dtype[Any], number: float) -> bool:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return bool(limits.min <= number <= limits.max)
    return dtype.kind not in "OSU"
