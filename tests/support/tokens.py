"""Tokens of a server's callers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dropaudit_server.interceptors.tokens import Scope, hash_of


def entry(secret: str, name: str, scope: Scope) -> dict[str, Any]:
    """Return what a server keeps of a token."""
    return {"name": name, "sha256": hash_of(secret), "scope": scope}


def write_tokens(path: Path, *entries: dict[str, Any]) -> None:
    """Write a server's file of tokens."""
    path.write_text(json.dumps({"tokens": entries}))


def bearer(secret: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call with a token."""
    return (("authorization", f"Bearer {secret}"),)
