"""LSTM layers as ONNX nodes: the operator LSTM, or TensorFlow's cell step by step in the body of a Scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from dropaudit.report import Axis
from dropaudit_models.lstm.gate_weights import LSTMWeights, to_onnx
from dropaudit_models.lstm.places import Place, Sites, Spot, put
from dropaudit_models.writing import GraphWriter, Wire

SEQUENCE = (Axis.TIME, Axis.BATCH, Axis.FEATURE)
STATE = (Axis.BATCH, Axis.FEATURE)


def operator_layer(
    writer: GraphWriter, x: Wire, directions: Sequence[LSTMWeights], layer: int, sites: Sites, batch_first: bool
) -> Wire:
    """Add the operator LSTM; x is time-first, the result has the asked order and both directions side by side."""
    writer.label = f"lstm_{layer}"
    weights = to_onnx(directions)
    w, b = writer.constant(weights.w), writer.constant(weights.b)
    recurrent = Wire(writer.constant(weights.r), (None, None, Axis.FEATURE), weights.r.shape)
    r = put(sites, Place(Spot.WEIGHT, layer), writer, recurrent).name
    writer.label = f"lstm_{layer}"
    direction = {"direction": "bidirectional"} if len(directions) == 2 else {}
    (states,) = writer.add_many("LSTM", [x.name, w, r, b], 1, hidden_size=directions[0].units, **direction)
    # (time, directions, batch, units): bring the directions beside the units and join the two.
    ordered = writer.add("Transpose", states, perm=[2, 0, 1, 3] if batch_first else [0, 2, 1, 3])
    joined = writer.add("Reshape", ordered, writer.ints(0, 0, -1))
    return sequence(joined, batch_first, x, len(directions) * directions[0].units)


def scan_layer(
    writer: GraphWriter,
    x: Wire,
    directions: Sequence[LSTMWeights],
    layer: int,
    sites: Sites,
    *,
    batch_first: bool,
    per_step: bool,
) -> Wire:
    """Add a Scan for each direction; x is time-first. With `per_step` input and output sites are inside the bodies."""
    results = [
        _scan(writer, x, weights, layer, sites, reverse=bool(index), per_step=per_step)
        for index, weights in enumerate(directions)
    ]
    writer.label = f"lstm_{layer}"
    joined = results[0] if len(results) == 1 else writer.add("Concat", *results, axis=2)
    if batch_first:
        joined = writer.add("Transpose", joined, perm=[1, 0, 2])
    return sequence(joined, batch_first, x, len(directions) * directions[0].units)


def sequence(name: str, batch_first: bool, x: Wire, features: int) -> Wire:
    """Return a layer's result as a wire; x is time-first."""
    time, batch, _ = x.extents
    if batch_first:
        return Wire(name, (Axis.BATCH, Axis.TIME, Axis.FEATURE), (batch, time, features))
    return Wire(name, SEQUENCE, (time, batch, features))


def _scan(
    writer: GraphWriter, x: Wire, weights: LSTMWeights, layer: int, sites: Sites, *, reverse: bool, per_step: bool
) -> str:
    writer.label = f"lstm_{layer}"
    zeros = _zero_state(writer, x, weights.units)
    recurrent = Wire(writer.constant(weights.kernel[weights.input_size :]), (None, Axis.FEATURE), (None, None))
    r = put(sites, Place(Spot.WEIGHT, layer), writer, recurrent).name
    writer.label = f"lstm_{layer}"
    first = x.called(writer.add("Gather", x.name, writer.constant(0, np.int64), axis=0)) if per_step else x
    outside = Wire(first.name, STATE, x.extents[1:])
    body = _Step(writer, weights, layer, sites if per_step else _states_only(sites)).graph(r, zeros, outside)
    order: dict[str, Any] = {"scan_input_directions": [1], "scan_output_directions": [1]} if reverse else {}
    results = writer.add_many("Scan", [zeros.name, zeros.name, x.name], 3, body=body, num_scan_inputs=1, **order)
    return results[2]


