"""Lists what lies below a folder or a prefix of a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dropaudit_store.content.file_systems import Files
from dropaudit_store.errors import StoreUnavailable, UriUnreadable
from dropaudit_store.shared.allowed_uris import Uri

# Files that are looked at, whatever matches: a pattern over millions is a mistake.
_MOST_FILES = 200_000


def paths_below(folder: Uri, deepest: int = 0) -> Iterator[tuple[str, ...]]:
    """Yield the parts of each file's path below a folder.

    Args:
        deepest: how many parts are of interest; 0: any number.

    Raises:
        UriUnreadable: the folder cannot be read, or holds too many files.
        StoreUnavailable: the object store does not answer.
    """
    found = _objects(folder) if folder.bucket else _files(folder, deepest)
    for number, parts in enumerate(found):
        if number >= _MOST_FILES:
            raise UriUnreadable(
                f"{folder.text} holds more than {_MOST_FILES} files; give a pattern with a narrower folder",
                uri=folder.text,
            )
        if not deepest or len(parts) <= deepest:
            yield parts


def _files(folder: Uri, deepest: int) -> Iterator[tuple[str, ...]]:
    def failed(error: OSError) -> None:
        if error.filename == folder.path:
            raise UriUnreadable(f"{folder.text} cannot be listed by the worker: {error.strerror}", uri=folder.text)

    # Links to folders are not followed: they may lead anywhere, and in circles.
    for place, folders, files in os.walk(folder.path, onerror=failed):
        below = tuple(os.path.relpath(place, folder.path).split(os.sep)) if place != folder.path else ()
        folders.sort()
        if deepest and len(below) + 1 >= deepest:
            folders.clear()
        for name in sorted(files):
            yield (*below, name)


def _objects(folder: Uri) -> Iterator[tuple[str, ...]]:
    try:
        for name in Files.at(f"s3://{folder.bucket}").below(folder.path):
            yield tuple(name.split("/"))
    except StoreUnavailable as error:
        if isinstance(error.__cause__, PermissionError | FileNotFoundError):
            raise UriUnreadable(f"{folder.text} cannot be listed by the worker", uri=folder.text) from error
        raise
