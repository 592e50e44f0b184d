"""Models whose weights lie beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from support.graphs import model

WEIGHTS = np.random.default_rng(0).standard_normal((64, 128)).astype(np.float32) / 8
BIAS = np.arange(128, dtype=np.float32) / 128
FILE = "model.onnx.data"


def place(tensor: TensorProto, **entries: str) -> TensorProto:
    """Let a tensor name external data."""
    tensor.ClearField("raw_data")
    del tensor.external_data[:]
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def weights(**entries: str) -> TensorProto:
    """Return the large weights, which are held, at a place."""
    return place(numpy_helper.from_array(WEIGHTS, "w"), **{"location": FILE, **entries})


def bias(**entries: str) -> TensorProto:
    """Return the small weights, which are taken in, at a place."""
    return place(numpy_helper.from_array(BIAS, "b"), **{"location": FILE, "offset": str(WEIGHTS.nbytes), **entries})


def graph(*tensors: TensorProto) -> onnx.ModelProto:
    """Return y = Dropout(x w + b), with a drop rate of 0.3."""
    proto = onnx.load_from_string(
        model(
            "g (float[N,64] x) => (float[N,128] y) <float r = {0.3}, bool t = {1}> "
            "{ h = MatMul(x, w)  s = Add(h, b)  y = Dropout(s, r, t) }"
        )
    )
    proto.graph.initializer.extend(tensors or (weights(), bias()))
    return proto


def whole() -> bytes:
    """Return the same model as one file."""
    content: bytes = graph(
        numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b")
    ).SerializeToString()
    return content


def write(folder: Path, proto: onnx.ModelProto | None = None, data: bytes | None = None) -> Path:
    """Write the model and its data; return the path of the model."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(WEIGHTS.tobytes() + BIAS.tobytes() if data is None else data)
    path = folder / "model.onnx"
    path.write_bytes((proto or graph()).SerializeToString())
    return path
