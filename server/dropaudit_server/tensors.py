"""From tensor messages to arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

import numpy as np

from dropaudit.subjects import Array
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.violations import Violations
from dropaudit_store.records import Tensors

DATATYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
NamedArrays = list[tuple[str, Array]]
PutTensors = Callable[[NamedArrays], Tensors]

_NOTHING = np.zeros(0)
# numpy's own limit.
_MOST_AXES = 64


def named_arrays(tensors: Sequence[pb.Tensor], path: str, violations: Violations) -> NamedArrays:
    """Read tensors that must have names of their own."""
    require_few(len(tensors), path, violations)
    names = [tensor.name for tensor in tensors]
    if len(set(names)) < len(names):
        violations.add(path, "each tensor must have a name of its own")
    return [(each.name, array(each, f"{path}[{position}]", violations)) for position, each in enumerate(tensors)]


def require_few(count: int, path: str, violations: Violations) -> None:
    """Note more tensors than an audit may have."""
    if count > violations.rules.tensors:
        violations.add(path, f"at most {violations.rules.tensors} tensors")


def array(tensor: pb.Tensor, path: str, violations: Violations) -> Array:
    """Read one tensor."""
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        violations.add(f"{path}.datatype", f"must be one of {', '.join(DATATYPES)}")
        return _NOTHING
    if len(tensor.shape) > _MOST_AXES or any(extent < 0 for extent in tensor.shape):
        violations.add(f"{path}.shape", f"at most {_MOST_AXES} axes, and no negative extent")
        return _NOTHING
    little_endian = np.dtype(dtype).newbyteorder("<")
    expected = little_endian.itemsize * int(np.prod(tensor.shape, dtype=object))
    if len(tensor.raw_contents) != expected:
        violations.add(f"{path}.raw_contents", f"{expected} bytes were expected, {len(tensor.raw_contents)} came")
        return _NOTHING
    flat = np.frombuffer(tensor.raw_contents, dtype=little_endian)
    return flat.reshape(tuple(tensor.shape)).astype(dtype)


def archive(content: bytes, path: str, violations: Violations) -> NamedArrays:
    """Read the arrays of an `.npz` file."""
    most = violations.rules.tensor_bytes
    try:
        arrays = _unpacked(content, most)
    except Exception:  # numpy and zipfile raise a dozen kinds of errors for damaged content
        violations.add(path, f"is no .npz archive of plain arrays of at most {most} bytes; write it with numpy.savez")
        return []
    require_few(len(arrays), path, violations)
    for name, found in arrays:
        if found.dtype.name not in DATATYPES.values():
            violations.add(path, f"array {name!r} is of type {found.dtype}; numbers and booleans can be used")
    return arrays


def _unpacked(content: bytes, most: int) -> NamedArrays:
    # An archive is small on the wire and may be huge unpacked.
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(member.file_size for member in packed.infolist()) > most:
            raise ValueError
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return [(name, found[name]) for name in found.files]
