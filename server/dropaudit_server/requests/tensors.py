"""From tensor messages to arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from dropaudit.subjects import Array
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.archives import Archive, read_archive
from dropaudit_server.requests.violations import Violations
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
# An archive is not unpacked yet.
SentTensors = NamedArrays | Archive
PutTensors = Callable[[SentTensors], Tensors]

_NOTHING = np.zeros(0)
# numpy has 64, and replicates, batches and times are axes too.
MOST_AXES = 32
# The largest extent that a report can tell, and the most elements that can be addressed: an empty tensor may claim any.
_LARGEST_EXTENT, _MOST_ELEMENTS = 2**31 - 1, 2**40


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
    if not _is_possible(tensor.shape):
        violations.add(f"{path}.shape", f"at most {MOST_AXES} axes, and extents from 0 to what can be addressed")
        return _NOTHING
    violations.short(tensor.name, f"{path}.name")
    little_endian = np.dtype(dtype).newbyteorder("<")
    expected = little_endian.itemsize * math.prod(tensor.shape)
    if len(tensor.raw_contents) != expected:
        violations.add(f"{path}.raw_contents", f"{expected} bytes were expected, {len(tensor.raw_contents)} came")
        return _NOTHING
    flat = np.frombuffer(tensor.raw_contents, dtype=little_endian)
    return flat.reshape(tuple(tensor.shape)).astype(dtype)


def _is_possible(shape: Sequence[int]) -> bool:
    return (
        len(shape) <= MOST_AXES
        and all(0 <= extent <= _LARGEST_EXTENT for extent in shape)
        and math.prod(max(extent, 1) for extent in shape) <= _MOST_ELEMENTS
    )


def archive(content: bytes, path: str, violations: Violations) -> Archive | None:
    """Look at an `.npz` file, which is unpacked when everything else about its request is right."""
    return read_archive(content, path, violations, dtypes=frozenset(DATATYPES.values()), axes=MOST_AXES)
