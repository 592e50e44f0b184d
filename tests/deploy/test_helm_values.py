"""Claims about the Helm chart's defaults: those of docker-compose.yml, read without Helm."""

from __future__ import annotations

import re

import pytest
import yaml

from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import PREFIX
from dropaudit_worker.settings import WorkerSettings
from support.documents import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
CHART = ROOT / "deploy" / "helm" / "dropaudit"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
HELPERS = (CHART / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
ROLES = {"server": "server", "web": "dashboard", "worker": "worker", "gpuWorker": "worker-gpu", "beat": "beat"}
PRESENT = {ours: theirs for ours, theirs in ROLES.items() if theirs in COMPOSE}
SETTINGS = {"server": ServerSettings, "web": ServerSettings}
# What the chart makes of its values of Redis, content and access.
MADE = set(re.findall(r"name: ((?:DROPAUDIT|AWS)_[A-Z_0-9]+)", HELPERS))
# What is seen of Redis's disk where all volumes lie on one, and what a secret holds that envFrom names.
ELSEWHERE = {"DROPAUDIT_REDIS_FOLDER", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}


def default(text: object) -> str:
    """Return what docker-compose takes where nobody sets a variable."""
    found = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", "" if text is None else str(text))
    return {"True": "true", "False": "false"}.get(found, found)


def compose_environment(role: str) -> dict[str, str]:
    found = {name: default(value) for name, value in COMPOSE[PRESENT[role]]["environment"].items()}
    return {name: value for name, value in found.items() if value and name not in ELSEWHERE}


def chart_environment(role: str) -> dict[str, str]:
    """Return what values.yaml sets: what is empty is left out, by both."""
    every = {**VALUES["environment"], **VALUES[role]["environment"]}
    return {name: default(value) for name, value in every.items() if value != ""}


def mebibytes(text: str) -> float:
    """Return a size as docker or as Kubernetes writes it: in both, of these letters, powers of 1024."""
    number, unit = re.fullmatch(r"([\d.]+)([kmg]|[KMG]i)b?", text).groups()  # type: ignore[union-attr]  # the claim
    return float(number) * {"k": 1 / 1024, "m": 1, "g": 1024}[unit[0].lower()]


@pytest.mark.parametrize("role", PRESENT)
def test_every_setting_of_compose_is_the_chart_s_or_made_by_it(role: str) -> None:
    compose, chart = compose_environment(role), chart_environment(role)
    assert {name: value for name, value in compose.items() if name not in MADE} == {
        name: value for name, value in chart.items() if name in compose
    }


@pytest.mark.parametrize("role", ROLES)
def test_what_the_chart_sets_are_settings(role: str) -> None:
    known = SETTINGS.get(role, WorkerSettings).model_fields
    for name in chart_environment(role):
        assert name.removeprefix(PREFIX).lower() in known, name
    both = {**ServerSettings.model_fields, **WorkerSettings.model_fields}
    assert {name for name in MADE if name.startswith(PREFIX)} <= {f"{PREFIX}{name.upper()}" for name in both}


def test_who_may_call_is_said_alike() -> None:
    assert compose_environment("server")["DROPAUDIT_ALLOW_ANONYMOUS"] == default(VALUES["access"]["allowAnonymous"])
    assert compose_environment("server")["DROPAUDIT_BLOB_URL"] in HELPERS
    assert VALUES["content"]["url"] == ""


@pytest.mark.parametrize("role", [*PRESENT, "redis"])
def test_limits_are_those_of_compose(role: str) -> None:
    service = COMPOSE[PRESENT.get(role, role)]
    limits = VALUES[role]["resources"]["limits"]
    if "mem_limit" in service:
        assert mebibytes(limits["memory"]) == mebibytes(default(service["mem_limit"]))
    if "cpus" in service:
        assert float(limits["cpu"]) == float(default(service["cpus"]))
    if "tmpfs" in service and role != "redis":
        (tmp,) = (default(each).rpartition("size=")[2] for each in service["tmpfs"])
        assert mebibytes(VALUES[role]["tmp"]) == mebibytes(tmp)
    if grace := service.get("stop_grace_period"):
        assert f"{VALUES[role]['terminationGracePeriodSeconds']}s" == grace


def test_redis_keeps_what_it_is_given_as_in_compose() -> None:
    words = default(COMPOSE["redis"]["command"]).split()
    template = (CHART / "templates" / "redis.yaml").read_text(encoding="utf-8")
    started = template.split("command:\n            - redis-server")[1]
    command = re.findall(r'^ +- "?([^\s"{]+)"?$', started, re.MULTILINE)
    for option in ("--appendonly", "--appendfsync", "--maxmemory-policy"):
        assert words[words.index(option) + 1] == command[command.index(option) + 1]
    if "--maxmemory" in words:
        assert words[words.index("--maxmemory") + 1] == VALUES["redis"]["maxmemory"]


def test_a_role_s_image_is_built_as_compose_builds_that_role() -> None:
    named = {default(each["image"]).partition(":")[0]: each for each in COMPOSE.values() if "image" in each}
    for role in (*PRESENT, "redis"):
        # An earlier file builds images without names.
        if (image := VALUES[role]["image"]) in named:
            assert named[image]["build"] == COMPOSE[PRESENT.get(role, role)]["build"]
