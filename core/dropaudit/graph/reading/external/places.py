"""The places that external data names: read, and checked against the type and the shape of the tensor."""

from __future__ import annotations

import math

import msgspec
import onnx
from onnx import TensorProto, helper

from dropaudit.errors import InvalidModel
from dropaudit.files.data_files import plain_name

# Types that share a byte; not every version of onnx has all of them.
_BITS = {"INT2": 2, "UINT2": 2, "INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4}
_BYTE = 8
# No file is longer.
_MOST_DIGITS = 18


class Place(msgspec.Struct, frozen=True):
    """Where the values of a tensor lie: in which file, from which byte on, and how many bytes."""

    name: str
    offset: int
    size: int


def location_of(tensor: TensorProto) -> str:
    """Return the name of the file that a tensor's values lie in, as the model has it; empty where it has none."""
    return _entries(tensor).get("location", "")


def place_of(tensor: TensorProto) -> Place:
    """Return where the values of a tensor lie. Raises InvalidModel for a place that no file has, or of another size."""
    entries = _entries(tensor)
    name = plain_name(entries.get("location", ""))
    if name is None:
        raise InvalidModel(
            f"the weights of {tensor.name!r} lie in {entries.get('location', '')!r}, which is not the name of a file "
            "below the model's own folder; save the model again with its external data beside it"
        )
    offset, size = _number(tensor, entries, "offset", 0), _size(tensor)
    if _number(tensor, entries, "length", size) != size:
        raise InvalidModel(
            f"the weights of {tensor.name!r} take {size} bytes by their type and shape, and {entries['length']} by "
            "their external data; save the model again"
        )
    return Place(name, offset, size)


def _entries(tensor: TensorProto) -> dict[str, str]:
    return {each.key: each.value for each in reversed(tensor.external_data)}


def _number(tensor: TensorProto, entries: dict[str, str], key: str, missing: int) -> int:
    text = entries.get(key, "")
    if not text:
        return missing
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidModel(f"the weights of {tensor.name!r} have the {key} {text[:_MOST_DIGITS]!r}, which is not one")
    return int(text)


def _size(tensor: TensorProto) -> int:
    """Return how many bytes a tensor's values take."""
    if any(extent < 0 for extent in tensor.dims):
        raise InvalidModel(f"the weights of {tensor.name!r} have an extent below zero")
    return -(-math.prod(tensor.dims) * _bits(tensor) // _BYTE)


def _bits(tensor: TensorProto) -> int:
    kinds = {onnx.TensorProto.DataType.Value(name): bits for name, bits in _BITS.items() if name in _kinds()}
    if tensor.data_type in kinds:
        return kinds[tensor.data_type]
    if tensor.data_type in (TensorProto.UNDEFINED, TensorProto.STRING):
        raise InvalidModel(f"the weights of {tensor.name!r} are of a type that no file of numbers holds")
    try:
        return int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize) * _BYTE
    except KeyError as error:
        raise InvalidModel(
            f"the weights of {tensor.name!r} are of type {tensor.data_type}, which is unknown"
        ) from error


def _kinds() -> list[str]:
    return list(onnx.TensorProto.DataType.keys())
