"""Whether consecutive runs of the runtime draw correlated Dropout masks."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from dropaudit.runtime.provider import Device
from dropaudit.stats.masks import correlated_runs

_CELLS = 64
_RUNS = 256
_RATIO = 0.3
_SEED = 20
# The runtime is tested once for all audits of a process; the chance of a false answer is far below any audit's alpha.
_ALPHA = 1e-9
_OPSET = 17


@cache
def dispersion_of_runs(place: Device) -> float | None:
    """Run a Dropout of 64 ones 256 times and compare how often each cell is kept.

    Returns:
        How many times wider keep counts scatter than those of independent masks; None when that is compatible with 1.
    """
    options = onnxruntime.SessionOptions()
    # Starting more threads takes longer than all runs together.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_probe().SerializeToString(), options, providers=place.providers)
    onnxruntime.set_seed(_SEED)
    feeds = {"x": np.ones((1, _CELLS), dtype=np.float32)}
    kept = np.stack([session.run(None, feeds)[0][0] != 0 for _ in range(_RUNS)])
    return correlated_runs(kept, 1 - _RATIO, _ALPHA)


def _probe() -> onnx.ModelProto:
    node = helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])
    shape = [1, _CELLS]
    graph = helper.make_graph(
        [node],
        "probe",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(np.array(_RATIO, dtype=np.float32), "ratio"),
            numpy_helper.from_array(np.array(True), "training"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
