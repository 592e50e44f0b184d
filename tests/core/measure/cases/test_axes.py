"""Claims about which axis is the batch and which is time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from dropaudit.measure.cases.axes import Run, label_axes
from dropaudit.report import Axis
from dropaudit.subjects import Array

B, T, F = Axis.BATCH, Axis.TIME, Axis.FEATURE
NONE: frozenset[str] = frozenset()


def model_of(time: int, *, both_ways: bool = False) -> Run:
    """A running sum along an axis; both ways, the sum over all of it stands at every step."""

    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        x = feeds["x"]
        y = np.cumsum(x, axis=time)
        return {"y": y + np.flip(np.cumsum(np.flip(x, time), axis=time), time) if both_ways else y}

    return run


X = {"x": np.random.default_rng(0).standard_normal((4, 6, 3))}


@pytest.mark.parametrize(("time", "labels"), [(1, (B, T, F)), (0, (T, B, F))])
def test_a_recurrence_tells_time_from_the_batch(time: int, labels: tuple[Axis, ...]) -> None:
    assert label_axes(model_of(time), X, {}, NONE)["y"] == labels


@pytest.mark.parametrize(("time", "labels"), [(1, (B, T, F)), (0, (T, B, F))])
def test_a_recurrence_both_ways_does_so_too(time: int, labels: tuple[Axis, ...]) -> None:
    assert label_axes(model_of(time, both_ways=True), X, {}, NONE)["y"] == labels


def test_where_time_is_last_behind_a_recurrence_both_ways_its_extent_tells() -> None:
    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        return {"y": np.swapaxes(model_of(1, both_ways=True)(feeds)["y"], 1, 2)}

    assert label_axes(run, X, {}, NONE)["y"] == (B, F, T)


def test_names_tell_where_behaviour_does_not() -> None:
    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        return {"y": np.tanh(feeds["x"])}

    assert label_axes(run, X, {}, NONE)["y"] == (B, T, F)
    assert label_axes(run, X, {"x": ("time", "batch", "")}, NONE)["y"] == (T, B, F)


def test_what_grows_with_an_axis_is_that_axis() -> None:
    """Time and features are both 6 long, time is last, and a recurrence both ways confines nothing."""

    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        both = model_of(1, both_ways=True)(feeds)["y"]
        return {"y": np.swapaxes(np.concatenate([both, both], axis=2), 1, 2)}

    names = {"x": ("batch", "time", "")}
    assert label_axes(run, X, names, NONE)["y"] == (B, F, T)


def test_the_steps_of_a_loop_are_time() -> None:
    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        return {"y": np.moveaxis(np.tanh(feeds["x"]), 1, 0)}

    assert label_axes(run, X, {}, frozenset({"y"}))["y"] == (T, B, F)


def test_what_is_known_to_grow_needs_no_run() -> None:
    sizes: list[tuple[int, ...]] = []

    def run(feeds: dict[str, Array]) -> Mapping[str, Array]:
        sizes.append(feeds["x"].shape)
        return model_of(1)(feeds)

    known = {"batch": {"y": {0}}}
    assert label_axes(run, X, {"x": ("batch", "time", "")}, NONE, known)["y"] == (B, T, F)
    assert sizes == [(4, 6, 3), (4, 7, 3)]
