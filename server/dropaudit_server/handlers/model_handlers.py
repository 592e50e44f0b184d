"""Handlers of the calls about models. They work on records and block, so they run in a thread."""

from __future__ import annotations

from collections.abc import Iterator

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import ModelNotFound
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.naming.records import NamedVersion
from dropaudit_store.records import ModelRecord

_CHUNK_BYTES = 1 << 20


class ModelHandlers:
    """Models, over the store. Raises the store's errors."""

    def __init__(self, models: ModelStore, names: ModelNames, blobs: BlobStore) -> None:
        self._models = models
        self._names = names
        self._blobs = blobs

    def add(self, sha256: str, size: int, display_name: str, uploader: str) -> tuple[ModelRecord, NamedVersion | None]:
        """Note a model whose content is stored; return it with the version that it is of its display name, if any."""
        record = self._models.add(sha256, size, display_name, uploader)
        return record, self._names.get(display_name).newest if display_name else None

    def names_of(self, sha256: str) -> list[str]:
        """Return the names that have a content as a version."""
        return self._names.names_of(sha256)

    def known_size(self, sha256: str) -> int | None:
        """Return the size of a model whose content is stored; None when it must be uploaded."""
        try:
            record = self._models.get(sha256)
        except ModelNotFound:
            return None
        return record.size if self._blobs.holds(sha256) else None

    def get(self, sha256: str) -> ModelRecord:
        """Return a model. Raises ModelNotFound."""
        return self._models.get(sha256)

    def page(self, count: int, cursor: str) -> tuple[list[ModelRecord], str]:
        """Return a page of models, newest first, and the cursor of the next."""
        return self._models.page(count, cursor)

    def content(self, sha256: str) -> Iterator[bytes]:
        """Return a model's content in chunks. Raises ModelNotFound and BlobMissing."""
        self._models.get(sha256)
        return self._blobs.chunks(sha256, _CHUNK_BYTES)

    def delete(self, sha256: str) -> None:
        """Delete a model. Raises ModelNotFound and InUse."""
        self._models.delete(sha256)
