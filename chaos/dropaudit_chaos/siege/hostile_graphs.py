"""Graphs that ask for too much: of time, of memory, of depth, of numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import onnx
from onnx import TensorProto, helper, parser

_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
_SCALAR = "g (float[2] x) => (float[2] y)"
_ROUNDS = 9_223_372_036_854_775_807


def _text(graph: str, header: str = _HEADER) -> Callable[[], bytes]:
    return lambda: bytes(parser.parse_model(f"{header}\n{graph}").SerializeToString())


def _expanded(constant: str, product: str) -> Callable[[], bytes]:
    """A tensor as large as a constant says, reduced to nothing."""
    return _text(f"{_SCALAR} <{constant}> {{ {product} t = ReduceMax<keepdims = 0>(a)  y = Add(x, t) }}")


def _loop(body: str) -> Callable[[], bytes]:
    return _text(
        f"""{_SCALAR} <int64 n = {{{_ROUNDS}}}, bool c = {{1}}> {{
            y = Loop(n, c, x) <body = b (int64 i, bool k, float[2] v) => (bool l, float[2] w) {{ {body} }}>
        }}"""
    )


def _model(nodes: list[onnx.NodeProto], functions: list[onnx.FunctionProto], domain: str = "") -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)
    return bytes(made.SerializeToString())


def _many_nodes(count: int) -> Callable[[], bytes]:
    def make() -> bytes:
        names = ["x", *(f"a{number}" for number in range(count - 1)), "y"]
        return _model([helper.make_node("Relu", [a], [b]) for a, b in pairwise(names)], [])

    return make


def _nested(depth: int) -> Callable[[], bytes]:
    """Branches that lie in each other."""

    def branch(node: onnx.NodeProto) -> onnx.GraphProto:
        value = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, [2])
        return helper.make_graph([node], node.output[0], [], [value])

    def make() -> bytes:
        inner = helper.make_node("Identity", ["x"], ["z0"])
        for level in range(1, depth + 1):
            other = branch(helper.make_node("Neg", ["x"], [f"e{level}"]))
            inner = helper.make_node("If", ["c"], [f"z{level}"], then_branch=branch(inner), else_branch=other)
        condition = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", 9, [], [True]))
        return _model([condition, inner, helper.make_node("Identity", [f"z{depth}"], ["y"])], [])

    return make


def _deep(depth: int) -> Callable[[], bytes]:
    """Bodies in each other, deeper than any library writes them: message by message, from the inside."""

    def make() -> bytes:
        inner = b""
        for _ in range(depth):
            for field in (1, 5, 6):  # a graph's node, its attribute, the attribute's graph
                inner = bytes([field << 3 | 2]) + _varint(len(inner)) + inner
        return b"\x3a" + _varint(len(inner)) + inner

    return make


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _laughs(levels: int, width: int) -> Callable[[], bytes]:
    """Functions that each call the one before `width` times."""

    def make() -> bytes:
        functions = [_function("f0", [helper.make_node("Relu", ["v"], ["w"])])]
        for level in range(1, levels):
            values = ["v", *(f"v{number}" for number in range(width - 1)), "w"]
            calls = [helper.make_node(f"f{level - 1}", [a], [b], domain="me") for a, b in pairwise(values)]
            functions.append(_function(f"f{level}", calls))
        return _model([helper.make_node(f"f{levels - 1}", ["x"], ["y"], domain="me")], functions, "me")

    return make


def _recursive() -> bytes:
    calls = [helper.make_node("f", ["v"], ["w"], domain="me")]
    return _model([helper.make_node("f", ["x"], ["y"], domain="me")], [_function("f", calls)], "me")


def _function(name: str, nodes: list[onnx.NodeProto]) -> onnx.FunctionProto:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("me", 1)]
    return helper.make_function("me", name, ["v"], ["w"], nodes, opsets)


GRAPHS: dict[str, Callable[[], bytes]] = {
    "time: a loop without end": _loop("l = Identity(k)  w = Relu(v)"),
    "time: a loop that draws without end": _loop("l = Identity(k)  u = RandomUniformLike(v)  w = Add(u, v)"),
    "time: products without end": _expanded(
        "int64[2] s = {9000, 9000}",
        "a0 = ConstantOfShape(s) " + " ".join(f"a{n + 1} = MatMul(a{n}, a{n})" for n in range(20)) + " a = Neg(a20)",
    ),
    "memory: a constant of its shape": _expanded("int64[2] s = {1000000, 1000000}", "a = ConstantOfShape(s)"),
    "memory: a shape that overflows": _expanded(
        "int64[2] s = {4611686018427387904, 4611686018427387904}", "a = ConstantOfShape(s)"
    ),
    "memory: a shape below zero": _expanded("int64[2] s = {-4, 4}", "a = ConstantOfShape(s)"),
    "memory: expanded": _expanded("int64[2] s = {1000000, 1000000}, float f = {1}", "a = Expand(f, s)"),
    "memory: tiled": _expanded("int64[1] s = {9000000000}", "a = Tile(x, s)"),
    "memory: a range": _expanded(
        "float from = {0}, float to = {1e12}, float step = {0.001}", "a = Range(from, to, step)"
    ),
    "memory: a range without steps": _expanded(
        "float from = {0}, float to = {1}, float step = {0}", "a = Range(from, to, step)"
    ),
    "memory: padded": _expanded("int64[2] p = {9000000000, 9000000000}", "a = Pad(x, p)"),
    "memory: uniform numbers": _expanded("float f = {1}", "a = RandomUniform<shape = [1000000, 1000000]>()"),
    "memory: one hot": _expanded(
        "int64[1] i = {1}, int64 d = {90000000000}, float[2] v = {0, 1}", "a = OneHot(i, d, v)"
    ),
    "memory: doubled again and again": _text(
        f"{_SCALAR} {{ a0 = Concat<axis = 0>(x, x) "
        + " ".join(f"a{n + 1} = Concat<axis = 0>(a{n}, a{n})" for n in range(60))
        + " t = ReduceMax<keepdims = 0>(a60)  y = Add(x, t) }"
    ),
    "memory: a loop that grows": _text(
        f"""g (float[2] x) => (float[m] y) <int64 n = {{{_ROUNDS}}}, bool c = {{1}}> {{
            y = Loop(n, c, x) <body = b (int64 i, bool k, float[o] v) => (bool l, float[p] w) {{
                l = Identity(k)  w = Concat<axis = 0>(v, v)
            }}>
        }}"""
    ),
    "memory: known only when it runs": _text(
        f"""{_SCALAR} <int64 e = {{50000}}> {{
            n = Shape(x)  o = Div(n, n)  f = Mul(o, e)  s = Concat<axis = 0>(f, f)
            a = ConstantOfShape(s)  t = ReduceMax<keepdims = 0>(a)  y = Add(x, t)
        }}"""
    ),
    "numbers: a reshape that does not fit": _expanded("int64[1] s = {7}", "a = Reshape(x, s)"),
    "numbers: an index beyond the table": _expanded("int64[1] i = {99}", "a = Gather(x, i)"),
    "numbers: division by zero": _expanded("int64[1] z = {0}", "n = Shape(x)  b = Div(n, z)  a = Cast<to = 1>(b)"),
    "numbers: an axis beyond the dimensions": _text(f"{_SCALAR} {{ y = Softmax<axis = 77>(x) }}"),
    "numbers: an attribute of another type": _text(f'{_SCALAR} {{ y = Softmax<axis = "a">(x) }}'),
    "numbers: a cast to nothing": _text(f"{_SCALAR} {{ y = Cast<to = 77>(x) }}"),
    "types: a sequence as input": _text("g (seq(float[N]) x) => (float[2] y) <int64 i = {0}> { y = SequenceAt(x, i) }"),
    "types: an optional as input": _text("g (optional(float[2]) x) => (float[2] y) { y = OptionalGetElement(x) }"),
    "types: strings": _text("g (string[2] x) => (string[2] y) { y = Identity(x) }"),
    "types: a sequence as output": _text("g (float[2] x) => (seq(float[2]) y) { y = SequenceConstruct(x) }"),
    "nesting: a dozen bodies": _nested(12),
    "nesting: twenty bodies": _nested(20),
    "nesting: a thousand bodies": _deep(1000),
    "nesting: a function that calls itself": _recursive,
    "nesting: functions that expand to a billion": _laughs(10, 10),
    "nodes: a hundred thousand": _many_nodes(100_000),
}
