"""Claims about the dashboard: a real Prometheus that scraped a real run answers every query of it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import redis
import yaml

from dropaudit.plan import Plan, Role
from dropaudit_client import AuditClient, ServiceError
from dropaudit_client.local.service import free_port
from dropaudit_client.resources import ArtifactRef
from dropaudit_models import export
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import upload
from support.services import eventually, process, redis_server, server, serving, worker

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "dropaudit.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
# What has no data without that anything were wrong, and why.
EMPTY = {
    "Memory of GPUs": "there is no GPU here",
}


class Prometheus:
    """A Prometheus that scrapes a server every second, with the rules of the deployment."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[Any]:
        """Return the series of an instant query that have a number."""
        asked = urllib.parse.urlencode({"query": expression})
        return [each for each in self._data(f"query?{asked}")["result"] if each["value"][1] != "NaN"]

    def rules(self) -> list[Any]:
        """Return the rules with how their last evaluation went."""
        return [rule for group in self._data("rules")["groups"] for rule in group["rules"]]

    def _data(self, asked: str) -> Any:
        with urllib.request.urlopen(f"http://{self._address}/api/v1/{asked}", timeout=10) as answer:
            document = json.load(answer)
        assert document["status"] == "success"
        return document["data"]


def write_configuration(folder: Path, metrics: str) -> Path:
    """Write the deployment's configuration with another target, and shorter pauses."""
    document = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document["rule_files"] = [str(RULES / "*.yml")]
    (job,) = document["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [metrics]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def use(address: str, url: str, folder: Path) -> None:
    """Call the service as its users do: rightly, wrongly, and again."""
    with AuditClient(address) as client, grpc.insecure_channel(address) as channel:
        right, wrong = (client.upload_model(export(name, folder)).name for name in TWINS)
        # Bytes that are no model; the client would not send them.
        words = upload(AuditServiceStub(channel), b"words").name
        for model in (right, wrong, right, words):
            client.wait(client.create_audit(ArtifactRef(model, Role.AUTO), Plan(max_replicates=64)).name)
        with pytest.raises(ServiceError):
            client.get_audit("audits/none")
    with redis.Redis.from_url(url) as admin:
        admin.config_set("maxmemory", "1gb")


TWINS = ("lstm-dropout", "lstm-dropout-unscaled")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("observed")
    metrics, address, listening = (f"127.0.0.1:{free_port()}" for _ in range(3))
    with ExitStack() as stack:
        url = stack.enter_context(redis_server(folder / "redis"))
        stack.enter_context(server(url, folder, ready=serving, listen=address, metrics_listen=metrics))
        stack.enter_context(worker(url, folder))
        stack.enter_context(worker(url, folder, "beat"))
        command = ["prometheus", f"--config.file={write_configuration(folder, metrics)}"]
        command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={listening}"]
        stack.enter_context(process("prometheus", command, {}, folder / "prometheus.log"))
        found = Prometheus(listening)
        eventually(found.ready, f"Prometheus does not start: {folder / 'prometheus.log'}")
        # Twice, since a counter that is new has no rate yet.
        use(address, url, folder)
        eventually(lambda: found.query("dropaudit_replicates_total > 0"), "Prometheus does not scrape the server")
        use(address, url, folder)
        yield found


@pytest.mark.parametrize(("title", "expression"), QUERIES)
def test_a_panel_shows_something(title: str, expression: str, prometheus: Prometheus) -> None:
    if title in EMPTY:
        assert prometheus.query(expression) == [], f"has data after all, though {EMPTY[title]}"
        return
    eventually(lambda: prometheus.query(expression), f"no data: {expression}", seconds=60.0)


def test_of_a_service_that_works_no_alert_is_even_pending(prometheus: Prometheus) -> None:
    assert prometheus.query("ALERTS") == []


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    eventually(lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()), "a rule is not evaluated")
    assert {rule["name"]: rule.get("lastError") for rule in prometheus.rules() if rule["health"] != "ok"} == {}


def test_panels_that_may_be_empty_are_on_the_dashboard() -> None:
    assert set(EMPTY) <= {panel["title"] for panel in PANELS}
