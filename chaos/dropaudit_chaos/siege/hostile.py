"""Models that nobody should run, each of a kind of its own: a service that takes files must survive them all."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dropaudit.subjects import Array
from dropaudit_chaos.siege.hostile_graphs import GRAPHS

_RATE, _SWITCH = "r", "t"
Change = Callable[[onnx.ModelProto], None]


def base() -> onnx.ModelProto:
    """Return a healthy model that the kinds are made from."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="dense"),
        helper.make_node("Dropout", ["h", _RATE, _SWITCH], ["y"], name="drop"),
    ]
    weights = [
        numpy_helper.from_array(np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32), "w"),
        helper.make_tensor(_RATE, TensorProto.FLOAT, [], [0.3]),
        helper.make_tensor(_SWITCH, TensorProto.BOOL, [], [True]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 8])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 8])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _bytes_kinds(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    whole = base().SerializeToString()
    yield "one byte", b"\x00"
    yield "random bytes", rng.randbytes(4096)
    yield "text", b"this is not a model\n" * 10
    yield "a ZIP archive", b"PK\x03\x04" + rng.randbytes(200)
    yield "a pickle", b"\x80\x04cos\nsystem\n(S'true'\ntR."
    yield "an ELF program", b"\x7fELF" + rng.randbytes(200)
    yield "zeros", bytes(1 << 20)
    yield "a length beyond the end", b"\x3a\xff\xff\xff\xff\x0f"
    yield "a varint without end", b"\xff" * 64
    yield "groups in groups", b"\x0b" * 5000
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"cut at {share:.0%}", whole[: int(len(whole) * share)]
    for count in (1, 8, 64):
        flipped = bytearray(whole)
        for _ in range(count):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        yield f"{count} bits flipped", bytes(flipped)
    yield "twice the same", whole + whole
    yield "followed by garbage", whole + rng.randbytes(100)


def _external(location: str, **more: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **more}.items():
            tensor.external_data.add(key=key, value=value)

    return change


def _weights(array: Array) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(array, "w"))

    return change


def _rate(value: float) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer[1].CopyFrom(helper.make_tensor(_RATE, TensorProto.FLOAT, [], [value]))

    return change


def _shape(*dims: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].dims[:] = dims

    return change


def _input(kind: int, dims: list[int | str]) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", kind, dims))

    return change


