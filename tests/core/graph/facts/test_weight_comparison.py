"""Claims about which weights of two artifacts are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from dropaudit.graph.facts.weight_comparison import WeightComparison, compare_weights

RNG = np.random.default_rng(7)
W, V = (RNG.standard_normal((16, 16)).astype(np.float32) / 4 for _ in range(2))
TWO_LAYERS = "h = MatMul(x, w)  y = MatMul(h, v)"


def model(body: str, **constants: NDArray[Any]) -> onnx.ModelProto:
    proto = parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g (float[8,16] x) => (float[8,16] y) {{ {body} }}'
    )
    proto.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return proto


def compared(body: str, **constants: NDArray[Any]) -> WeightComparison:
    return compare_weights(model(TWO_LAYERS, w=W, v=V), model(body, **constants))


def quantized(value: NDArray[np.float32], factor: float = 1.0) -> Mapping[str, NDArray[Any]]:
    """Return a weight as integers of one step."""
    step = np.float32(np.abs(value).max() / 127)
    return {"i": np.rint(value / step).astype(np.int8), "s": np.array(step * factor, np.float32)}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("factor", [1.0, 0.7])
def test_a_small_weight_rounded_to_one_step_is_the_same_weight(seed: int, factor: float) -> None:
    value = np.random.default_rng(seed).standard_normal((16, 16)).astype(np.float32)
    train = model(TWO_LAYERS, w=W, v=value)
    inference = model("h = MatMul(x, w)  v = DequantizeLinear(i, s)  y = MatMul(h, v)", w=W, **quantized(value, factor))
    found = compare_weights(train, inference)
    assert (found.matched, found.different) == (2, ())
    assert found.factors == (() if factor == 1 else (pytest.approx(factor, rel=1e-2),))


def test_another_weight_rounded_to_one_step_is_another() -> None:
    other = V + np.float32(0.1) * RNG.standard_normal((16, 16)).astype(np.float32)
    found = compared("h = MatMul(x, w)  v = DequantizeLinear(i, s)  y = MatMul(h, v)", w=W, **quantized(other))
    assert found.different == ("v",)


def test_what_is_the_same_as_one_weight_is_no_counterpart_of_another() -> None:
    found = compared("h = MatMul(x, w)  y = Neg(h)", w=W)
    assert (found.matched, found.different) == (1, ())


def test_a_weight_that_lies_beside_the_same_ones_is_another() -> None:
    found = compared("h = MatMul(x, w)  y = MatMul(h, u)", w=W, u=V + 1)
    assert (found.matched, found.different, found.renumbered) == (1, ("v",), ())


def test_one_weight_read_by_two_layers_is_found_for_both() -> None:
    train = model(TWO_LAYERS, w=W, v=W)
    assert compare_weights(train, model("h = MatMul(x, w)  y = MatMul(h, w)", w=W)).matched == 2
