"""Claims about pairs whose inference artifact has other numbers in a weight, and the same outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from dropaudit import PairSubject, Plan, audit
from dropaudit.plan import Provider

RNG = np.random.default_rng(3)
Numbers = Mapping[str, NDArray[Any]]
DROPPED = "d = Dropout({0}, p, t)"
ON: Numbers = {"p": np.array(0.3, np.float32), "t": np.array(True)}


def weight(*shape: int) -> NDArray[np.float32]:
    return (RNG.standard_normal(shape) / 3).astype(np.float32)


def model(body: str, constants: Numbers, signature: str = "(float[8,16] x) => (float[8,16] y)") -> onnx.ModelProto:
    proto = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {signature} {{ {body} }}')
    proto.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return proto


def codes(train: onnx.ModelProto, inference: onnx.ModelProto) -> set[str]:
    report = audit(PairSubject(train.SerializeToString(), inference.SerializeToString()), Plan(provider=Provider.CPU))
    return {finding.code for finding in report.findings} - {"DA102", "DA405"}


W, V, A, B, BIAS = weight(16, 16), weight(16, 16), weight(16, 4), weight(4, 16), weight(16)
GAIN, SHIFT = 1 + weight(16), weight(16)


def adapter(merged: NDArray[np.float32]) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    body = f"h = MatMul(x, w)  {DROPPED.format('x')}  a = MatMul(d, a1)  b = MatMul(a, b1)  y = Add(h, b)"
    return model(body, {**ON, "w": W, "a1": A, "b1": B}), model("y = MatMul(x, w)", {"w": merged})


def gain(merged: NDArray[np.float32]) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """A gain for each feature behind a weight, as running statistics of batch normalization leave it."""
    after = "r = Relu(n)  {0}  y = MatMul({1}, v)"
    train = f"h = MatMul(x, w)  s = Mul(h, g)  n = Add(s, b)  {after.format(DROPPED.format('r'), 'd')}"
    served = f"h = MatMul(x, w)  n = Add(h, b)  {after.format('', 'r')}"
    return model(train, {**ON, "w": W, "g": GAIN, "b": SHIFT, "v": V}), model(served, {"w": merged, "b": SHIFT, "v": V})


@pytest.mark.parametrize(
    "pair", [adapter((W + A @ B).astype(np.float32)), gain((W * GAIN).astype(np.float32))], ids=["adapter", "gain"]
)
def test_what_was_merged_into_a_weight_of_one_name_is_no_other_weight(
    pair: tuple[onnx.ModelProto, onnx.ModelProto],
) -> None:
    assert codes(*pair) == set()


@pytest.mark.parametrize("pair", [adapter(W), gain(W)], ids=["adapter", "gain"])
def test_what_was_left_out_and_not_merged_is_seen(pair: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    assert codes(*pair) & {"DA502", "DA504"}


def test_other_numbers_that_the_data_does_not_meet_are_other_weights() -> None:
    """The rows of an embedding whose words are not in the input."""
    table = weight(1000, 8)
    other = table.copy()
    other[-400:] += 1
    signature = "(int64[2,3] ids) => (float[2,3,8] y)"
    train = model(f"e = Gather(w, ids)  {DROPPED.format('e')}  y = Neg(d)", {**ON, "w": table}, signature)
    inference = model("e = Gather(w, ids)  y = Neg(e)", {"w": other}, signature)
    report = audit(
        PairSubject(
            train.SerializeToString(), inference.SerializeToString(), inputs={"ids": np.arange(6).reshape(2, 3)}
        ),
        Plan(provider=Provider.CPU),
    )
    assert "DA504" in {finding.code for finding in report.findings}
