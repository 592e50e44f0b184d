"""Bearer tokens: only their SHA-256 is kept, in a file that is read again when it changes."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import structlog

from dropaudit.errors import InvalidArgument

# Errors of reading a file that is not a list of tokens, or not text.
_UNUSABLE = (OSError, msgspec.MsgspecError, UnicodeDecodeError)

_log = structlog.get_logger(__name__)


class Scope(StrEnum):
    """Permissions of a token; each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def allows(self, needed: Scope) -> bool:
        """Whether a holder of this scope may do what needs another."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token without its secret; `expires` needs a time zone."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    scope: Scope
    expires: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tokens: list[Token]


class TokenFile:
    """Tokens by the SHA-256 of their secret.

    A file that cannot be read any more leaves those that were known, with a line in the log: a slip of the pen must not
    lock everybody out.

    Raises:
        InvalidArgument: the file cannot be read at first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._seen = _stamp(path)
            self._tokens = _read(path)
        except _UNUSABLE as error:
            raise InvalidArgument(
                f"DROPAUDIT_TOKENS_FILE {path} cannot be used: {error}", field="tokens_file"
            ) from error

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._tokens)

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret."""
        self._look()
        return self._tokens.get(hash_of(secret))

    def _look(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp == self._seen:
                return
            self._seen = stamp
            self._tokens = _read(self._path)
        except _UNUSABLE as error:
            _log.warning("the tokens file cannot be read; the tokens read before stay valid", error=str(error))
        else:
            _log.info("the tokens were read again", tokens=len(self._tokens))


def hash_of(secret: str) -> str:
    """Return the hash that is kept of a secret. A secret is long and random, so a plain hash cannot be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(path: Path) -> dict[str, Token]:
    return {token.sha256: token for token in msgspec.json.decode(path.read_bytes(), type=_File).tokens}


def _stamp(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino
