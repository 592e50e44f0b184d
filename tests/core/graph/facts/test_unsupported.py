"""Claims about valid models that this runtime cannot run: they are told in a sentence of ours."""

from __future__ import annotations

import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.facts.unsupported import check_runnable
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.plan import Provider
from support.graphs import HEADER, dense

PLAN = Plan(provider=Provider.CPU)


def parsed(content: bytes) -> onnx.ModelProto:
    return name_nodes(onnx.load_from_string(content))


@pytest.mark.parametrize("scale", [-1.0, float("nan")])
def test_a_deviation_that_no_distribution_has_is_refused(scale: float) -> None:
    model = parsed(dense("n = RandomNormalLike(x)  y = Add(x, n)"))
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("scale", scale))
    with pytest.raises(ExecutionFailed, match=r"'RandomNormalLike_0' draws normal numbers of standard deviation"):
        check_runnable(scopes(model))


@pytest.mark.parametrize("ratio", [1.0, 1.5, -0.1])
def test_a_drop_rate_that_the_runtime_refuses_is_named(ratio: float) -> None:
    model = parsed(dense("y = Dropout(x, w, t)", extra=f", float w = {{{ratio}}}"))
    with pytest.raises(ExecutionFailed, match=r"'Dropout_0' has drop rate .* wants a rate in \[0, 1\)"):
        check_runnable(scopes(model))


def test_dropout_of_an_opset_without_a_kernel_names_the_opset() -> None:
    text = '<ir_version: 3, opset_import: ["" : 6]> g (float[N,4] x) => (float[N,4] y) { y = Dropout(x) }'
    with pytest.raises(InvalidModel, match="Dropout of opset 6"):
        check_runnable(scopes(name_nodes(onnx.parser.parse_model(text))))


@pytest.mark.parametrize(
    "body", ["y = Dropout(x, r, t)", "y = Dropout(x, zero, t)", "n = RandomNormalLike<scale = 0.0>(x)  y = Add(x, n)"]
)
def test_what_runs_is_let_through(body: str) -> None:
    check_runnable(scopes(parsed(dense(body))))


def test_it_is_found_in_bodies_too() -> None:
    text = f"""{HEADER} g (float[N,4] x, bool c) => (float[N,4] y) <float r = {{1.0}}, bool t = {{1}}> {{
        y = If(c) <then_branch = a () => (float[N,4] p) {{ p = Dropout(x, r, t) }},
                   else_branch = b () => (float[N,4] k) {{ k = Identity(x) }}>
    }}"""
    with pytest.raises(ExecutionFailed, match="has drop rate 1"):
        check_runnable(scopes(name_nodes(onnx.parser.parse_model(text))))


def test_an_audit_says_the_same() -> None:
    with pytest.raises(ExecutionFailed, match="wants a rate in"):
        audit(ArtifactSubject(dense("y = Dropout(x, w, t)", extra=", float w = {1.0}"), Role.TRAIN), PLAN)


BFLOAT16 = "h = Cast<to = 16>(x)  {}  y = Cast<to = 1>(d)"


@pytest.mark.parametrize("body", ["d = Dropout(h, r, t)", "e = Abs(h)  d = Dropout(e, r, t)"], ids=["alone", "behind"])
@pytest.mark.parametrize("role", [Role.TRAIN, Role.INFERENCE])
def test_bfloat16_without_a_kernel_is_named_and_no_mistake_of_ours(body: str, role: Role) -> None:
    """A default session deletes the Dropout before it looks for a kernel."""
    with pytest.raises(InvalidModel, match=r"computes in bfloat16.*convert it to float32.*Could not find"):
        audit(ArtifactSubject(dense(BFLOAT16.format(body)), role), PLAN)


@pytest.mark.parametrize(
    "draw", ["RandomUniform<shape = [8, 16]>()", "RandomUniformLike(x)", "RandomNormalLike(x)", "Multinomial(x)"]
)
def test_a_random_operator_of_an_opset_without_a_kernel_names_the_opset(draw: str) -> None:
    text = f"""<ir_version: 10, opset_import: ["" : 22]> g (float[8,16] x) => (float[8,16] y) {{
        u = {draw}  n = Cast<to = 1>(u)  y = Add(x, n) }}"""
    with pytest.raises(
        InvalidModel, match=rf"draws by {draw.partition('<')[0].partition('(')[0]} of opset 22.*opset 21"
    ):
        audit(ArtifactSubject(onnx.parser.parse_model(text).SerializeToString(), Role.TRAIN), PLAN)


def test_other_operators_without_a_kernel_are_told_as_the_runtime_does() -> None:
    header = '<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>'
    text = f"""{header} g (float[N,4] x) => (float[N,4] y) <float r = {{0.5}}, bool t = {{1}}> {{
        y = com.microsoft.BitmaskDropout(x, r, t) }}"""
    with pytest.raises(InvalidModel, match="cannot load the model: Could not find an implementation for Bitmask"):
        audit(ArtifactSubject(onnx.parser.parse_model(text).SerializeToString(), Role.TRAIN), PLAN)
