"""Claims about programs that are configured by their environment: what is misspelled there is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import StoreSettings
from dropaudit_store.shared.program import Program, variable, warn_of_settings
from dropaudit_worker.settings import WorkerSettings

SETTINGS: list[type[StoreSettings]] = [ServerSettings, WorkerSettings]
COMPOSE = Path(__file__).parents[3] / "docker-compose.yml"


def misspelled(settings: type[StoreSettings], *names: str) -> list[str]:
    return Program("", "", settings).misspelled(dict.fromkeys(names, "1"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("DROPAUDIT_TOKEN_FILE", "DROPAUDIT_TOKENS_FILE"),
        ("DROPAUDIT_TLS_CLIENT_CAS", "DROPAUDIT_TLS_CLIENT_CA"),
        ("DROPAUDIT_METRICS_TOKEN", "DROPAUDIT_METRICS_TOKEN_FILE"),
        ("dropaudit_redisurl", "DROPAUDIT_REDIS_URL"),
        ("DROPAUDIT_MAX_QUEUE", "DROPAUDIT_MAX_QUEUED"),
    ],
)
def test_a_variable_that_is_nearly_a_setting_is_told_with_the_setting(written: str, meant: str) -> None:
    assert misspelled(ServerSettings, written) == [f"nothing reads {written}; is {meant} meant?"]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_of_the_other_program_and_of_compose_are_none_that_is_misspelled(
    settings: type[StoreSettings],
) -> None:
    every = [variable(each, name) for each in SETTINGS for name in each.model_fields]
    compose = re.findall(r"DROPAUDIT_[A-Z_]+", COMPOSE.read_text(encoding="utf-8"))
    assert misspelled(settings, *every, *compose, "DROPAUDIT_TOKEN", "DROPAUDIT_ADDRESS", "PATH", "REDIS_URL") == []


def test_settings_are_read_in_any_case() -> None:
    assert misspelled(ServerSettings, "dropaudit_listen", "Dropaudit_Redis_Url") == []


def test_what_is_misspelled_is_logged_without_its_value() -> None:
    with capture_logs() as logs:
        warn_of_settings(misspelled(ServerSettings, "DROPAUDIT_LISTN"))
    assert [each["why"] for each in logs] == ["nothing reads DROPAUDIT_LISTN; is DROPAUDIT_LISTEN meant?"]
