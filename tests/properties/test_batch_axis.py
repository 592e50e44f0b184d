"""Properties of tiling: copies along any axis come back as they were, and parts are all of it."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from dropaudit.runtime.batch_axis import lengthened
from dropaudit.runtime.replicates import parts, pieces_for, split, tiled

Array = NDArray[Any]


@st.composite
def arrays_with_an_axis(draw: st.DrawFn) -> tuple[Array, int]:
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.bool_]))
    value = draw(arrays.arrays(dtype, shape, elements=arrays.from_dtype(np.dtype(dtype), allow_nan=False)))
    return value, draw(st.integers(0, len(shape) - 1))


@given(case=arrays_with_an_axis(), copies=st.integers(1, 5))
def test_every_copy_is_the_input_again(case: tuple[Array, int], copies: int) -> None:
    value, axis = case
    together = tiled({"x": value, "other": value}, {"x": axis}, copies)
    found = split(together["x"], axis, copies)
    assert found.shape == (copies, *value.shape)
    assert found.dtype == value.dtype
    assert all(np.array_equal(copy, value) for copy in found)
    assert together["other"] is value


@given(case=arrays_with_an_axis(), copies=st.integers(1, 5))
def test_what_is_split_keeps_every_element_in_its_place(case: tuple[Array, int], copies: int) -> None:
    value, axis = case
    different = [value + np.asarray(number).astype(value.dtype) for number in range(copies)]
    found = split(np.concatenate(different, axis=axis), axis, copies)
    assert all(np.array_equal(a, b) for a, b in zip(found, different, strict=True))


@given(case=arrays_with_an_axis(), copies=st.integers(2, 5))
def test_the_lengthened_axis_is_the_one_that_was_tiled(case: tuple[Array, int], copies: int) -> None:
    value, axis = case
    together = tiled({"x": value}, {"x": axis}, copies)["x"]
    assert lengthened(value.shape, together.shape, copies) == axis
    assert lengthened(value.shape, value.shape, copies) is None
    assert lengthened(value.shape, (*together.shape, 1), copies) is None
    assert lengthened(value.shape, together.shape, copies + 1) is None


@given(count=st.integers(1, 500), largest=st.integers(-3, 600))
def test_parts_are_all_of_it_without_gaps_and_none_is_too_large(count: int, largest: int) -> None:
    starts, sizes = zip(*parts(count, pieces_for(count, largest)), strict=True)
    assert [*starts, count] == [0, *accumulate(sizes)]
    assert max(sizes) <= max(1, largest)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1
