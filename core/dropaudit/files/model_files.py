"""A model whose weights lie beside its graph, and the file that all of it is together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dropaudit.files.archive import MODEL, archive_chunks, archive_size
from dropaudit.files.data_files import DataFile, InMemory


@dataclass(frozen=True, eq=False)
class ModelFiles:
    """A model in several files. What stands for all of them is an archive, the same for the same files.

    A large model in one file is one too, with its weights taken out of its graph: that file stands for it.

    Attributes:
        graph: content of the ONNX file.
        data: the other files, by their names below its folder.
        packed: the archive that they were unpacked from, or the one file; None where they come from elsewhere.
    """

    graph: bytes = field(repr=False)
    data: Mapping[str, DataFile]
    packed: DataFile | None = field(default=None, repr=False)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the archive of all files, or the one file. Raises UnreadableFile."""
        if self.packed is not None:
            return self.packed.chunks()
        return archive_chunks(self._members())

    @cached_property
    def size(self) -> int:
        """Length of what `chunks` yields, in bytes."""
        return self.packed.size if self.packed is not None else archive_size(self._members())

    @cached_property
    def sha256(self) -> str:
        """Lower-case hexadecimal SHA-256 of what `chunks` yields. Raises UnreadableFile."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def loaded(self) -> ModelFiles:
        """Return the same with every file in memory, where nothing changes it any more. Raises UnreadableFile."""
        if all(isinstance(each, InMemory) for each in self.data.values()):
            return self
        data = {name: InMemory(each.content()) for name, each in self.data.items()}
        return ModelFiles(self.graph, data, self.packed)

    def _members(self) -> dict[str, DataFile]:
        return {MODEL: InMemory(memoryview(self.graph)), **{name: self.data[name] for name in sorted(self.data)}}


# The content of one ONNX file, or a model in several.
ModelContent = bytes | ModelFiles


def size_of(content: ModelContent) -> int:
    """Return the length of a model in bytes; of one in several files that of its archive."""
    return len(content) if isinstance(content, bytes) else content.size


def sha256_of(content: ModelContent) -> str:
    """Return the SHA-256 that names a model. Raises UnreadableFile."""
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else content.sha256


def chunks_of(content: ModelContent) -> Iterator[bytes | memoryview]:
    """Yield what is sent and stored of a model. Raises UnreadableFile."""
    return InMemory(memoryview(content)).chunks() if isinstance(content, bytes) else content.chunks()


def loaded(content: ModelContent) -> ModelContent:
    """Return a model with all of it in memory. Raises UnreadableFile."""
    return content if isinstance(content, bytes) else content.loaded()
