"""What a first audit would pay for once: modules that are loaded when needed, and tables that libraries fill."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from dropaudit import ArtifactSubject, Plan, RecordedSubject, Role, audit
from dropaudit.audit_artifacts import CACHE
from dropaudit.plan import Provider

_CELLS = 64
_OPSET = 17


def warm_up() -> None:
    """Audit a Dropout and two recorded arrays on the CPU. What goes wrong there is left to who asks for an audit."""
    ones = np.ones((1, _CELLS), dtype=np.float32)
    with suppress(Exception):
        audit(ArtifactSubject(_dropout(), Role.TRAIN), Plan(provider=Provider.CPU))
        audit(RecordedSubject(ones, (2 * ones * (np.arange(_CELLS) % 2),)), Plan())
    CACHE.clear()


def _dropout() -> bytes:
    shape: list[str | int | None] = ["batch", _CELLS]
    graph = helper.make_graph(
        [helper.make_node("Dropout", ["x", "ratio", "training"], ["y"], name="dropout")],
        "warm_up",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(np.array(0.5, dtype=np.float32), "ratio"),
            numpy_helper.from_array(np.array(True), "training"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content
