"""Claims about URLs of Sentinels: one setting, read alike by redis-py and by Celery."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dropaudit_store.redis.sentinels import SentinelUrl, parse_sentinel_url
from dropaudit_store.redis.urls import broker_options, broker_tls, broker_url
from dropaudit_store.settings import StoreSettings, problems

URL = "redis+sentinel://worker:s%2Fe@one:1,two,[::1]:3/main/4"


def test_sentinels_master_database_and_user_are_read() -> None:
    expected = SentinelUrl(
        hosts=(("one", 1), ("two", 26379), ("::1", 3)),
        master="main",
        database=4,
        user="worker",
        password="s/e",
        sentinel_password=None,
        tls=False,
    )
    assert parse_sentinel_url(URL) == expected


def test_celery_is_told_the_same_in_its_own_words() -> None:
    place = "sentinel://worker:s%2Fe@{}/4"
    assert broker_url(URL) == ";".join(map(place.format, ("one:1", "two:26379", "[::1]:3")))
    assert broker_options(URL, socket_timeout=5) == {
        "socket_timeout": 5,
        "master_name": "main",
        "sentinel_kwargs": {"socket_timeout": 5},
    }
    assert broker_options("redis://h:1/0", socket_timeout=5) == {"socket_timeout": 5}


def test_over_tls_redis_and_sentinels_are_both_spoken_to_so() -> None:
    place = parse_sentinel_url("rediss+sentinel://one/main/0")
    assert place.of_redis["ssl"] is place.of_sentinels["ssl"] is True
    assert broker_tls("rediss+sentinel://one/main/0") == broker_tls("rediss://h/0") == {"ssl_cert_reqs": "required"}
    assert broker_tls("redis://h/0") is broker_tls(URL) is None


@pytest.mark.parametrize("url", ["//one", "//one/", "//one/main/x", "//:1/main", "//one:70000/main", "//one:0/main/0"])
def test_a_url_that_leads_nowhere_is_refused_with_its_form(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StoreSettings(redis_url=f"redis+sentinel:{url}")
    (problem,) = problems(caught.value)
    assert problem.startswith("DROPAUDIT_REDIS_URL: must have the form redis+sentinel://HOST:PORT,HOST:PORT/MASTER")


def test_redis_and_sentinels_may_have_passwords_of_their_own_in_files(tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("of redis\n")
    (tmp_path / "sentinel").write_text("of/sentinels&\n")
    settings = StoreSettings(
        redis_url="redis+sentinel://worker@one:1,two:2/main",
        redis_password_file=str(tmp_path / "redis"),
        sentinel_password_file=str(tmp_path / "sentinel"),
    )
    place = parse_sentinel_url(settings.redis_url)
    assert (place.user, place.password, place.database) == ("worker", "of redis", 0)
    assert place.of_sentinels == {"password": "of/sentinels&"}
    assert broker_options(settings.redis_url)["sentinel_kwargs"] == {"password": "of/sentinels&"}


def test_a_password_for_sentinels_that_nobody_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sentinel").write_text("secret")
    with pytest.raises(ValidationError) as caught:
        StoreSettings(redis_url="redis://h:1/0", sentinel_password_file=str(tmp_path / "sentinel"))
    (problem,) = problems(caught.value)
    assert "names no Sentinels" in problem
    assert "secret" not in problems(caught.value)
