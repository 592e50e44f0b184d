"""Small graphs with known answers, in ONNX's text form."""

from __future__ import annotations

import random

import onnx
from onnx import parser

HEADER = '<ir_version: 8, opset_import: ["" : 17]>'


def model(text: str, header: str = HEADER) -> bytes:
    """Return the ONNX file of a graph in text form."""
    content: bytes = parser.parse_model(f"{header}\n{text}").SerializeToString()
    return content


def dense(body: str, columns: int = 16, extra: str = "") -> bytes:
    """Return x (N, columns) -> y with drop rate `r` 0.3, switch `t` on, keep threshold `q` 0.7 and a body of nodes."""
    constants = f"float r = {{0.3}}, bool t = {{1}}, float q = {{0.7}}, float zero = {{0.0}}{extra}"
    return model(f"g (float[N,{columns}] x) => (float[N,{columns}] y) <{constants}> {{ {body} }}")


def padded(content: bytes, size: int) -> bytes:
    """Return the same model as other, larger content: with a documentation string of `size` characters."""
    found = onnx.load_from_string(content)
    found.doc_string = "x" * size
    larger: bytes = found.SerializeToString()
    return larger


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Flip a few bytes, cut the end off, or change a node's operator, inputs, outputs or attributes."""
    if rng.random() < 0.5:
        changed = bytearray(content)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed[: rng.randint(len(changed) // 2, len(changed))])
    proto = onnx.load_from_string(content)
    node = rng.choice(proto.graph.node)
    match rng.randrange(5):
        case 0:
            node.op_type = rng.choice(["Mul", "Where", "Dropout", "Identity", "Scan", "If", "Missing"])
        case 1:
            del node.input[rng.randrange(len(node.input)) :]
        case 2:
            node.input[0] = rng.choice(["", "nowhere", proto.graph.output[0].name])
        case 3:
            node.output[0] = rng.choice(["", "elsewhere", "x"])
        case _:
            proto.graph.node.remove(node)
    return proto.SerializeToString()


CHAIN = "u = RandomUniformLike({x})  b = Less(u, q)  m = Cast<to = 1>(b)"
"""A mask `m` over {x} that keeps 0.7."""
