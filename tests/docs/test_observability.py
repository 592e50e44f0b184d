"""Claims about rules, alerts and dashboard that need no Prometheus: they read what the service tells."""

from __future__ import annotations

import json
import re

import yaml

from support.documents import ROOT

TABLE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8").split("<!-- /metrics -->")[0]
# `tests/system/test_telemetry.py` compares the table with a real scrape.
METRICS = set(re.findall(r"^\| `(dropaudit_\w+)` \|", TABLE, re.MULTILINE))
RULES = [
    rule
    for path in sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "dropaudit.json").read_text(encoding="utf-8"))
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
EXPRESSIONS = [*(rule["expr"] for rule in RULES), *SHOWN]


def names(expression: str) -> set[str]:
    """Return the metrics that an expression reads."""
    return set(re.findall(r"(?<![\w:\"])dropaudit[_:][\w:]+", expression))


def test_every_query_reads_metrics_that_there_are() -> None:
    histograms = {f"{name}_{part}" for name in METRICS for part in ("bucket", "sum", "count")}
    assert set().union(*map(names, EXPRESSIONS)) - METRICS - histograms - RECORDED == set()


def test_every_recorded_series_is_read() -> None:
    assert set().union(*map(names, EXPRESSIONS)) >= RECORDED


def test_every_metric_of_the_service_is_watched_or_shown() -> None:
    read = {re.sub(r"_(bucket|sum|count)$", "", name) for each in EXPRESSIONS for name in names(each)}
    # Versions, which are for whoever looks one up.
    assert METRICS - read == {"dropaudit_build_info", "dropaudit_redis_info"}
