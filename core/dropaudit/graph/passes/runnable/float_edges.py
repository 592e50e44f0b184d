"""A pass that lets a model of bfloat16 be fed, and be read, by what has no such type."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, rename, replace_nodes

_NARROW, _PLAIN = TensorProto.BFLOAT16, TensorProto.FLOAT


def with_float_edges(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take and return single precision in place of bfloat16: numpy has no such numbers, and the runtime takes numpy's.

    (bfloat16 x) Dropout(x, r, t) -> y (bfloat16)      becomes
    (float x) Cast<to = bfloat16>(x) -> x/narrow ; Dropout(x/narrow, r, t) -> y/narrow ; Cast<to = float>(y/narrow) -> y
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    taken = [each.name for each in model.graph.input if _is_narrow(each) and each.name not in constants]
    returned = [each.name for each in model.graph.output if _is_narrow(each) and each.name not in taken]
    if not taken and not returned:
        return model
    changed = copy_of(model)
    narrow = {name: f"{PREFIX}{name}/narrow" for name in (*taken, *returned)}
    edges = [value for value in (*changed.graph.input, *changed.graph.output) if value.name in narrow]
    nodes = onnx.GraphProto(node=changed.graph.node)
    rename(nodes, narrow)
    before = [_cast(name, narrow[name], _NARROW, f"{narrow[name]}/Cast") for name in taken]
    after = [_cast(narrow[name], name, _PLAIN, f"{narrow[name]}/Cast") for name in returned]
    replace_nodes(changed.graph, [*before, *nodes.node, *after])
    for value in edges:
        value.type.tensor_type.elem_type = _PLAIN
    return changed


def _is_narrow(value: onnx.ValueInfoProto) -> bool:
    return value.type.tensor_type.elem_type == _NARROW


def _cast(source: str, result: str, to: int, name: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [result], name=name, to=to)