def _named(name: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        drop = model.graph.node[1]
        drop.name, drop.output[0], model.graph.output[0].name = name, name, name

    return change


def _broken_named(name: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[0].name, model.graph.node[0].op_type = name, name

    return change


def _edit(edit: Callable[[onnx.GraphProto], object]) -> Change:
    return lambda model: (edit(model.graph), None)[1]


def _opset(domain: str, version: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        del model.opset_import[:]
        model.opset_import.add(domain=domain, version=version)

    return change


def _custom(domain: str, operator: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import.add(domain=domain, version=1)
        model.graph.node[0].domain, model.graph.node[0].op_type = domain, operator

    return change


_CHANGES: dict[str, Change] = {
    "external data: an absolute path": _external("/etc/passwd"),
    "external data: up and out": _external("../../../../etc/passwd"),
    "external data: a device": _external("/dev/zero", length=str(1 << 40)),
    "external data: a process's memory": _external("/proc/self/mem"),
    "external data: beside it": _external("weights.bin"),
    "external data: a NUL in the path": _external("a\0b"),
    "external data: offset below zero": _external("weights.bin", offset="-1"),
    "external data: a URL": _external("file:///etc/passwd"),
    "weights: NaN": _weights(np.full((8, 8), np.nan, np.float32)),
    "weights: infinite": _weights(np.full((8, 8), np.inf, np.float32)),
    "weights: largest float": _weights(np.full((8, 8), 3.4e38, np.float32)),
    "weights: denormal": _weights(np.full((8, 8), 1e-45, np.float32)),
    "weights: strings": _weights(np.array([["a"] * 8] * 8, dtype=object)),
    "weights: complex": _weights(np.ones((8, 8), np.complex64)),
    "weights: another type": _weights(np.ones((8, 8), np.int64)),
    "weights: empty": _weights(np.ones((0, 8), np.float32)),
    "weights: fewer than their shape": _shape(800, 800),
    "weights: more than memory": _shape(1 << 40, 8),
    "weights: a shape that overflows": _shape(1 << 62, 1 << 62),
    "weights: a shape below zero": _shape(-8, -8),
    "weights: an unknown type": _edit(lambda graph: setattr(graph.initializer[0], "data_type", 99)),
    "rate: one": _rate(1.0),
    "rate: below zero": _rate(-0.5),
    "rate: beyond one": _rate(1e30),
    "rate: NaN": _rate(float("nan")),
    "input: string": _input(TensorProto.STRING, ["N", 8]),
    "input: complex": _input(TensorProto.COMPLEX64, ["N", 8]),
    "input: an unknown type": _input(99, ["N", 8]),
    "input: more than memory": _input(TensorProto.FLOAT, [1 << 20, 1 << 20]),
    "input: a shape that overflows": _input(TensorProto.FLOAT, [1 << 62, 1 << 62]),
    "input: a shape below zero": _input(TensorProto.FLOAT, [-5, 8]),
    "input: thirty dimensions": _input(TensorProto.FLOAT, [1] * 30),
    "input: a hundred dimensions": _input(TensorProto.FLOAT, [1] * 100),
    "input: a scalar": _input(TensorProto.FLOAT, []),
    "input: none": _edit(lambda graph: graph.ClearField("input")),
    "input: twice": _edit(lambda graph: graph.input.append(graph.input[0])),
    "output: unknown": _edit(lambda graph: setattr(graph.output[0], "name", "nowhere")),
    "output: none": _edit(lambda graph: graph.ClearField("output")),
    "output: twice": _edit(lambda graph: graph.output.append(graph.output[0])),
    "nodes: none": _edit(lambda graph: graph.ClearField("node")),
    "nodes: a circle": _edit(lambda graph: graph.node[0].input.__setitem__(0, "y")),
    "nodes: an output of two": _edit(lambda graph: graph.node.append(graph.node[1])),
    "nodes: no inputs": _edit(lambda graph: graph.node[1].ClearField("input")),
    "nodes: out of order": _edit(lambda graph: graph.node.reverse()),
    "nodes: an unknown operator": _edit(lambda graph: setattr(graph.node[0], "op_type", "Missing")),
    "domain: unknown": _custom("evil.example", "MatMul"),
    "domain: a custom library's": _custom("ai.onnx.contrib", "PyOp"),
    "domain: a compiled blob": _custom("com.microsoft", "EPContext"),
    "domain: a path": _custom("/tmp/evil.so", "Run"),
    "opset: zero": _opset("", 0),
    "opset: from the future": _opset("", 10_000),
    "opset: below zero": _opset("", -1),
    "opset: none": lambda model: model.ClearField("opset_import"),
    "ir version: from the future": lambda model: setattr(model, "ir_version", 1 << 40),
    "names: escapes for a terminal": _named("\x1b[31m\x1b]0;evil\x07"),
    "names: an unknown operator's, with escapes": _broken_named("\x1b[2J\x1b[1;1Hok\r\n"),
    "names: right to left": _named("\u202edrop\u2066"),
    "names: line breaks": _named('y\n{"level": "error"}\r\n'),
    "names: markup": _named("<script>alert(1)</script>&\"'"),
    "names: a format": _named("{0}{x!r}%s%n${jndi:ldap://e}"),
    "names: a path": _named("../../../../tmp/evil"),
    "names: a million letters": _named("y" * 1_000_000),
    "names: empty": _named(""),
    "names: a NUL": _named("y\0z"),
}


def hostile_models(seed: int = 0) -> dict[str, bytes]:
    """Return a model of each kind, by the kind's name."""
    found = dict(_bytes_kinds(random.Random(seed)))
    for name, change in _CHANGES.items():
        model = base()
        change(model)
        found[name] = model.SerializeToString()
    return {**found, **{name: make() for name, make in GRAPHS.items()}}
