"""Archives of tensors: small on the wire, and any size unpacked. What they hold is known before it is unpacked."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from dropaudit.subjects import Array
from dropaudit_server.requests.violations import InvalidRequest, Violations
from dropaudit_store.shared.byte_limits import NAME_BYTES

_SUFFIX = ".npy"
_LONGEST_HEADER = 10_000
# The end of an archive without a comment, as numpy.savez writes it, and what stands before it in very large ones.
_END, _END_BYTES, _LARGE_END, _LARGE_END_BYTES = b"PK\x05\x06", 22, b"PK\x06\x07", 20
# Bytes of an archive's directory for each member, without its name.
_ENTRY_BYTES = 128


class _BadArchive(Exception):
    """An invalid archive, with a sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The content of an `.npz` file whose directory and headers are right; `size` is what its arrays take unpacked."""

    content: bytes
    path: str
    size: int

    def arrays(self) -> list[tuple[str, Array]]:
        """Unpack the arrays. Raises InvalidRequest: the headers were right, and what follows them is not."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as packed:
                return [(_name(member), _array(packed, member)) for member in packed.infolist()]
        except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for damaged content
            raise InvalidRequest([(self.path, "an array cannot be unpacked; write the archive again")]) from error


def read_archive(
    content: bytes, path: str, violations: Violations, *, dtypes: frozenset[str], axes: int
) -> Archive | None:
    """Look at an archive without unpacking it; note what is wrong with it.

    Args:
        dtypes: numpy's names of the types that can be used.
        axes: most axes of an array.
    """
    rules = violations.rules
    try:
        _require_small_directory(content, rules.tensors)
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = packed.infolist()
            if sum(member.file_size for member in members) > rules.tensor_bytes:
                raise _BadArchive(f"its arrays take more than {rules.tensor_bytes} bytes")
            size = sum(_checked(packed, member, dtypes, axes) for member in members)
        if len(set(map(_name, members))) < max(1, len(members)):
            raise _BadArchive("each array must have a name of its own, and there must be one at least")
    except _BadArchive as error:
        violations.add(path, str(error))
    except Exception:  # as above
        violations.add(path, "is not an .npz archive of plain arrays; write it with numpy.savez")
    else:
        return Archive(content, path, size)
    return None


def _require_small_directory(content: bytes, tensors: int) -> None:
    """Look at the end of an archive, before its whole directory is read."""
    end = content[-_END_BYTES:]
    if not end.startswith(_END) or end[-2:] != b"\0\0":
        raise _BadArchive("is not an .npz archive of plain arrays; write it with numpy.savez")
    is_large = content[-_END_BYTES - _LARGE_END_BYTES : -_END_BYTES].startswith(_LARGE_END)
    count, size = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if is_large or count > tensors or size > tensors * (NAME_BYTES + _ENTRY_BYTES):
        raise _BadArchive(f"at most {tensors} tensors")


def _checked(packed: zipfile.ZipFile, member: zipfile.ZipInfo, dtypes: frozenset[str], axes: int) -> int:
    """Return the bytes of an array's elements. Raises _BadArchive."""
    name = _name(member)
    if len(name.encode("utf-8", "replace")) > NAME_BYTES:
        raise _BadArchive(f"names of arrays take at most {NAME_BYTES} bytes")
    with packed.open(member) as file:
        shape, dtype, header = _header(file, name)
    if dtype.name not in dtypes:
        raise _BadArchive(f"array {name!r} is of type {dtype}; numbers and booleans can be used")
    if len(shape) > axes:
        raise _BadArchive(f"array {name!r} has more than {axes} axes")
    size = math.prod(shape) * dtype.itemsize
    if size != member.file_size - header:
        raise _BadArchive(f"array {name!r} does not hold what its shape says")
    return size


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return shape, type and the length of what stands before the elements."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise _BadArchive(f"array {name!r} is not a plain array")
    shape, _, dtype = readers[version](file, max_header_size=_LONGEST_HEADER)
    return shape, dtype, file.tell()


def _array(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    with packed.open(member) as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _name(member: zipfile.ZipInfo) -> str:
    """Return the name of an array, as numpy takes it from that of a member."""
    return member.filename.removesuffix(_SUFFIX)
