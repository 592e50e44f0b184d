"""Claims about the outputs of a pair that are compared."""

from __future__ import annotations

import onnx
import pytest

from dropaudit import PairSubject, Plan, audit
from dropaudit.errors import InvalidTensor
from dropaudit.plan import Provider

SCORES = "(float[8,16] x) => (float[8,16] y)"
LABELS = "(float[8,16] x) => (int64[8] y)"


def model(signature: str, body: str) -> bytes:
    parsed = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g {signature} <float r = {{0.3}}, bool t = {{1}}> {{ {body} }}'
    )
    content: bytes = parsed.SerializeToString()
    return content


def message(train: bytes, inference: bytes) -> str:
    with pytest.raises(InvalidTensor) as refused:
        audit(PairSubject(train, inference), Plan(provider=Provider.CPU))
    return refused.value.message


def test_labels_of_one_artifact_are_not_compared_with_scores_of_the_other() -> None:
    scores = model(SCORES, "y = Dropout(x, r, t)")
    labels = model(LABELS, "y = ArgMax<axis = 1, keepdims = 0>(x)")
    trained = model(LABELS, "d = Dropout(x, r, t)  y = ArgMax<axis = 1, keepdims = 0>(d)")
    assert message(scores, labels).startswith("the inference artifact of the pair returns no floating-point numbers")
    assert message(trained, model(SCORES, "y = Neg(x)")).startswith(
        "the train artifact of the pair returns no floating"
    )
