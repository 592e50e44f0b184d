"""Every message of a kind in a model, wherever the format has room for one.

The places are read off the format's own description, so that one that a later version adds is found too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import onnx
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from dropaudit.graph.reading.traversal import walk

M = TypeVar("M", bound=Message)


def every_tensor(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors of a model: in graphs, bodies, functions, defaults of attributes, and anywhere else."""
    return every(onnx.TensorProto, model)


def every_node(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield the operators of a model, those of bodies and functions too."""
    return every(onnx.NodeProto, model)


def bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs that an operator holds itself."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def every(kind: type[M], message: Message) -> Iterator[M]:
    """Yield the messages of a kind that lie in another, itself included, in no order."""
    waiting = [message]
    while waiting:
        found = waiting.pop()
        if isinstance(found, kind):
            yield found
        for name, repeated in _ways(found.DESCRIPTOR, kind.DESCRIPTOR):
            if repeated:
                waiting.extend(getattr(found, name))
            elif found.HasField(name):
                waiting.append(getattr(found, name))


def _is_repeated(field: Any) -> bool:
    # Older protobuf has the label only, newer warns of it.
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED if repeated is None else repeated)


@cache
def _ways(start: Descriptor, kind: Descriptor) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a message that a message of a kind may lie below, and whether each is repeated."""
    fields = (field for field in start.fields if field.message_type and kind in _below(field.message_type))
    return tuple((field.name, _is_repeated(field)) for field in fields)


@cache
def _below(start: Descriptor) -> frozenset[Descriptor]:
    """Return the kinds of messages that may lie in one, itself included."""
    return frozenset(walk([start], lambda kind: [field.message_type for field in kind.fields if field.message_type]))
