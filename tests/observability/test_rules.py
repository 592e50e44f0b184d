"""Claims about alerts and recording rules, as Prometheus's own tool checks them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
TESTS = PROMETHEUS / "tests" / "alerts.yml"


def promtool(*arguments: str) -> str:
    ended = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_prometheus_takes_configuration_and_rules() -> None:
    assert "SUCCESS" in promtool("check", "config", "--lint=all", "--lint-fatal", "prometheus.yml")


def test_each_alert_fires_in_its_test_and_none_of_a_healthy_service() -> None:
    promtool("test", "rules", str(TESTS))


def test_every_alert_has_both_tests(alerts: dict[str, dict[str, Any]]) -> None:
    tests = yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
    checks = [(test["name"], each) for test in tests for each in test["alert_rule_test"]]
    assert {each["alertname"] for name, each in checks if each["exp_alerts"] and name == each["alertname"]} == set(
        alerts
    )
    assert {each["alertname"] for name, each in checks if name == "a healthy service"} == set(alerts)
    assert not any(each["exp_alerts"] for name, each in checks if name == "a healthy service")


def test_every_alert_is_explained_where_it_says(alerts: dict[str, dict[str, Any]]) -> None:
    headings = re.findall(r"^### (Dropaudit\w+)$", (ROOT / "docs" / "observability.md").read_text(), re.MULTILINE)
    assert headings == list(alerts)
    for name, alert in alerts.items():
        assert alert["annotations"]["runbook_url"].endswith(f"docs/observability.md#{name.lower()}")
        assert alert["labels"]["severity"] in ("critical", "warning")
