"""`python -m dropaudit_server.new_token NAME SCOPE [DAYS]`: makes a token, and the entry for the tokens file."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime, timedelta

import msgspec

from dropaudit_server.interceptors.tokens import Scope, Token, hash_of


def new_token(name: str, scope: Scope, expires: datetime | None) -> tuple[str, Token]:
    """Return a new secret and what is kept of it."""
    secret = f"dropaudit_{secrets.token_urlsafe(32)}"
    return secret, Token(name=name, sha256=hash_of(secret), scope=scope, expires=expires)


def main() -> int:
    """Print the secret on stdout and the entry on stderr, so that each can be redirected; 2 on bad arguments."""
    try:
        name, scope, *days = sys.argv[1:]
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=float(days[0])) if days else None
        secret, token = new_token(name, Scope(scope), expires)
    except (ValueError, OverflowError):
        print(f"usage: python -m dropaudit_server.new_token NAME {'|'.join(Scope)} [DAYS]", file=sys.stderr)
        return 2
    print(secret)
    print(msgspec.json.encode(token).decode(), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
