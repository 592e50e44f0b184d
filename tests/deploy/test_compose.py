"""Claims about docker-compose.yml, read as a file: limits, rights, health and logs of every service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from dropaudit_server.settings import ServerSettings
from dropaudit_worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EVERY = pytest.mark.parametrize("name", SERVICES)
OURS = ("server", "dashboard", "worker", "beat", "worker-gpu")
ONCE = "redis-users"
# Docker refuses a limit above the machine's cores.
SMALLEST_MACHINE = 1.0
GPU_MACHINE = 4.0


def default(value: object) -> str:
    """Return a value with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def variables(text: str) -> dict[str, str]:
    """Return the variables of a text, with their defaults."""
    return dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))


def mounts(name: str) -> Iterator[tuple[str, str]]:
    """Yield what a service mounts, and where, without the mode."""
    for each in SERVICES[name].get("volumes", ()):
        source, target = default(each).removesuffix(":ro").split(":")
        yield source, target


@EVERY
def test_a_service_has_a_read_only_root_no_capabilities_and_can_get_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc"} & service.keys()


@EVERY
def test_a_service_has_limits_that_the_smallest_machine_has(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", default(service["mem_limit"]))
    assert 0 < float(default(service["cpus"])) <= (GPU_MACHINE if name == "worker-gpu" else SMALLEST_MACHINE)
    assert 0 < service["pids_limit"] <= 512


@EVERY
def test_the_logs_of_a_service_end_somewhere(name: str) -> None:
    assert SERVICES[name]["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@EVERY
def test_a_service_has_a_health_check_that_starts_no_python(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    if name == ONCE:
        assert check == {"disable": True}
        return
    assert not re.search(r"python|dropaudit_", " ".join(check["test"]))
    assert int(check["interval"].rstrip("s")) >= 10


@pytest.mark.parametrize("name", OURS)
def test_the_health_check_looks_at_the_file_that_the_process_touches(name: str) -> None:
    file = SERVICES[name]["environment"]["DROPAUDIT_HEARTBEAT_FILE"]
    assert f"find {file} -newermt" in SERVICES[name]["healthcheck"]["test"][1]
    assert any(each.startswith(f"{Path(file).parent}:") for each in SERVICES[name]["tmpfs"])


@pytest.mark.parametrize("name", [name for name in SERVICES if name != ONCE])
def test_a_service_comes_back_and_takes_leave_in_time(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["init"] is True


@pytest.mark.parametrize("name", ["server", "dashboard"])
def test_a_server_has_the_time_that_its_calls_may_take(name: str) -> None:
    grace = float(SERVICES[name]["stop_grace_period"].rstrip("s"))
    assert grace > ServerSettings.model_fields["shutdown_seconds"].default


@pytest.mark.parametrize("name", OURS)
def test_nobody_starts_before_redis_is_healthy(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert SERVICES["redis"]["depends_on"] == {ONCE: {"condition": "service_completed_successfully"}}


def test_nobody_but_redis_mounts_its_files() -> None:
    assert [name for name in SERVICES if "redis" in dict(mounts(name))] == ["redis"]


@EVERY
def test_a_service_sees_no_secrets_but_its_own(name: str) -> None:
    own = {ONCE: {"redis", "server", "worker", "beat", "grafana", "given"}, "dashboard": {"server"}}
    own["worker-gpu"] = {"worker"}
    seen = {source.removesuffix("-secrets") for source, _ in mounts(name) if source.endswith("-secrets")}
    assert seen <= own.get(name, {name})


def test_redis_forgets_nothing_evicts_nothing_and_has_a_limit() -> None:
    command = default(SERVICES["redis"]["command"])
    for each in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction", "--maxmemory 1gb"):
        assert each in command
    assert default(SERVICES["redis"]["mem_limit"]) == "2g"


@EVERY
def test_what_is_published_is_on_loopback(name: str) -> None:
    assert all(default(each).startswith("127.0.0.1:") for each in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", ["worker", "worker-gpu", "beat", "redis"])
def test_whoever_runs_models_or_keeps_records_has_no_way_out(name: str) -> None:
    assert SERVICES[name]["networks"] == ["inside"]
    assert default(COMPOSE["networks"]["inside"]["internal"]) == "true"


def test_no_two_services_build_one_tag() -> None:
    tags = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(tags) == sorted(set(tags))


def test_profiles_add_gpus_the_dashboard_and_what_watches() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {
        "worker-gpu": ["gpu"],
        "dashboard": ["web"],
        "prometheus": ["observability"],
        "grafana": ["observability"],
    }


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_process_reads(name: str) -> None:
    settings: type[BaseSettings] = ServerSettings if name in ("server", "dashboard") else WorkerSettings
    known = {f"DROPAUDIT_{field.upper()}" for field in settings.model_fields}
    assert {each for each in SERVICES[name]["environment"] if each.startswith("DROPAUDIT_")} <= known


@pytest.mark.parametrize("name", OURS)
def test_the_defaults_are_valid(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    for variable, value in SERVICES[name]["environment"].items():
        if value is not None:
            monkeypatch.setenv(variable, default(value))
    monkeypatch.setenv("DROPAUDIT_REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    settings = ServerSettings() if name in ("server", "dashboard") else WorkerSettings()
    assert ":secret@redis:6379" in settings.redis_url


def test_the_example_names_every_setting_with_its_default() -> None:
    lines = re.findall(r"^#(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    told = dict(lines)
    asked = variables(TEXT)
    assert told.keys() == asked.keys()
    # Those that are empty, or a volume, are told with an example.
    shown = {name: value for name, value in asked.items() if value and not value.endswith(("secrets", "certificates"))}
    assert {name: told[name] for name in shown} == shown


def test_the_example_changes_nothing_until_it_is_edited() -> None:
    text = (ROOT / ".env.example").read_text()
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()
