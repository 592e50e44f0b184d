"""Graphs of situations in ONNX's text form, with constants from numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import numpy_helper, parser

Q, COLUMNS = 0.7, 16
_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
X, Y = f"float[N,{COLUMNS}] x", f"float[N,{COLUMNS}] y"
# A mask m of zeros and ones over x, true with probability q.
CHAIN = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)"
# One cell a row.
ROWS = (
    "one = Constant<value = int64[1] {1}>()  zero = Constant<value = int64[1] {0}>()  "
    "cells = Slice(x, zero, one, one)  u = RandomUniformLike(cells)"
)


def graph(
    body: str,
    *,
    inputs: str = X,
    outputs: str = Y,
    constants: Mapping[str, ArrayLike] | None = None,
    **others: ArrayLike,
) -> onnx.ModelProto:
    """Return the model of a body of nodes; `constants` and others are initializers, floats in single precision."""
    model: onnx.ModelProto = parser.parse_model(f"{_HEADER} g ({inputs}) => ({outputs}) {{ {body} }}")
    for name, value in {**(constants or {}), **others}.items():
        model.graph.initializer.append(numpy_helper.from_array(_typed(value), name))
    return model


def _typed(value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def weights(rows: int = COLUMNS, columns: int = COLUMNS, seed: int = 1) -> NDArray[np.float64]:
    """Draw weights that keep the size of what they read."""
    drawn: NDArray[np.float64] = np.random.default_rng(seed).standard_normal((rows, columns)) / np.sqrt(rows)
    return drawn


def biases(columns: int = COLUMNS, seed: int = 2) -> NDArray[np.float64]:
    """Draw biases."""
    drawn: NDArray[np.float64] = np.random.default_rng(seed).standard_normal(columns)
    return drawn
