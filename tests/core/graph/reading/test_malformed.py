"""Claims about damaged and malformed models: a typed error, or a report, and nothing else."""

from __future__ import annotations

import random

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import AuditError, InvalidModel
from dropaudit.plan import Provider
from support.graphs import CHAIN, damaged, dense, model

PLAN = Plan(provider=Provider.CPU, max_replicates=64)
CONTENT = dense(f"h = Relu(x)  {CHAIN.format(x='x')}  s = Mul(h, m)  k = Div(s, q)  y = Dropout(k, r, t)")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_model_gives_a_typed_error_or_a_report(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    refused = []
    for _ in range(100):
        try:
            audit(ArtifactSubject(damaged(CONTENT, rng), rng.choice(list(Role))), PLAN)
        except AuditError as error:
            refused.append(error.message)
    assert refused
    assert all(refused)
    assert capfd.readouterr().out == ""


def test_a_float16_model_that_would_crash_a_default_session_is_audited() -> None:
    weight = numpy_helper.from_array(np.full((5, 6), 0.1, dtype=np.float16), "w")
    text = """g (float16[B,3,5] x) => (float16[3,B,6] y) <float r = {0.5}, bool t = {1}> {
        d = Dropout(x, r, t)  s = Transpose<perm = [1, 0, 2]>(d)  y = MatMul(s, w)
    }"""
    proto = onnx.load_from_string(model(text))
    proto.graph.initializer.append(weight)
    report = audit(ArtifactSubject(proto.SerializeToString(), Role.TRAIN), PLAN)
    assert report.sites[0].scale is not None
    assert report.sites[0].scale.median == pytest.approx(2)


def test_a_dimension_whose_label_is_no_text_is_refused() -> None:
    content = model("g (float[Batch,3] x) => (float[Batch,3] y) { y = Relu(x) }").replace(b"Batch", b"Bat\xffh")
    with pytest.raises(InvalidModel, match="not UTF-8 text"):
        audit(ArtifactSubject(content), PLAN)
