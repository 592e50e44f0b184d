"""Claims about what counts replicates on a CUDA device: kernels and graph find what numpy finds."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.graph.passes.reductions import MaskPlace
from dropaudit.plan import Provider
from dropaudit.runtime.counters import Constants, FusedCounter, GraphCounter, ReplicateLayout, on_device
from dropaudit.runtime.cuda import kernels
from dropaudit.runtime.provider import choose, cuda_device
from dropaudit.runtime.replicates import Reduction
from support.counting import LAYOUTS, REPLICATES, Layout, assert_counts_are_those_of_numpy

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(cuda_device() is None, reason="needs an NVIDIA GPU: no CUDA device answers"),
]


def fused(extent: ReplicateLayout) -> FusedCounter:
    choose(Provider.CUDA)
    found = kernels()
    assert found is not None
    return FusedCounter(found, Constants("cuda"), {"before": extent, "after": extent})


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fixed", [True, False])
def test_kernels_count_what_numpy_counts(layout: Layout, fixed: bool) -> None:
    counter = fused(ReplicateLayout(layout.before, layout.after))
    assert_counts_are_those_of_numpy(counter, layout, "cuda", fixed=fixed)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fixed", [True, False])
def test_the_graph_counts_what_numpy_counts(layout: Layout, fixed: bool) -> None:
    extents = dict.fromkeys(("before", "after"), ReplicateLayout(layout.before, layout.after))
    counter = GraphCounter(choose(Provider.CUDA), np.random.default_rng(0), Constants("cuda"), extents)
    assert_counts_are_those_of_numpy(counter, layout, "cuda", fixed=fixed)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -2.0])
def test_kernels_say_what_is_strange(bad: float) -> None:
    after = np.full((1, REPLICATES, 8), 2, dtype=np.float32)
    after[0, 5, 3] = bad
    fixed = {"before": np.ones(8, dtype=np.float32)}
    reduction = Reduction((MaskPlace("before", "after", True),), {"after": (2, 2)}, {}, fixed)
    found = fused(ReplicateLayout(1, 8)).count(reduction, {"after": on_device(after, "cuda")}, REPLICATES)
    assert list(np.flatnonzero(found["after/strange"])) == [5]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_elements_come_without_the_rest(layout: Layout) -> None:
    shape = (layout.before, REPLICATES, layout.after)
    value = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    counter = fused(ReplicateLayout(layout.before, layout.after))
    elements = max(1, layout.before * layout.after - 2)
    found = counter.first(on_device(value, "cuda"), "after", REPLICATES, 5, elements)
    expected = value.transpose(1, 0, 2).reshape(REPLICATES, -1)[:5, :elements]
    assert np.array_equal(found, expected)
