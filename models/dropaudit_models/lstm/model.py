"""A reference LSTM as an ONNX model."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from dropaudit.report import Axis
from dropaudit_models.lstm.gate_weights import LSTMWeights
from dropaudit_models.lstm.parameters import Parameters, parameters
from dropaudit_models.lstm.places import Place, Sites, Spot, put
from dropaudit_models.lstm.recurrence import SEQUENCE, operator_layer, scan_layer
from dropaudit_models.lstm.spec import FloatType, Head, LSTMSpec, Recurrence
from dropaudit_models.writing import GraphWriter, Wire

INPUT, OUTPUT = "x", "y"
_BATCH_FIRST = (Axis.BATCH, Axis.TIME, Axis.FEATURE)


def lstm_model(spec: LSTMSpec, sites: Sites | None = None, weights: Parameters | None = None) -> onnx.ModelProto:
    """Build x -> y with `sites` put into it; a bare spec, whose own dropout is not looked at (`twins.build` does).

    x has shape (batch, time, input size), or (batch, time) for ids; y (batch, time, features), features being units
    times directions or classes. Time comes first where the spec says so. The initial state is zero.

    Args:
        spec: sizes, layers, operator set and data type.
        sites: transforms by place; none by default.
        weights: the spec's own by default.
    """
    sites, weights = sites or {}, weights or parameters(spec)
    writer = GraphWriter(spec.opset, spec.numpy_dtype)
    wire = _embedded(writer, spec, sites, weights)
    for index, directions in enumerate(weights.layers):
        wire = _layer(writer, spec, wire, index, directions, sites)
    wire = put(sites, Place(Spot.LAST), writer, wire)
    wire = put(sites, Place(Spot.RESULT), writer, _head(writer, spec, wire, weights))
    writer.rename(wire.name, OUTPUT)
    return finished(writer, _input(spec), _order(spec, wire.features))


def _embedded(writer: GraphWriter, spec: LSTMSpec, sites: Sites, weights: Parameters) -> Wire:
    axes = _BATCH_FIRST if spec.batch_first else SEQUENCE
    extents = (spec.batch, spec.steps) if spec.batch_first else (spec.steps, spec.batch)
    wire = Wire(INPUT, axes, (*extents, spec.input_size))
    if weights.table is None:
        return wire
    writer.label = "embedding"
    table = Wire(writer.constant(weights.table), (None, Axis.FEATURE), weights.table.shape)
    used = put(sites, Place(Spot.TABLE), writer, table)
    writer.label = "embedding"
    return wire.called(writer.add("Gather", used.name, INPUT, name="embedding"))


def _layer(
    writer: GraphWriter, spec: LSTMSpec, wire: Wire, layer: int, directions: tuple[LSTMWeights, ...], sites: Sites
) -> Wire:
    if not spec.per_step:
        wire = put(sites, Place(Spot.INPUT, layer), writer, wire)
    writer.label = f"lstm_{layer}"
    if spec.batch_first:
        batch, time, features = wire.extents
        wire = Wire(writer.add("Transpose", wire.name, perm=[1, 0, 2]), SEQUENCE, (time, batch, features))
    if spec.needs_scan or spec.recurrence is Recurrence.SCAN:
        options = {"batch_first": spec.batch_first, "per_step": spec.per_step}
        wire = scan_layer(writer, wire, directions, layer, sites, **options)
    else:
        wire = operator_layer(writer, wire, directions, layer, sites, spec.batch_first)
    return wire if spec.per_step else put(sites, Place(Spot.OUTPUT, layer), writer, wire)


def _head(writer: GraphWriter, spec: LSTMSpec, wire: Wire, weights: Parameters) -> Wire:
    if weights.head is None:
        return wire
    writer.label = "head"
    if spec.dtype is FloatType.FLOAT16:
        # ONNX Runtime 1.31's MatmulTransposeFusion crashes the process on Transpose -> MatMul in float16 on the CPU.
        classes = writer.add("Einsum", wire.name, writer.constant(weights.head), equation="abi,ij->abj")
    else:
        classes = writer.add("MatMul", wire.name, writer.constant(weights.head))
    if spec.head is Head.SOFTMAX:
        classes = writer.add("Softmax", classes, axis=-1)
    return Wire(classes, wire.axes, (*wire.extents[:-1], spec.classes))


def _input(spec: LSTMSpec) -> onnx.ValueInfoProto:
    if spec.vocabulary is not None:
        return helper.make_tensor_value_info(INPUT, TensorProto.INT64, _order(spec, None))
    return helper.make_tensor_value_info(INPUT, _element(spec), _order(spec, spec.input_size))


def _order(spec: LSTMSpec, features: int | None) -> list[int | str]:
    batch, time = spec.batch or "batch", spec.steps or "time"
    leading: list[int | str] = [batch, time] if spec.batch_first else [time, batch]
    return leading if features is None else [*leading, features]


def _element(spec: LSTMSpec) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(spec.numpy_dtype)))


def finished(writer: GraphWriter, given: onnx.ValueInfoProto, shape: list[int | str]) -> onnx.ModelProto:
    """Return the checked model of a writer whose graph makes y of `shape`. Raises onnx.checker.ValidationError."""
    y = helper.make_tensor_value_info(OUTPUT, writer.element_type, shape)
    graph = helper.make_graph(writer.nodes, "lstm", [given], [y], writer.constants)
    opsets = [helper.make_opsetid("", writer.opset)]
    version = helper.find_min_ir_version_for(opsets)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=version, producer_name="dropaudit")
    onnx.checker.check_model(model, full_check=True)
    return model