def _states_only(sites: Sites) -> Sites:
    return {place: site for place, site in sites.items() if place.spot in (Spot.STATE_H, Spot.STATE_C)}


def _zero_state(writer: GraphWriter, x: Wire, units: int) -> Wire:
    batch = writer.add("Slice", writer.add("Shape", x.name), writer.ints(1), writer.ints(2))
    shape = writer.add("Concat", batch, writer.ints(units), axis=0)
    zeros = writer.add("Expand", writer.constant(0), shape)
    return Wire(zeros, STATE, (x.extents[1], units))


class _Step:
    """One step of TensorFlow's LSTMCell: [x, h] @ kernel + bias = i, j, f, o;
    c = sigmoid(f + forget bias) c + sigmoid(i) tanh(j); h = sigmoid(o) tanh(c).
    """

    def __init__(self, writer: GraphWriter, weights: LSTMWeights, layer: int, sites: Sites) -> None:
        self._writer = writer.body()
        self._weights = weights
        self._layer = layer
        self._sites = sites

    def graph(self, recurrent: str, zeros: Wire, first: Wire) -> onnx.GraphProto:
        """Return the body (h, c, x) -> (h, c, y); `zeros` and `first` are outside and shaped like h and x."""
        body, weights, units = self._writer, self._weights, self._weights.units
        names = {part: body.fresh(f"lstm_{self._layer}/{part}") for part in ("h", "c", "x")}
        x = Wire(names["x"], STATE, (first.extents[0], weights.input_size), outside=first)
        dropped = self._put(Spot.INPUT, x)
        gates = self._gates(dropped.name, names["h"], recurrent)
        new_h, new_c = self._update(gates, names["c"])
        state = Wire(new_h, STATE, (zeros.extents[0], units), outside=zeros, previous=names["h"])
        kept_h = self._put(Spot.STATE_H, state)
        kept_c = self._put(Spot.STATE_C, Wire(new_c, STATE, state.extents, outside=zeros, previous=names["c"]))
        output = self._put(Spot.OUTPUT, state)
        results = [body.add("Identity", name) if name == new_h else name for name in (kept_h.name, kept_c.name)]
        returned = [(name, units) for name in (*results, output.name)]
        given = [(names["h"], units), (names["c"], units), (names["x"], weights.input_size)]
        return helper.make_graph(
            body.nodes,
            f"lstm_{self._layer}_step",
            [self._info(name, features) for name, features in given],
            [self._info(name, features) for name, features in returned],
        )

    def _put(self, spot: Spot, wire: Wire) -> Wire:
        placed = put(self._sites, Place(spot, self._layer), self._writer, wire)
        self._writer.label = f"lstm_{self._layer}"
        return placed

    def _gates(self, x: str, h: str, recurrent: str) -> list[str]:
        body, weights = self._writer, self._weights
        body.label = f"lstm_{self._layer}"
        read = body.add("MatMul", x, body.constant(weights.kernel[: weights.input_size]))
        total = body.add("Add", read, body.add("MatMul", h, recurrent))
        gates = body.add("Add", total, body.constant(weights.bias))
        return body.add_many("Split", [gates, body.ints(*(weights.units for _ in range(4)))], 4, axis=1)

    def _update(self, gates: list[str], c: str) -> tuple[str, str]:
        body = self._writer
        i, j, f, o = gates
        forget = body.add("Sigmoid", body.add("Add", f, body.constant(self._weights.forget_bias)))
        added = body.add("Mul", body.add("Sigmoid", i), body.add("Tanh", j))
        new_c = body.add("Add", body.add("Mul", forget, c), added)
        return body.add("Mul", body.add("Sigmoid", o), body.add("Tanh", new_c)), new_c

    def _info(self, name: str, features: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, self._writer.element_type, ["batch", features])
