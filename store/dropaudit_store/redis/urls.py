"""URLs of Redis, as redis-py and as Celery want them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from dropaudit_store.redis.sentinels import SENTINEL_SCHEMES, has_sentinels, parse_sentinel_url

SCHEMES = ("redis://", "rediss://", "unix://", *SENTINEL_SCHEMES)


def socket_url(path: str) -> str:
    """Return the URL of a Redis on a unix socket, given by its absolute path."""
    return f"unix://{quote(path)}"


def broker_url(url: str) -> str:
    """Return the URL by which Celery reaches the Redis of a URL: it has another scheme for unix sockets.

    `unix://user:secret@/run/redis.sock?db=2` → `redis+socket://user:secret@/run/redis.sock?virtual_host=2`
    `redis+sentinel://a:1,b:2/main/0` → `sentinel://a:1/0;sentinel://b:2/0`
    """
    if has_sentinels(url):
        return parse_sentinel_url(url).broker_url
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = urlencode([("virtual_host" if name == "db" else name, value) for name, value in parse_qsl(parts.query)])
    return f"redis+socket://{parts.netloc}{parts.path}{'?' if query else ''}{query}"


def broker_options(url: str, **options: Any) -> dict[str, Any]:
    """Return what Celery is told of its connections beside the URL: of Sentinels, the name of the master."""
    if not has_sentinels(url):
        return options
    place = parse_sentinel_url(url)
    times = {name: value for name, value in options.items() if name.startswith("socket_")}
    return {**options, "master_name": place.master, "sentinel_kwargs": {**times, **place.of_sentinels}}


def broker_tls(url: str) -> dict[str, Any] | None:
    """Return Celery's `broker_use_ssl`: without it, it takes whatever certificate it is shown."""
    return {"ssl_cert_reqs": "required"} if url.startswith("rediss") else None


def with_password(url: str, password: str) -> str:
    """Return a URL with a password; the user that it names stays. Raises ValueError when it has a password already."""
    parts = urlsplit(url)
    user, has_password, _ = parts.netloc.rpartition("@")[0].partition(":")
    if has_password:
        raise ValueError("holds a password, and DROPAUDIT_REDIS_PASSWORD_FILE another; give one of them")
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()
