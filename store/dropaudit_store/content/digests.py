"""SHA-256 digests as text: whatever becomes part of a path must be one."""

from __future__ import annotations

import re

from dropaudit_store.errors import InvalidDigest

_FORM = re.compile(r"[0-9a-f]{64}")


def require_digest(text: str) -> str:
    """Return a digest as it is: 64 lower-case hexadecimal digits. Raises InvalidDigest for anything else.

    Digests come from messages and records in Redis too, which whoever may write there can forge: one that names a
    parent folder would lead out of the blob store.
    """
    if _FORM.fullmatch(text) is None:
        raise InvalidDigest(text)
    return text
