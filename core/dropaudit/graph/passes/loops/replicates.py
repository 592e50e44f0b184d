"""A pass that draws many replicates in one run, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx
from onnx import TensorProto, helper

from dropaudit.graph.passes.derive_mode import PREFIX
from dropaudit.graph.reading.scope import main_scope

# Input that says how many replicates to draw.
COUNT = f"{PREFIX}replicates"
# Before, a Loop wanted a state to carry.
_OPSET = 11
_ITERATION, _CONDITION, _GOES_ON = (f"{PREFIX}loop/{part}" for part in ("iteration", "condition", "goes_on"))


def replicates_of(name: str) -> str:
    """Return the output that holds all replicates of what was an output, along a new first axis."""
    return f"{PREFIX}replicates/{name}"


def looped(model: onnx.ModelProto, varying: Sequence[str] = ()) -> onnx.ModelProto | None:
    """Run a model as often as an input says; None where that cannot be written.

        g (x) => (y) { h = Tanh(x)  u = RandomUniform<shape = [1, 16]>()  …  y = Mul(h, m) }
        becomes      g (x, int64 replicates) => (replicates/y)
        { replicates/y = Loop(replicates) { h = Tanh(x)  u = RandomUniform<shape = [1, 16]>()  …  y = Mul(h, m) } }

    An operator that draws goes on in its stream from one iteration to the next, as it does from one run to the next; a
    Dropout begins another stream each time, as it does in each run.

    Args:
        model: the model.
        varying: inputs that have another value in each iteration: their values lie along a new first axis of an input
            that is named as `replicates_of` says.
    """
    if main_scope(model).opset < _OPSET:
        return None
    names = [value.name for value in model.graph.output]
    body = helper.make_graph(
        [*_beginning(varying), *model.graph.node, *_ending(names)],
        "replicate",
        [
            helper.make_tensor_value_info(_ITERATION, TensorProto.INT64, []),
            helper.make_tensor_value_info(_CONDITION, TensorProto.BOOL, []),
        ],
        [
            helper.make_tensor_value_info(_GOES_ON, TensorProto.BOOL, []),
            *(onnx.ValueInfoProto(name=_returned(name)) for name in names),
        ],
        [tensor for tensor in model.graph.initializer if _may_move(model, tensor)],
    )
    return _around(model, body, [replicates_of(name) for name in names], varying)


def _around(
    model: onnx.ModelProto, body: onnx.GraphProto, returned: list[str], varying: Sequence[str]
) -> onnx.ModelProto:
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:], found.graph.output[:], found.graph.value_info[:], found.graph.initializer[:]
    found.graph.node.append(helper.make_node("Loop", [COUNT, ""], returned, name=f"{PREFIX}Loop", body=body))
    for value in found.graph.input:
        if value.name in varying:
            value.name = replicates_of(value.name)
            value.type.tensor_type.shape.dim.insert(0, onnx.TensorShapeProto.Dimension(dim_param=COUNT))
    found.graph.input.append(helper.make_tensor_value_info(COUNT, TensorProto.INT64, []))
    found.graph.output.extend(onnx.ValueInfoProto(name=name) for name in returned)
    found.graph.initializer.extend(tensor for tensor in model.graph.initializer if not _may_move(model, tensor))
    return found


def _may_move(model: onnx.ModelProto, tensor: onnx.TensorProto) -> bool:
    """Whether a constant may lie in the body, where the runtime prepares it for its operators.

    What is fed in its place, or held elsewhere, may not.
    """
    return not tensor.external_data and all(value.name != tensor.name for value in model.graph.input)


def _returned(name: str) -> str:
    return f"{PREFIX}loop/{name}"


def _beginning(varying: Sequence[str]) -> Iterator[onnx.NodeProto]:
    for name in varying:
        yield helper.make_node("Gather", [replicates_of(name), _ITERATION], [name], name=_returned(name))


def _ending(names: Sequence[str]) -> Iterator[onnx.NodeProto]:
    yield helper.make_node("Identity", [_CONDITION], [_GOES_ON], name=_GOES_ON)
    for name in names:
        yield helper.make_node("Identity", [name], [_returned(name)], name=_returned(name))
