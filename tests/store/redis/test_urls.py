"""Claims about URLs of Redis: one setting, read alike by redis-py and by Celery."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import redis
from kombu import Connection
from pydantic import ValidationError

from dropaudit_client.local.private_redis import private_redis_command
from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.urls import broker_url, socket_url, with_password
from dropaudit_store.settings import StoreSettings, problems
from support.services import eventually, process


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),
        ("rediss://u:p@h:6380/0", "rediss://u:p@h:6380/0"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix://u:p%2F@/run/redis.sock?db=2", "redis+socket://u:p%2F@/run/redis.sock?virtual_host=2"),
    ],
)
def test_celery_is_given_the_url_in_its_own_words(url: str, expected: str) -> None:
    assert broker_url(url) == expected


@pytest.mark.parametrize(
    ("url", "user", "path"),
    [("redis://server@redis:6379/0", "server", None), ("unix://beat@/r.sock", "beat", "/r.sock")],
)
def test_a_password_of_any_characters_is_put_beside_the_user(url: str, user: str, path: str | None) -> None:
    with redis.Redis.from_url(with_password(url, "a/b@c:d%")) as client:
        found = client.connection_pool.connection_kwargs
    assert (found["username"], found["password"], found.get("path")) == (user, "a/b@c:d%", path)


def test_redis_and_celery_find_the_same_socket_whatever_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "ä b#?%41"
    folder.mkdir(mode=0o700)
    path = folder / "r.sock"
    with process("redis", private_redis_command(path, folder), {}, tmp_path / "redis.log"):
        eventually(path.exists, "Redis makes no socket")
        url = socket_url(str(path))
        with connect(url) as client, Connection(broker_url(url)) as broker:
            eventually(lambda: client.ping(), "Redis does not answer")
            broker.SimpleQueue("letters").put("hello")
            assert client.llen("letters") == 1


def test_the_password_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s/ecret\n")
    settings = StoreSettings(redis_url="redis://worker@redis:6379/0", redis_password_file=str(tmp_path / "password"))
    assert settings.redis_url == "redis://worker:s%2Fecret@redis:6379/0"


@pytest.mark.parametrize(
    ("content", "url", "said"),
    [
        (None, "redis://h:1/0", "DROPAUDIT_REDIS_PASSWORD_FILE: cannot be read: No such file or directory"),
        ("\n", "redis://h:1/0", "DROPAUDIT_REDIS_PASSWORD_FILE: is empty"),
        ("secret", "redis://u:other@h:1/0", "DROPAUDIT_REDIS_URL: holds a password, and .* another; give one of them"),
    ],
)
def test_a_password_that_cannot_be_used_is_refused_and_not_shown(
    content: str | None, url: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValidationError) as caught:
        StoreSettings(redis_url=url, redis_password_file=os.fspath(path))
    (sentence,) = problems(caught.value)
    assert re.fullmatch(said, sentence)
