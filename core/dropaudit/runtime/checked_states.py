"""A check that CUDA's kernels leave out: of the states that a recurrent operator is given."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, graphs_of

_RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
_BATCH_AXIS = 1
# Inputs with one entry for each of the batch: lengths, and states, which have it second of three axes.
_LENGTHS, _STATES = 4, (5, 6)


def with_checked_states(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let a run fail where a recurrent operator is given states, or lengths, of another batch than its data's.

        LSTM(x, w, r, b, lengths, h)      becomes
        LSTM(x, w, r, b, Expand(lengths, [batch]), Expand(h, [1, batch, 1])), batch the second extent of x

    which refuses all but the same batch and one state for all of it. On the CPU the operator refuses them itself.
    CUDA's reads past their end instead (onnxruntime 1.31.1): what it returns then is of no worth, and at the end of the
    memory it takes the process with it.
    """
    if not any(_given(node) for graph, _ in graphs_of(model.graph) for node in graph.node):
        return model
    checked = copy_of(model)
    # Bodies first: a graph's nodes are copied with all that is in them.
    for number, (graph, _) in enumerate(reversed(list(graphs_of(checked.graph)))):
        nodes = []
        for place, node in enumerate(graph.node):
            nodes += [*_checks(node, f"{PREFIX}checked/{number}.{place}"), node]
        kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del graph.node[:]
        graph.node.extend(kept)
    return checked


def _given(node: onnx.NodeProto) -> list[int]:
    """Return the places of inputs that a recurrent operator does not check."""
    if node.op_type not in _RECURRENT or node.domain not in ("", "ai.onnx"):
        return []
    return [place for place in (_LENGTHS, *_STATES) if place < len(node.input) and node.input[place]]


def _checks(node: onnx.NodeProto, name: str) -> list[onnx.NodeProto]:
    """Return what comes before a node, whose inputs are changed to be what that makes."""
    given = _given(node)
    if not given:
        return []
    batch, shape = f"{name}/batch", f"{name}/shape"
    nodes = [
        helper.make_node("Shape", [node.input[0]], [f"{name}/extents"], name=f"{name}/Shape"),
        _constant(f"{name}/axis", _BATCH_AXIS),
        helper.make_node("Gather", [f"{name}/extents", f"{name}/axis"], [batch], name=f"{name}/Gather"),
        _constant(f"{name}/one", 1),
        helper.make_node("Concat", [f"{name}/one", batch, f"{name}/one"], [shape], name=f"{name}/Concat", axis=0),
    ]
    for place in given:
        wanted = batch if place == _LENGTHS else shape
        nodes.append(
            helper.make_node("Expand", [node.input[place], wanted], [f"{name}/{place}"], name=f"{name}/Expand/{place}")
        )
        node.input[place] = f"{name}/{place}"
    return nodes


def _constant(name: str, value: int) -> onnx.NodeProto:
    tensor = numpy_helper.from_array(np.array([value], dtype=np.int64), name)
    return helper.make_node("Constant", [], [name], name=f"{name}/Constant", value=tensor)
