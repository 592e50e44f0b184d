"""Claims about what the Helm chart makes of values, by Helm's own library and Kubernetes's schemas."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "helm"
CHART = FOLDER / "dropaudit"
SETS = {"defaults": {}} | {
    path.stem.removeprefix("values-"): yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("values-*.yaml"))
}
# The oldest and the newest that the chart is for.
VERSIONS = ("1.28", "1.37")
# What is used here of KEDA's ScaledObject: its own schema is not in the registries.
SCALED = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["scaleTargetRef", "triggers"],
            "additionalProperties": False,
            "properties": {
                "scaleTargetRef": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {"name": {"type": "string"}},
                },
                **{
                    name: {"type": "integer", "minimum": 0}
                    for name in ("minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod")
                },
                "fallback": {
                    "type": "object",
                    "required": ["failureThreshold", "replicas"],
                    "additionalProperties": {"type": "integer"},
                },
                "advanced": {"type": "object"},
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["type", "metadata"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "prometheus"},
                            "metricType": {"enum": ["AverageValue", "Value", "Utilization"]},
                            # KEDA takes strings alone.
                            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                        },
                    },
                },
            },
        }
    },
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="audits", namespace="lab")
    texts = (text for name, text in files.items() if not name.endswith(".txt"))
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


@pytest.fixture(params=SETS)
def documents(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return rendered(SETS[request.param])


def of(documents: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"].removeprefix("audits-"): each for each in documents if each["kind"] == kind}


def pods(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("Deployment", "StatefulSet"):
        for name, each in of(documents, kind).items():
            yield name, each["spec"]["template"]["spec"]


def containers(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, pod in pods(documents):
        for each in [*pod.get("initContainers", ()), *pod["containers"]]:
            yield f"{name}/{each['name']}", each


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_helm_finds_nothing_wrong(values: dict[str, Any]) -> None:
    assert helm.lint(str(CHART), values)["errors"] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid_by_the_schema_of_its_kind(documents: list[dict[str, Any]], version: str) -> None:
    for each in documents:
        if each["kind"] == "ScaledObject":
            jsonschema.validate(each, SCALED)
        else:
            kubernetes_validate.validate(each, version, strict=True)


def test_names_are_unique_and_so_are_the_pods_that_a_selector_finds(documents: list[dict[str, Any]]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in documents]
    assert len(names) == len(set(names))
    selectors = [
        tuple(sorted(each["spec"]["selector"]["matchLabels"].items()))
        for each in documents
        if each["kind"] in ("Deployment", "StatefulSet")
    ]
    assert len(selectors) == len(set(selectors))
    for each in documents:
        if each["kind"] in ("Deployment", "StatefulSet"):
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_nothing_runs_as_root_writes_its_root_or_may_become_more(documents: list[dict[str, Any]]) -> None:
    for name, pod in pods(documents):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] >= 999, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, each in containers(documents):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {"cpu", "memory"} <= each["resources"]["limits"].keys(), name
        assert {"cpu", "memory"} <= each["resources"]["requests"].keys(), name


def test_every_container_is_looked_at_without_starting_a_program_of_its_own(documents: list[dict[str, Any]]) -> None:
    for name, pod in pods(documents):
        (container,) = pod["containers"]
        assert {"startupProbe", "livenessProbe"} <= container.keys(), name
        command = container["livenessProbe"]["exec"]["command"]
        assert "python" not in " ".join(command), name


def test_the_heartbeat_is_seen_while_it_goes_on_and_missed_once_it_stops(tmp_path: Path) -> None:
    worker = dict(containers(rendered({})))["worker/worker"]
    assert environment(worker)["DROPAUDIT_HEARTBEAT_FILE"] == "/tmp/alive"
    script = worker["livenessProbe"]["exec"]["command"][2].replace("/tmp/", f"{tmp_path}/")

    def alive(*, beats: bool) -> bool:
        # Longer than two times of files may be taken for one.
        time.sleep(0.05)
        if beats:
            (tmp_path / "alive").touch()
        return subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 0

    assert [alive(beats=each) for each in (False, True, False, False, True)] == [False, True, False, False, True]


def test_no_secret_stands_in_a_pod_and_each_role_sees_its_own_alone(documents: list[dict[str, Any]]) -> None:
    for name, pod in pods(documents):
        if name == "redis":
            continue
        (container,) = pod["containers"]
        role = {"web": "server", "worker-gpu": "worker"}.get(name, name)
        (mounted,) = [each["secret"] for each in pod["volumes"] if each["name"] == "redis"]
        assert mounted["items"] == [{"key": f"redis-{role}", "path": "password"}]
        assert environment(container)["DROPAUDIT_REDIS_URL"].split("://")[1].startswith(f"{role}@")
        assert all("valueFrom" not in each for each in container["env"])


def test_passwords_are_made_where_none_are_given(documents: list[dict[str, Any]]) -> None:
    made = of(documents, "Secret")
    if "redis" in of(documents, "StatefulSet"):
        assert set(made["redis"]["data"]) == {"redis-server", "redis-worker", "redis-beat", "redis-admin"}
        assert len(set(made["redis"]["data"].values())) == 4
    else:
        assert made == {}


def test_by_default_a_worker_goes_to_redis_and_nowhere_else() -> None:
    policies = of(rendered({}), "NetworkPolicy")
    assert set(policies) == {"default", "to-redis", "server", "redis"}
    assert policies["default"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in policies["default"]["spec"]["egress"] for port in rule["ports"]] == [53, 53]
    (rule,) = policies["redis"]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 6379}]


def test_content_in_s3_opens_one_way_out() -> None:
    values: dict[str, Any] = {"content": {"url": "s3://b/p", "s3": {"endpoint": "http://minio.lab:9000"}}}
    documents = rendered(values)
    assert of(documents, "PersistentVolumeClaim") == {}
    (rule,) = of(documents, "NetworkPolicy")["out"]["spec"]["egress"]
    assert rule == {"ports": [{"protocol": "TCP", "port": 9000}]}
    found = environment(dict(containers(documents))["worker/worker"])
    assert (found["DROPAUDIT_BLOB_URL"], found["AWS_ENDPOINT_URL"]) == ("s3://b/p", "http://minio.lab:9000")


def test_behind_sentinels_every_role_waits_for_a_replica() -> None:
    documents = rendered(SETS["gpu-s3-sentinel"])
    assert "redis" not in of(documents, "StatefulSet")
    for name, each in containers(documents):
        found = environment(each)
        assert found["DROPAUDIT_REDIS_URL"].startswith("redis+sentinel://"), name
        assert found["DROPAUDIT_REDIS_REPLICAS"] == "1", name
        assert found["DROPAUDIT_SENTINEL_PASSWORD_FILE"] == "/run/sentinel/password", name


def test_who_is_scaled_by_the_queue_has_no_number_of_its_own() -> None:
    documents = rendered(SETS["gpu-s3-sentinel"])
    scaled = of(documents, "ScaledObject")
    assert set(scaled) == {"worker", "worker-gpu"}
    deployments = of(documents, "Deployment")
    assert {name for name, each in deployments.items() if "replicas" not in each["spec"]} == set(scaled)
    assert scaled["worker"]["spec"]["triggers"][0]["metadata"]["query"] == "max(dropaudit_queue_oldest_age_seconds)"


def test_a_redis_outside_must_be_named() -> None:
    with pytest.raises(helm.HelmError, match=r"redis\.external\.url"):
        rendered({"redis": {"enabled": False}})


def test_an_image_is_known_by_tag_or_by_digest_in_a_registry() -> None:
    digest = f"sha256:{'a' * 64}"
    for tag, separator in (("1.2", ":"), (digest, "@")):
        expected = f"r.example.com/x/dropaudit-server{separator}{tag}"
        documents = rendered({"image": {"registry": "r.example.com/x/", "tag": tag}})
        assert dict(containers(documents))["server/server"]["image"] == expected


def test_one_beat_is_replaced_only_once_it_has_gone() -> None:
    beat = of(rendered({}), "Deployment")["beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"wroker": {"replicas": 2}}, "wroker"),
        ({"server": {"replica": 2}}, "replica"),
        ({"beat": {"replicas": 2}}, "beat"),
        ({"environment": {"DROPAUDIT_RETENTION_DAYS": 90}}, "RETENTION_DAYS"),
        ({"redis": {"external": {"url": "http://redis"}}}, "url"),
        ({"content": {"url": "gs://bucket"}}, "url"),
        ({"content": {"volume": {"accessMode": "ReadWriteMayn"}}}, "accessMode"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(values: dict[str, Any], named: str) -> None:
    with helm.Chart.load(str(CHART)) as chart, pytest.raises(helm.HelmError, match=named):
        chart.validate_schema(values)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_schema_takes_every_set(values: dict[str, Any]) -> None:
    with helm.Chart.load(str(CHART)) as chart:
        chart.validate_schema(values)
