"""Passes that keep the masks of Dropout operators apart: of those of one run, and of the runs of one generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of
from dropaudit.graph.reading.scope import opset_of

# Before, Reshape cannot be told that an extent of 0 is meant: data without elements cannot be had back.
_EMPTY_SHAPES_SINCE = 14


def with_paddings_fed(model: onnx.ModelProto, inputs: Mapping[str, str]) -> onnx.ModelProto:
    """Let each run say from which stretches of their generators Dropout operators draw.

        Dropout(x, r, t) -> y      becomes      Dropout(Pad(Flatten(x), length), r, t) -> Slice -> Reshape -> y

    ONNX Runtime seeds the second Dropout of a run with the first one's seed plus one, and those of the next run with
    what follows, which correlates their masks. Each operator still applies its own kernel to its own data.

    A generator of the runtime is seeded by a number, and goes on by multiplying: whatever seed is equally likely, what
    comes after a padding is equally likely too. So the masks of one run have the law that they have in the model,
    those of operators with one seed and one padding together too. Those of consecutive runs, whose seeds follow each
    other, tell nothing of each other once their paddings are random.

    Args:
        model: the model; its nodes are named.
        inputs: by Dropout operator of the main graph, the name of an input to add, int64[1]: how many elements to put
            before its data.
    """
    changed = copy_of(model)
    for name in dict.fromkeys(inputs.values()):
        changed.graph.input.append(helper.make_tensor_value_info(name, onnx.TensorProto.INT64, [1]))
    back = {"allowzero": 1} if opset_of(model) >= _EMPTY_SHAPES_SINCE else {}
    for name, length in inputs.items():
        _pad(changed.graph, name, length, back)
    return changed


def _pad(graph: onnx.GraphProto, name: str, length: str, back: Mapping[str, Any]) -> None:
    """Put elements before the data of a Dropout, as many as the tensor `length` says, and cut them off its results.

    Args:
        back: attributes of the Reshape that gives the results the shape of the data.
    """
    position, node = next((i, node) for i, node in enumerate(graph.node) if node.name == name)
    data = node.input[0]

    def own(part: str) -> str:
        return f"{PREFIX}{name}/{part}"

    numbers = {"none": [0], "all": [-1], "end": [np.iinfo(np.int64).max]}
    for part, value in numbers.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=np.int64), own(part)))
    dropout = onnx.NodeProto()
    dropout.CopyFrom(node)
    dropout.input[0] = own("long")
    del dropout.output[:]
    # The result, and the mask where the graph uses it.
    longer = (("masked", "cut"), ("mask", "kept"))
    returned = [(each, own(long), own(cut)) for each, (long, cut) in zip(node.output, longer, strict=False) if each]
    dropout.output.extend(long for _, long, _ in returned)
    steps = [
        helper.make_node("Shape", [data], [own("shape")], name=own("Shape")),
        helper.make_node("Reshape", [data, own("all")], [own("flat")], name=own("Flatten")),
        helper.make_node("Concat", [length, own("none")], [own("pads")], name=own("Concat"), axis=0),
        helper.make_node("Pad", [own("flat"), own("pads")], [own("long")], name=own("Pad")),
        dropout,
    ]
    for each, long, cut in returned:
        steps += [
            helper.make_node("Slice", [long, length, own("end")], [cut], name=f"{cut}/Slice"),
            helper.make_node("Reshape", [cut, own("shape")], [each], name=f"{cut}/Reshape", **back),
        ]
    graph.node.remove(node)
    for offset, step in enumerate(steps):
        graph.node.insert(position + offset, step)
