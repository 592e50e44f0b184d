"""From an archive to the files of a model: nothing is copied, and nothing is written to a disk."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, cast

from dropaudit.errors import InvalidModel
from dropaudit.files.data_files import InMemory, plain_name
from dropaudit.files.model_files import ModelFiles

_MOST_MEMBERS = 50_000
# Long names and their like; files are not read.
_LONGEST_HEADER = 1 << 20
_AGAIN = "pack plain files anew, such as by `tar -cf model.tar model.onnx model.onnx.data`"


def unpack(content: bytes | memoryview) -> ModelFiles:
    """Return the files of an archive as they lie in it.

    Raises InvalidModel: it is not a plain tar archive of one ONNX file and of what lies beside it.
    """
    whole = memoryview(content).toreadonly()
    files: dict[str, memoryview] = {}
    for name, found in _members(whole):
        if name in files:
            raise InvalidModel(f"the archive holds {name!r} twice; {_AGAIN}")
        files[name] = found
    models = [name for name in files if name.endswith(".onnx")]
    if len(models) != 1:
        raise InvalidModel(f"the archive holds {len(models)} files named *.onnx, and must hold one; {_AGAIN}")
    graph = bytes(files.pop(models[0]))
    return ModelFiles(graph, _beside(models[0], files), InMemory(whole))


def _beside(model: str, files: dict[str, memoryview]) -> dict[str, InMemory]:
    """Return the files below the folder of the ONNX file, by their names as seen from there."""
    folder = model[: model.rfind("/") + 1]
    return {name.removeprefix(folder): InMemory(found) for name, found in files.items() if name.startswith(folder)}


def _members(content: memoryview) -> Iterator[tuple[str, memoryview]]:
    for count, member in enumerate(_entries(content), start=1):
        if count > _MOST_MEMBERS:
            raise InvalidModel(f"the archive holds more than {_MOST_MEMBERS} files; keep weights in fewer")
        if not member.isdir():
            yield _checked(member, len(content)), content[member.offset_data : member.offset_data + member.size]


def _entries(content: memoryview) -> Iterator[tarfile.TarInfo]:
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", _Reader(content)), mode="r:") as archive:
            while (member := archive.next()) is not None:
                yield member
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise InvalidModel(f"the archive cannot be read: {error}; {_AGAIN}") from error


def _checked(member: tarfile.TarInfo, size: int) -> str:
    """Return the name of a member that is a plain file within the archive and its folder."""
    name = plain_name(member.name)
    if name is None or not member.isreg() or member.issparse():
        raise InvalidModel(f"{member.name!r} in the archive is not a plain file below its folder; {_AGAIN}")
    if member.size < 0 or member.offset_data + member.size > size:
        raise InvalidModel(f"the archive ends in the middle of {member.name!r}; pack it, or upload it, again")
    return name


class _Reader:
    """Content as a file that can be read from, in memory that is there already."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        if position < 0:
            raise tarfile.ReadError("a length below zero")
        self._position = position
        return position

    def read(self, size: int) -> bytes:
        if size > _LONGEST_HEADER:
            raise tarfile.ReadError("a header of more than a MiB")
        found = bytes(self._content[self._position : self._position + size])
        self._position += len(found)
        return found
