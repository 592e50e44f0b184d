"""Claims about pairs whose inference artifact holds the weights in half precision or quantized, as it is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from dropaudit import PairSubject, Plan, Report, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import CHAIN, graph

PLAN = Plan(provider=Provider.CPU)
RNG = np.random.default_rng(4)
Weights = Mapping[str, NDArray[np.float32]]
WEIGHTS: Weights = {
    "w": (RNG.standard_normal((16, 24)) / 4).astype(np.float32),
    "v": (RNG.standard_normal((24, 16)) / 5).astype(np.float32),
}
OTHERS: Weights = {**WEIGHTS, "v": (RNG.standard_normal((24, 16)) / 5).astype(np.float32)}
INVERTED, UNSCALED = "k = Div(m, q)  d = Mul(h, k)", "d = Mul(h, m)"


def trained(site: str) -> bytes:
    chain = CHAIN.replace("(x)", "(h)")
    model = graph(f"e = MatMul(x, w)  h = Relu(e)  {chain}  {site}  y = MatMul(d, v)", constants={"q": 0.7, **WEIGHTS})
    content: bytes = model.SerializeToString()
    return content


def halved(site: str, weights: Weights) -> bytes:
    """Return an inference artifact that computes in half precision."""
    body = f"x16 = Cast<to = 10>(x)  e = MatMul(x16, w16)  h = Relu(e)  {site}  g = MatMul(d, v16)  y = Cast<to = 1>(g)"
    held = {f"{name}16": value.astype(np.float16) for name, value in weights.items()}
    return _with(body, {**held, "f": np.array(0.7, np.float16), "o": np.array(0.8, np.float16)})


def quantized(site: str, weights: Weights) -> bytes:
    """Return one whose weights are integers of one step for each column."""
    scales = {name: np.abs(value).max(axis=0) / 127 for name, value in weights.items()}
    held: dict[str, NDArray[Any]] = {f"{name}s": value.astype(np.float32) for name, value in scales.items()}
    held |= {f"{name}q": np.rint(value / scales[name]).astype(np.int8) for name, value in weights.items()}
    body = (
        "w = DequantizeLinear<axis = 1>(wq, ws)  v = DequantizeLinear<axis = 1>(vq, vs)  e = MatMul(x, w)  "
        f"h = Relu(e)  {site}  y = MatMul(d, v)"
    )
    return _with(body, {**held, "f": np.array(0.7, np.float32), "o": np.array(0.8, np.float32)})


def _with(body: str, constants: Mapping[str, NDArray[Any]]) -> bytes:
    model = graph(body)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    content: bytes = model.SerializeToString()
    return content


def report_of(train: bytes, inference: bytes) -> Report:
    return audit(PairSubject(train, inference), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


Deployed = Callable[[str, Weights], bytes]
DEPLOYED = pytest.mark.parametrize("deployed", [halved, quantized])


@DEPLOYED
def test_rounded_weights_are_the_same_weights(deployed: Deployed) -> None:
    report = report_of(trained(INVERTED), deployed("d = Identity(h)", WEIGHTS))
    assert report.verdict is Verdict.PASS
    assert not codes(report) & {"DA502", "DA504"}


@DEPLOYED
def test_the_papers_form_is_seen_beside_rounded_weights(deployed: Deployed) -> None:
    report = report_of(trained(UNSCALED), deployed("d = Mul(h, f)", WEIGHTS))
    assert report.verdict is Verdict.PASS
    assert "DA304" in codes(report)


@DEPLOYED
@pytest.mark.parametrize(
    ("train", "site", "code"),
    [
        (UNSCALED, "d = Identity(h)", "DA301"),
        (INVERTED, "d = Mul(h, f)", "DA302"),
        (INVERTED, "d = Mul(h, o)", "DA303"),
    ],
)
def test_a_wrong_scale_is_named_beside_rounded_weights(deployed: Deployed, train: str, site: str, code: str) -> None:
    found = codes(report_of(trained(train), deployed(site, WEIGHTS)))
    assert found & {"DA301", "DA302", "DA303", "DA504"} == {code}


@DEPLOYED
def test_other_weights_are_other_weights_whatever_they_are_rounded_to(deployed: Deployed) -> None:
    assert "DA504" in codes(report_of(trained(INVERTED), deployed("d = Identity(h)", OTHERS)))
