"""URLs of Redis, as redis-py and as Celery want them."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

SCHEMES = ("redis://", "rediss://", "unix://")


def socket_url(path: str) -> str:
    """Return the URL of a Redis on a unix socket, given by its absolute path."""
    return f"unix://{quote(path)}"


def broker_url(url: str) -> str:
    """Return the URL by which Celery reaches the Redis of a URL: it has another scheme for unix sockets.

    `unix://user:secret@/run/redis.sock?db=2` → `redis+socket://user:secret@/run/redis.sock?virtual_host=2`
    """
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = urlencode([("virtual_host" if name == "db" else name, value) for name, value in parse_qsl(parts.query)])
    return f"redis+socket://{parts.netloc}{parts.path}{'?' if query else ''}{query}"


def with_password(url: str, password: str) -> str:
    """Return a URL with a password; the user that it names stays. Raises ValueError when it has a password already."""
    parts = urlsplit(url)
    user, has_password, _ = parts.netloc.rpartition("@")[0].partition(":")
    if has_password:
        raise ValueError("holds a password, and DROPAUDIT_REDIS_PASSWORD_FILE another; give one of them")
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()
