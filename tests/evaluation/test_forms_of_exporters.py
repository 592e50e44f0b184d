"""Claims about graphs in forms that exporters, converters and quantizers write: each right as it is, and unscaled.

The scale `s` is 1/q in the right one and 1 in the other; where an operator scales, there is no other.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import ArrayLike, NDArray
from onnx import numpy_helper, parser

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import weights

PLAN = Plan(provider=Provider.CPU)
HEADER = '<ir_version: 9, opset_import: ["" : 17, "me" : 1, "com.microsoft" : 1]>'
X, Y = "float[N,16] x", "float[N,16] y"
STEPS = "float[T,N,16] x", "float[T,N,16] y"
MASK = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)"
INNER = "u = RandomUniformLike(h1)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)"
KNOWN: dict[str, ArrayLike] = {
    "w": weights(), "q": 0.7, "r": 0.3, "t": True, "zero": 0.0, "step": 0.05, "origin": np.int8(0), "half": 8,
    "integers": np.random.default_rng(0).integers(-127, 127, (16, 16)).astype(np.int8), "fine": 0.01, "first": 0,
    "last": 1, "halves": np.array([8, 8]), "three": 3, "bias": np.full(16, 0.1), "thousand": 1000, "four": 4,
}  # fmt: skip
ROUNDED = "a = QuantizeLinear(x, step, origin)  e = DequantizeLinear(a, step, origin)"
FUNCTION = (
    '<domain: "me", opset_import: ["" : 17]> dropped <p: float = 0.3> (v) => (o) {'
    " c = Constant<value_float: float = @p>()  t = Constant<value = bool {1}>()  o = Dropout(v, c, t) }"
)
NESTED = (
    '<domain: "me", opset_import: ["" : 17, "me" : 1]> layer (v) => (o) { a = Relu(v)  b = me.dropped<p = 0.4>(a)'
    f"  o = Neg(b) }} {FUNCTION}"
)
SCAN = (
    "h00 = ReduceMean<axes = [0], keepdims = 0>(x)  last0, y = Scan<num_scan_inputs = 1, {how}, body = "
    "step0 (float[N,16] h0, float[N,16] xt) => (float[N,16] h1, float[N,16] yt) {{ a = Add(h0, xt)  h1 = Tanh(a)  "
    f"{INNER}  yt = Mul(h1, k) }}}}>(h00, x)"
)
LOOP = (
    "last0, y = Loop(thousand, t, x) <body = turn (int64 i, bool c, float[N,16] h) => (bool on, float[N,16] h1, "
    f"float[N,16] o) {{ on = Less(i, four)  a = MatMul(h, w)  h1 = Tanh(a)  {INNER}  o = Mul(h1, k) }}>"
)
PARTS = "parts = SplitToSequence<axis = 1>(x, halves)"

# By name: nodes, with inputs, outputs and functions where those are not x, y and none.
CHAINS: dict[str, tuple[str, ...]] = {
    "quantized before and behind": (
        f"{ROUNDED}  {MASK}  d = Mul(e, k)  g = QuantizeLinear(d, step, origin)  h = DequantizeLinear(g, step, origin)"
        "  y = MatMul(h, w)",
    ),
    "quantized dynamically behind": (
        f"{MASK}  d = Mul(x, k)  a, sa, za = DynamicQuantizeLinear(d)  e = MatMulInteger(a, integers, za)"
        "  f = Cast<to = 1>(e)  z = Mul(sa, fine)  y = Mul(f, z)",
    ),
    "operators of the runtime's own": (
        f"{MASK}  d = Mul(x, k)  g = com.microsoft.BiasGelu(d, bias)"
        "  y = com.microsoft.FusedMatMul<alpha = 0.5, transB = 1>(g, w)",
    ),
    "a part of a sequence": (
        f"{PARTS}  v = SequenceAt(parts, first)  o = SequenceAt(parts, last)  {MASK.replace('(x)', '(v)')}"
        "  d = Mul(v, k)  both = SequenceConstruct(d, o)  y = ConcatFromSequence<axis = 1>(both)",
    ),
    "a scan from the end": (SCAN.format(how="scan_input_directions = [1]"), *STEPS),
    "a scan there and back": (
        SCAN.format(how="scan_input_directions = [1], scan_output_directions = [1]"),
        *STEPS,
    ),
    "a loop that ends by a condition": (LOOP, X, STEPS[1]),
    "a branch that is trained": (
        "h1 = MatMul(x, w)  d = If(training) <then_branch = a () => (float[N,16] o) {"
        f" {INNER}  o = Mul(h1, k) }}, else_branch = b () => (float[N,16] p) {{ p = Identity(h1) }}>  y = Neg(d)",
        f"{X}, bool training",
    ),
}
OPERATORS: dict[str, tuple[str, ...]] = {
    "quantized before and behind": (
        f"{ROUNDED}  d = Dropout(e, r, t)  g = QuantizeLinear(d, step, origin)  h = DequantizeLinear(g, step, origin)"
        "  y = MatMul(h, w)",
    ),
    "a function's default": ("d = me.dropped(x)  y = MatMul(d, w)", X, Y, FUNCTION),
    "a function in a function": ("d = me.layer(x)  y = MatMul(d, w)", X, Y, NESTED),
    "an optional": ("d = Dropout(x, r, t)  o = Optional(d)  e = OptionalGetElement(o)  y = Neg(e)",),
    "a loop of as many turns as an input says": (
        "y = Loop(n, t, x) <body = turn (int64 i, bool c, float[N,16] h) => (bool on, float[N,16] g) {"
        " on = Identity(c)  a = MatMul(h, w)  e = Tanh(a)  g = Dropout(e, r, t) }>",
        f"{X}, int64 n",
    ),
    "the negation of an input": (
        "c = Not(deterministic)  d = Dropout(x, r, c)  y = Neg(d)",
        f"{X}, bool deterministic",
    ),
}
BODY_FOR_EACH = (
    f"{PARTS}  both = SequenceMap(parts) <body = one (float[N,8] v) => (float[N,8] o) {{ o = Dropout(v, r, t) }}>"
    "  y = ConcatFromSequence<axis = 1>(both)",
)
SWITCHED = {"a branch that is trained", "the negation of an input"}


def model_of(form: tuple[str, ...], scale: float) -> bytes:
    body, inputs, outputs, functions = (*form, *(X, Y, "")[len(form) - 1 :])
    found = parser.parse_model(f"{HEADER} g ({inputs}) => ({outputs}) {{ {body} }} {functions}")
    read = {name for node in _nodes(found.graph) for name in node.input}
    for name, value in {**KNOWN, "s": scale}.items():
        if name in read:
            found.graph.initializer.append(numpy_helper.from_array(_typed(value), name))
    content: bytes = found.SerializeToString()
    return content


def _nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    found = list(graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found += _nodes(attribute.g)
    return found


def _typed(value: ArrayLike) -> NDArray[np.generic]:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def report_of(form: tuple[str, ...], scale: float = 1 / 0.7, role: Role = Role.TRAIN) -> Report:
    return audit(ArtifactSubject(model_of(form, scale), role), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize("name", CHAINS)
def test_a_right_chain_in_any_form_passes(name: str) -> None:
    assert report_of(CHAINS[name]).verdict is Verdict.PASS


@pytest.mark.parametrize("name", CHAINS)
def test_an_unscaled_chain_in_any_form_is_scale_missing(name: str) -> None:
    assert "DA301" in codes(report_of(CHAINS[name], 1.0))


@pytest.mark.parametrize("name", OPERATORS)
def test_the_operator_in_any_form_is_a_site_that_is_scaled_right(name: str) -> None:
    report = report_of(OPERATORS[name])
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    assert report.sites
    assert not codes(report) & {"DA101", "DA105", "DA106", "DA901"}


@pytest.mark.parametrize("name", [*CHAINS, *OPERATORS])
def test_what_no_input_switches_is_active_at_inference_in_any_form(name: str) -> None:
    report = report_of(CHAINS.get(name) or OPERATORS[name], role=Role.INFERENCE)
    assert ("DA103" in codes(report)) is (name not in SWITCHED)


def test_a_site_in_a_body_for_each_of_a_sequence_is_named_and_not_called_right() -> None:
    assert codes(report_of(BODY_FOR_EACH)) & {"DA105", "DA901"} == {"DA901"}
    assert "DA103" in codes(report_of(BODY_FOR_EACH, role=Role.INFERENCE))
