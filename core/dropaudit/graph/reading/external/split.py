"""A large model in one file as a graph and its weights: it is read piece by piece, and no weight is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BufferedIOBase
from typing import BinaryIO, Protocol

import msgspec
import numpy as np
import onnx
from google.protobuf.message import DecodeError

from dropaudit.errors import InvalidModel
from dropaudit.files.data_files import DataFile, InMemory, InPieces, OnDisk
from dropaudit.graph.reading.held_weights import can_be_held, is_large

# Fields of the messages that a weight lies in, and of the weight itself, by onnx.proto.
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
# All that a weight has beside its values; one that has more is left where it is.
_PLAIN = {"dims", "data_type", "name", "doc_string"}
# How a field's length is told, by the encoding of protobuf.
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
_LONGEST_VARINT = 10
# A file of more fields is not one whose bytes are weights: the parser in C reads it sooner.
_MOST_FIELDS = 500_000

Pieces = list[bytes]


class Source(Protocol):
    """The bytes of one file, taken in their order."""

    @property
    def whole(self) -> DataFile:
        """The file, of which everything has been taken."""

    def read(self, size: int) -> bytes:
        """Return the next bytes: fewer where the file ends."""

    def take(self, size: int) -> DataFile:
        """Return the next bytes as a file of their own: shorter where the file ends."""


class OfFile:
    """A file on the disk: what is taken of it stays there until it is wanted."""

    def __init__(self, file: BinaryIO, found: OnDisk) -> None:
        self._file = file
        self.whole: DataFile = found
        self._found = found

    def read(self, size: int) -> bytes:
        """See Source."""
        return self._file.read(size)

    def take(self, size: int) -> DataFile:
        """See Source."""
        start = self._file.tell()
        self._file.seek(size, 1)
        return self._found.part(start, min(size, self._found.size - start))


class OfBytes:
    """Bytes in memory: what is taken of them is where they are."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self.whole: DataFile = InMemory(self._content)
        self._at = 0

    def read(self, size: int) -> bytes:
        """See Source."""
        return bytes(self._next(size))

    def take(self, size: int) -> DataFile:
        """See Source."""
        return InMemory(self._next(size))

    def _next(self, size: int) -> memoryview:
        self._at += size
        return self._content[self._at - size : self._at]


