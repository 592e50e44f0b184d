"""Claims about counting replicates where they lie: the graph, on the CPU, and what it costs on a GPU."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dropaudit.graph.passes.reductions import MaskPlace, reductions
from dropaudit.plan import Provider
from dropaudit.runtime.counters import Constants, FusedCounter, GraphCounter, ReplicateLayout, on_device
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import Reduction
from support.counting import LAYOUTS, REPLICATES, Layout, assert_counts_are_those_of_numpy
from support.kernels import HostKernels

CPU = choose(Provider.CPU)


def counter(extent: ReplicateLayout) -> GraphCounter:
    return GraphCounter(CPU, np.random.default_rng(0), Constants("cpu"), {"before": extent, "after": extent})


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fixed", [True, False])
def test_the_graph_counts_what_numpy_counts(layout: Layout, fixed: bool) -> None:
    own = counter(ReplicateLayout(layout.before, layout.after))
    assert_counts_are_those_of_numpy(own, layout, "cpu", fixed=fixed)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fixed", [True, False])
def test_what_starts_the_kernels_counts_what_numpy_counts(layout: Layout, fixed: bool) -> None:
    """The kernels themselves need a GPU: see tests/gpu."""
    kernels = HostKernels()
    own = FusedCounter(
        kernels, Constants("cpu"), dict.fromkeys(("before", "after"), ReplicateLayout(layout.before, layout.after))
    )
    assert_counts_are_those_of_numpy(own, layout, "cpu", fixed=fixed)
    width = 1 if layout.after % 4 else 4
    assert kernels.launched == [f"{name}{width}" for name in ("mask", "rows", "columns")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_elements_come_without_the_rest(layout: Layout) -> None:
    shape = (layout.before, REPLICATES, layout.after)
    value = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    own = FusedCounter(HostKernels(), Constants("cpu"), {"after": ReplicateLayout(layout.before, layout.after)})
    elements = max(1, layout.before * layout.after - 2)
    found = own.first(on_device(value, "cpu"), "after", REPLICATES, 5, elements)
    assert np.array_equal(found, value.transpose(1, 0, 2).reshape(REPLICATES, -1)[:5, :elements])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -2.0, 9.0])
def test_the_graph_says_what_is_strange(bad: float) -> None:
    """Its mean factor tells a replicate by; one of several factors that were all seen before does not stand out."""
    after = np.full((1, REPLICATES, 8), 2, dtype=np.float32)
    after[0, 5, 3] = bad
    fixed = {"before": np.ones(8, dtype=np.float32)}
    reduction = Reduction((MaskPlace("before", "after", True),), {"after": (2, 2)}, {}, fixed)
    found = counter(ReplicateLayout(1, 8)).count(reduction, {"after": on_device(after, "cpu")}, REPLICATES)
    assert list(np.flatnonzero(found["after/strange"])) == [5]


def test_factors_that_were_never_seen_are_strange() -> None:
    fixed = {"before": np.ones(8, dtype=np.float32)}
    reduction = Reduction((MaskPlace("before", "after", True),), {"after": (np.inf, -np.inf)}, {}, fixed)
    drawn = {"after": on_device(np.eye(2, 8, dtype=np.float32)[None], "cpu")}
    found = counter(ReplicateLayout(1, 8)).count(reduction, drawn, 2)
    assert list(found["after/kept"]) == [1, 1]
    assert list(found["after/strange"]) == [1, 1]


# Bytes that an operator of the counting graph moves for each element of single precision, read and written; shapes,
# constants and what is summed already are small beside it.
BYTES = {"Reshape": 0, "Mul": 8, "Div": 8, "Equal": 5, "Cast": 5, "Where": 9, "ReduceSum": 4}
# Bytes a second of an H100: sums along the last axis, and element by element. Measured; benchmarks/operators-gpu.json.
SUMS, ELEMENTWISE = 1.6e12, 1.0e12


def large_operators(fixed: bool) -> Counter[str]:
    """Count the operators that read as much as was drawn: a sum of sums reads a row of it."""
    graph = reductions([MaskPlace("h", "d", fixed)], ["y"]).graph
    return Counter(node.op_type for node in graph.node if not (node.op_type == "ReduceSum" and "first" in node.input))


def test_no_operator_of_the_counting_graph_is_slow_on_a_gpu() -> None:
    assert set(large_operators(False)) <= BYTES.keys()


@pytest.mark.parametrize(("fixed", "operators", "moved"), [(True, 15, 60), (False, 20, 83)])
def test_the_counting_graph_moves_so_many_bytes(fixed: bool, operators: int, moved: int) -> None:
    found = large_operators(fixed)
    assert sum(found.values()) == operators
    assert sum(BYTES[name] * count for name, count in found.items()) == moved


def test_counting_a_thousand_large_replicates_is_predicted_to_take_a_tenth_of_drawing_them_one_by_one() -> None:
    """LSTM(256 -> 1024), batch 64, time 128: PyTorch's loop takes 2.82 s there, and the draw itself 0.17 s."""
    elements = 1000 * 64 * 128 * 1024
    found = large_operators(True)
    sums = BYTES["ReduceSum"] * found.pop("ReduceSum")
    others = sum(BYTES[name] * count for name, count in found.items())
    assert elements * (sums / SUMS + others / ELEMENTWISE) < 0.5
