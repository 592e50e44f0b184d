"""The calls about names, in records; blocking, so they run in a thread."""

from __future__ import annotations

from dropaudit_store.naming.names import ModelNames
from dropaudit_store.naming.records import ModelName, NamedVersion


class NameHandlers:
    """Names, over the store. Raises the store's errors."""

    def __init__(self, names: ModelNames) -> None:
        self._names = names

    def get(self, name: str) -> ModelName:
        """Return a name. Raises ModelNameNotFound."""
        return self._names.get(name)

    def page(self, count: int, cursor: str, pattern: str) -> tuple[list[ModelName], str]:
        """Return a page of names in order, and the name that the next begins after."""
        return self._names.page(count, cursor, pattern)

    def versions(self, name: str, count: int, before: int) -> tuple[list[NamedVersion], int]:
        """Return a page of versions, newest first, and the number that the next begins before. Raises NotFound."""
        return self._names.versions(name, count, before)

    def set_alias(self, name: str, alias: str, version: int) -> NamedVersion:
        """Let an alias stand for a version. Raises NotFound and TooManyAliases."""
        return self._names.set_alias(name, alias, version)

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias. Raises AliasNotFound."""
        self._names.delete_alias(name, alias)

    def delete(self, name: str) -> None:
        """Delete a name with its versions. Raises ModelNameNotFound and InUse."""
        self._names.delete(name)