class OfStream:
    """Bytes as they come in: what is taken of them is received into memory of its own."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        # What was read lies together between what was taken: it comes a few bytes at a time.
        self._pieces: list[bytearray | memoryview] = [bytearray()]

    @property
    def whole(self) -> DataFile:
        """See Source."""
        return InPieces(tuple(memoryview(piece) for piece in self._pieces))

    def read(self, size: int) -> bytes:
        """See Source."""
        found = self._stream.read(size)
        last = self._pieces[-1]
        if isinstance(last, bytearray):
            last += found
        return found

    def take(self, size: int) -> DataFile:
        """See Source."""
        found = np.empty(size, np.uint8).data
        filled = 0
        while filled < size and (count := self._stream.readinto(found[filled:])):
            filled += count
        taken = found[:filled].toreadonly()
        self._pieces += [taken, bytearray()]
        return InMemory(taken)


def split(source: Source, size: int) -> tuple[bytes, Mapping[str, DataFile]]:
    """Return the graph of a model in one file with its large weights beside it, as external data, and those.

        float[1024,1024] w = {…}        becomes        float[1024,1024] w, external data at "0"

    Args:
        source: the file.
        size: its length in bytes.

    Raises:
        InvalidModel: its bytes are not a protobuf, or of too many small fields.
    """
    splitter = _Splitter(source)
    graph = b"".join(splitter.model(size))
    return graph, splitter.found


class _Field(msgspec.Struct, frozen=True):
    """A field of a message: the number and the length that its `head` tells, which is all of it but for its body."""

    number: int
    kind: int
    head: Pieces
    length: int


class _Splitter:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0
        self._count = 0
        self.found: dict[str, DataFile] = {}

    def model(self, end: int) -> Pieces:
        return self._message(end, _GRAPH, self._graph)

    def _graph(self, end: int) -> Pieces:
        return self._message(end, _INITIALIZER, self._tensor)

    def _message(self, end: int, number: int, inner: Callable[[int], Pieces]) -> Pieces:
        """Copy a message, but for what `inner` makes of the fields of one number."""
        made: Pieces = []
        for field in self._fields(end):
            if (field.number, field.kind) == (number, _COUNTED):
                made += _counted(field.head[0], inner(self._at + field.length))
            else:
                made += [*field.head, self._read(field.length)]
        return made

    def _tensor(self, end: int) -> Pieces:
        made: Pieces = []
        taken: list[tuple[int, DataFile]] = []
        for field in self._fields(end):
            made += field.head
            if (field.number, field.kind) == (_RAW_DATA, _COUNTED) and is_large(field.length):
                taken.append((len(made), self._taken(field.length)))
                made.append(b"")
            else:
                made.append(self._read(field.length))
        if len(taken) == 1 and (beside := self._beside(made, *taken[0])):
            return beside
        for place, values in taken:
            made[place] = bytes(values.content())
        return made

    def _beside(self, made: Pieces, place: int, values: DataFile) -> Pieces:
        """Return a tensor whose values are external data; nothing where it is no plain weight."""
        tensor = _parsed([*made[: place - 2], *made[place + 1 :]])
        is_plain = {field.name for field, _ in tensor.ListFields()} <= _PLAIN
        if not is_plain or not _can_be_held(tensor, values.size):
            return []
        name = str(len(self.found))
        self.found[name] = values
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=name)
        return [tensor.SerializeToString()]

    def _fields(self, end: int) -> Iterator[_Field]:
        while self._at < end:
            self._count += 1
            if self._count > _MOST_FIELDS:
                raise InvalidModel("the file has too many fields to be taken apart")
            tag, head = self._varint()
            yield self._field(tag >> 3, tag & 7, head, end)
        if self._at != end:
            raise _not_a_protobuf()

    def _field(self, number: int, kind: int, head: bytes, end: int) -> _Field:
        if not number:
            raise _not_a_protobuf()
        if kind == _VARINT:
            return _Field(number, kind, [head, self._varint()[1]], 0)
        if kind in _FIXED:
            return _Field(number, kind, [head, b""], _FIXED[kind])
        if kind != _COUNTED:
            raise _not_a_protobuf()
        length, told = self._varint()
        if length > end - self._at:
            raise _not_a_protobuf()
        return _Field(number, kind, [head, told], length)

    def _varint(self) -> tuple[int, bytes]:
        value, told = 0, b""
        while len(told) < _LONGEST_VARINT:
            byte = self._read(1)
            value |= (byte[0] & 0x7F) << (7 * len(told))
            told += byte
            if byte[0] < 0x80:
                return value, told
        raise _not_a_protobuf()

    def _read(self, size: int) -> bytes:
        found = self._source.read(size) if size else b""
        self._pass(size, len(found))
        return found

    def _taken(self, size: int) -> DataFile:
        found = self._source.take(size)
        self._pass(size, found.size)
        return found

    def _pass(self, size: int, found: int) -> None:
        self._at += found
        if found < size:
            raise _not_a_protobuf()


def _counted(head: bytes, body: Pieces) -> Pieces:
    """Return a field with a body, and with its length."""
    length, told = sum(map(len, body)), bytearray()
    while length > 0x7F:
        told.append(length & 0x7F | 0x80)
        length >>= 7
    return [head, bytes([*told, length]), *body]


def _parsed(made: Pieces) -> onnx.TensorProto:
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(b"".join(made))
    except DecodeError as error:
        raise _not_a_protobuf() from error
    return tensor


def _can_be_held(tensor: onnx.TensorProto, size: int) -> bool:
    try:
        return can_be_held(tensor, size)
    except KeyError:  # a type that nobody knows
        return False


def _not_a_protobuf() -> InvalidModel:
    return InvalidModel("the file is not an ONNX model: its bytes are not an ONNX protobuf")
