"""Large models for benchmarks, written in pieces: no more of their weights is in memory than one piece."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

_PIECE = 1 << 22
_GATES = 4
Shapes = dict[str, tuple[int, ...]]


def write_lstm(folder: Path, layers: int, hidden: int, rate: float, steps: int = 4) -> Path:
    """Write a random LSTM with dropout after each layer, and its weights beside it; return the path of the graph."""
    nodes: list[onnx.NodeProto] = []
    shapes: Shapes = {}
    last = "x"
    for layer in range(layers):
        shapes |= {f"W{layer}": (1, _GATES * hidden, hidden), f"R{layer}": (1, _GATES * hidden, hidden)}
        nodes += [
            helper.make_node(
                "LSTM", [last, f"W{layer}", f"R{layer}"], [f"y{layer}"], f"lstm{layer}", hidden_size=hidden
            ),
            helper.make_node("Squeeze", [f"y{layer}", "direction"], [f"h{layer}"], f"squeeze{layer}"),
            helper.make_node("Dropout", [f"h{layer}", "rate", "training"], [f"d{layer}"], f"dropout{layer}"),
        ]
        last = f"d{layer}"
    nodes.append(helper.make_node("Identity", [last], ["y"], "out"))
    sequence: list[str | int | None] = [steps, "batch", hidden]
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sequence)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sequence)],
        _constants(rate),
    )
    return _written(folder, "lstm", graph, shapes, 1 / math.sqrt(hidden))


def write_bert(folder: Path, layers: int = 12, hidden: int = 768, heads: int = 12, steps: int = 16) -> Path:
    """Write random encoder layers as BERT's, three dropouts in each and one before them; return the path."""
    pen = _Encoder(hidden, heads, steps)
    last = pen.dropped("x", "embedded")
    for layer in range(layers):
        last = pen.layer(last, f"l{layer}_")
    pen.node("Identity", [last], "y")
    sequence: list[str | int | None] = ["batch", steps, hidden]
    graph = helper.make_graph(
        pen.nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sequence)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sequence)],
        [*_constants(0.1), *pen.constants],
    )
    return _written(folder, "bert", graph, pen.shapes, 0.03)


class _Encoder:
    """Writes the nodes of encoder layers, and collects the shapes of their weights."""

    def __init__(self, hidden: int, heads: int, steps: int) -> None:
        self._hidden = hidden
        self.nodes: list[onnx.NodeProto] = []
        self.shapes: Shapes = {}
        values = {
            "parts": np.array([0, steps, heads, hidden // heads]),
            "whole": np.array([0, steps, hidden]),
            "root": np.float32(math.sqrt(hidden // heads)),
            "ones": np.ones(hidden, np.float32),
        }
        self.constants = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def dropped(self, source: str, name: str) -> str:
        return self.node("Dropout", [source, "rate", "training"], name)

    def product(self, source: str, name: str, *shape: int) -> str:
        self.shapes[f"{name}_w"] = shape
        return self.node("MatMul", [source, f"{name}_w"], name)

    def layer(self, source: str, at: str) -> str:
        size = self._hidden
        mixed = self._attention(source, at)
        first = self._added(source, self.dropped(self.product(mixed, f"{at}o", size, size), f"{at}drop1"), f"{at}norm1")
        inner = self.node("Relu", [self.product(first, f"{at}up", size, 4 * size)], f"{at}relu")
        second = self.dropped(self.product(inner, f"{at}down", 4 * size, size), f"{at}drop2")
        return self._added(first, second, f"{at}norm2")

    def _attention(self, source: str, at: str) -> str:
        turned = {"q": [0, 2, 1, 3], "k": [0, 2, 3, 1], "v": [0, 2, 1, 3]}
        q, k, v = (
            self.node(
                "Transpose",
                [self.node("Reshape", [self.product(source, f"{at}{n}", *2 * (self._hidden,)), "parts"], f"{at}{n}r")],
                f"{at}{n}t",
                perm=perm,
            )
            for n, perm in turned.items()
        )
        scaled = self.node("Div", [self.node("MatMul", [q, k], f"{at}qk"), "root"], f"{at}scaled")
        shares = self.dropped(self.node("Softmax", [scaled], f"{at}softmax", axis=-1), f"{at}drop0")
        mixed = self.node("Transpose", [self.node("MatMul", [shares, v], f"{at}av")], f"{at}avt", perm=[0, 2, 1, 3])
        return self.node("Reshape", [mixed, "whole"], f"{at}mixed")

    def _added(self, source: str, other: str, name: str) -> str:
        added = self.node("Add", [source, other], f"{name}_sum")
        return self.node("LayerNormalization", [added, "ones"], name, axis=-1)


def _constants(rate: float) -> list[TensorProto]:
    values = {"rate": np.float32(rate), "training": np.bool_(True), "direction": np.array([1])}
    return [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]


def _written(folder: Path, name: str, graph: onnx.GraphProto, shapes: Shapes, scale: float) -> Path:
    graph.initializer.extend(_places(f"{name}.onnx.data", shapes))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    _write_random(folder / f"{name}.onnx.data", sum(map(math.prod, shapes.values())), scale)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def _places(file: str, shapes: Shapes) -> Iterable[TensorProto]:
    offset = 0
    for name, shape in shapes.items():
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in {"location": file, "offset": offset, "length": 4 * math.prod(shape)}.items():
            tensor.external_data.add(key=key, value=str(value))
        offset += 4 * math.prod(shape)
        yield tensor


def _write_random(path: Path, elements: int, scale: float) -> None:
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, elements, _PIECE):
            count = min(_PIECE, elements - start)
            file.write((rng.random(count, np.float32) * np.float32(2 * scale) - np.float32(scale)).tobytes())
