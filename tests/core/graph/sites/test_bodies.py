"""Claims about dropout in the bodies of Scan, Loop and If, in functions, and behind graph inputs."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import parser

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Axis, Placement, Verdict
from support.graphs import HEADER, model

PLAN = Plan(provider=Provider.CPU)

SCAN = """g (float[T,B,8] x, float[B,8] h0) => (float[T,B,8] y) <float r = {0.3}, bool t = {1}> {
    h, y = Scan <num_scan_inputs = 1, body = step (float[B,8] hi, float[B,8] xi) => (float[B,8] ho, float[B,8] yi) {
        BODY
    }> (h0, x)
}"""


def report_of(content: bytes, role: Role = Role.TRAIN) -> Report:
    return audit(ArtifactSubject(content, role), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings} - {"DA405"}


def scan(body: str) -> bytes:
    return model(SCAN.replace("BODY", body))


def test_output_dropout_in_a_scan_is_measured_step_by_step() -> None:
    report = report_of(scan("ho = Tanh(xi)  yi = Dropout(ho, r, t)"))
    (site,) = report.sites
    assert report.verdict is not Verdict.FAIL
    assert site.path != ""
    assert site.placement is Placement.OUTPUT
    assert site.keep_prob is not None
    assert not site.keep_prob.excludes(0.7)
    assert site.elements == 16 * 8 * 8
    assert report.outputs[0].linear


def test_state_dropout_comes_back_at_the_next_step_and_is_not_linear() -> None:
    report = report_of(scan("s = Add(hi, xi)  yi = Tanh(s)  ho = Dropout(yi, r, t)"))
    (site,) = report.sites
    assert site.placement is Placement.STATE_H
    assert not report.outputs[0].linear


def test_a_mask_from_outside_a_loop_is_shared_over_time() -> None:
    text = SCAN.replace("BODY", "ho = Tanh(xi)  m1 = Mul(ho, m)  yi = Div(m1, q)").replace(
        "{\n    h, y", "{\n    u = RandomUniformLike(h0)  b = Less(u, q)  m = Cast<to = 1>(b)\n    h, y"
    )
    report = report_of(model(text.replace("bool t = {1}", "float q = {0.7}")))
    (site,) = report.sites
    assert Axis.TIME in site.shared_over
    assert "DA403" in codes(report)
    assert site.elements == 8 * 8


BRANCH = """g (float[N,16] x, bool training) => (float[N,16] y) <float q = {0.7}> {
    h = Relu(x)
    y = If (training) <
        then_branch = a () => (float[N,16] p) {
            u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)  s = Mul(h, m)  p = Div(s, q)
        },
        else_branch = b () => (float[N,16] k) { k = Identity(h) }
    >
}"""


def test_the_branch_of_the_mode_is_the_one_that_is_judged() -> None:
    content = model(BRANCH)
    assert report_of(content, Role.TRAIN).verdict is Verdict.PASS
    assert report_of(content, Role.INFERENCE).verdict is Verdict.PASS
    assert report_of(content, Role.INFERENCE).sites == ()


def test_a_branch_that_scales_at_inference_is_the_papers_first_form() -> None:
    content = model(BRANCH.replace("p = Div(s, q)", "p = Identity(s)").replace("k = Identity(h)", "k = Mul(h, q)"))
    report = report_of(content)
    assert codes(report) == {"DA304"}
    assert report.verdict is Verdict.PASS


def test_an_unscaled_branch_that_inference_does_not_make_up_for_fails() -> None:
    assert "DA301" in codes(report_of(model(BRANCH.replace("p = Div(s, q)", "p = Identity(s)"))))


def test_a_keep_probability_that_is_fed_is_the_declared_one() -> None:
    content = model(
        "g (float[N,16] x, float keep) => (float[N,16] y)"
        "{ u = RandomUniformLike(x)  b = Less(u, keep)  m = Cast<to = 1>(b)  s = Mul(x, m)  y = Div(s, keep) }"
    )
    keep = np.array(0.6, dtype=np.float32)
    subject = ArtifactSubject(content, Role.TRAIN, {"keep": keep, "x": np.ones((8, 16), dtype=np.float32)})
    report = audit(subject, PLAN)
    assert report.verdict is Verdict.PASS
    assert report.sites[0].declared_keep_prob == pytest.approx(0.6)
    assert report_of(content).sites[0].declared_keep_prob == pytest.approx(0.5)
    assert report_of(content, Role.INFERENCE).verdict is Verdict.PASS


def test_dropout_in_a_function_of_the_model_is_found() -> None:
    text = HEADER.replace('"" : 17]', '"" : 17, "own" : 1]')
    content = parser.parse_model(
        f"""{text}
        g (float[N,16] x) => (float[N,16] y) <float r = {{0.3}}, bool t = {{1}}> {{
            h = Relu(x)  y = own.drop(h, r, t)
        }}
        <domain: "own", opset_import: ["" : 17]>
        drop (a, r, t) => (b) {{ b = Dropout(a, r, t) }}"""
    ).SerializeToString()
    (site,) = report_of(content).sites
    assert site.declared_keep_prob == pytest.approx(0.7)
    assert site.keep_prob is not None
    assert not site.keep_prob.excludes(0.7)
