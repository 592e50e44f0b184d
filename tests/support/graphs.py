"""Small graphs with known answers, in ONNX's text form."""

from __future__ import annotations

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


CHAIN = "u = RandomUniformLike({x})  b = Less(u, q)  m = Cast<to = 1>(b)"
"""A mask `m` over {x} that keeps 0.7."""
