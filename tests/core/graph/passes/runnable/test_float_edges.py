"""Claims about models that take or return bfloat16."""

from __future__ import annotations

import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.passes.runnable.float_edges import with_float_edges
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from support.graphs import HEADER

INSIDE = "w = Cast<to = 1>(x)  d = Dropout(w, r, {mode})  h = Neg(d)  y = Cast<to = 16>(h)"
BRANCH = (
    "y = If(c) <then_branch = a () => (bfloat16[8,16] p) { w = Cast<to = 1>(x)  d = Dropout(w, r, t)"
    "  p = Cast<to = 16>(d) }, else_branch = b () => (bfloat16[8,16] o) { o = Identity(x) }>"
)


def model(body: str, more: str = "") -> onnx.ModelProto:
    return name_nodes(
        onnx.parser.parse_model(
            f"{HEADER} g (bfloat16[8,16] x{more}) => (bfloat16[8,16] y)"
            f" <float r = {{0.3}}, bool t = {{1}}, bool off = {{0}}> {{ {body} }}"
        )
    )


def report_of(proto: onnx.ModelProto, role: Role) -> Report:
    return audit(ArtifactSubject(proto.SerializeToString(), role), Plan(provider=Provider.CPU))


def test_edges_of_bfloat16_are_cast() -> None:
    found = with_float_edges(model(INSIDE.format(mode="t"))).graph
    assert {value.type.tensor_type.elem_type for value in (*found.input, *found.output)} == {onnx.TensorProto.FLOAT}
    assert [node.op_type for node in found.node] == ["Cast", "Cast", "Dropout", "Neg", "Cast", "Cast"]
    assert (found.node[0].input[0], found.node[-1].output[0]) == ("x", "y")


def test_a_model_without_them_is_left_alone() -> None:
    plain = onnx.parser.parse_model(f"{HEADER} g (float[8] x) => (float[8] y) {{ y = Neg(x) }}")
    assert with_float_edges(plain) is plain


@pytest.mark.parametrize("body", [INSIDE.format(mode="t"), BRANCH], ids=["inside", "in a branch"])
def test_dropout_inside_of_edges_of_bfloat16_is_audited(body: str) -> None:
    proto = model(body, ", bool c" if body is BRANCH else "")
    report = report_of(proto, Role.TRAIN)
    assert report.verdict in (Verdict.PASS, Verdict.WARN)
    assert report.sites[0].keep_prob is not None


def test_what_is_served_in_bfloat16_is_audited() -> None:
    assert report_of(model(INSIDE.format(mode="off")), Role.INFERENCE).verdict is Verdict.PASS
    assert report_of(model(INSIDE.format(mode="t")), Role.INFERENCE).verdict is Verdict.FAIL
