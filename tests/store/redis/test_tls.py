"""Claims about TLS to Redis: store and Celery take no certificate that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import kombu
import pytest
import redis
from kombu.exceptions import OperationalError

from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.urls import broker_options, broker_tls, broker_url
from support.tls_proxy import tls_proxy


def send(url: str) -> None:
    once = broker_options(url, socket_connect_timeout=2, socket_timeout=2, max_retries=1, interval_start=0)
    with kombu.Connection(broker_url(url), ssl=broker_tls(url) or False, transport_options=once) as broker:
        broker.SimpleQueue("letters").put("hello")


def test_a_certificate_is_checked_by_store_and_celery(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_proxy(urlsplit(redis_url).port or 0, tmp_path) as (port, authority):
        url = f"rediss://127.0.0.1:{port}/0"
        with connect(url) as client, pytest.raises(redis.exceptions.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            client.ping()
        with pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
            send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        with connect(url) as client:
            assert client.ping()
        send(url)
        assert redis_client.llen("letters") == 1
