"""Claims about rules, alerts and dashboard that need no Prometheus: they read what the service tells."""

from __future__ import annotations

import ast
import json
import re

import yaml

from support.documents import ROOT
from support.telemetry import documented_fields

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


# What structlog itself adds.
ALWAYS = {"event", "level", "logger", "timestamp", "exception"}
SPOKEN = {"debug", "info", "warning", "error", "exception"}


def is_line(call: ast.Call) -> bool:
    """Whether a call writes a line to the log, or gives the lines that follow a field."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="_log"), attr=attr):
            return attr in SPOKEN
        case ast.Attribute(attr="bind_contextvars" | "bound_contextvars") | ast.Name(id="level"):
            return True
    return False


def fields_of(text: str) -> set[str]:
    """Return the fields that a module's lines have; those in `**{...}` as well."""
    found = set[str]()
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and is_line(node)):
        for keyword in call.keywords:
            inner = [node for node in ast.walk(keyword.value) if isinstance(node, ast.Dict)]
            keys = [key.value for each in inner for key in each.keys if isinstance(key, ast.Constant)]
            found |= {keyword.arg} if keyword.arg else set(map(str, keys))
    return found


def test_every_field_of_the_logs_is_explained_and_no_other() -> None:
    rooms = ("server", "worker", "store")
    modules = [path.read_text(encoding="utf-8") for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    used = set().union(*map(fields_of, modules)) - {"exc_info"}
    # Given by `**given`, whose name says nothing.
    assert used | {"caller"} | ALWAYS == documented_fields()
