"""Writes the dashboard of Grafana from what is said here; with --check, fails when the file is another.

Its queries are run against a real Prometheus by `make test-observability`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphDrawStyle, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE = Path(__file__).parent / "dashboards" / "dropaudit.json"
# As in provisioning/datasources.
SOURCE = DataSourceRef(type_val="prometheus", uid="dropaudit-prometheus")
_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its queries, each with how its series are called.

    Attributes:
        unit: Grafana's name of it.
        number: whether the last value is shown instead of a graph.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    number: bool = False
    description: str = ""


def _number(title: str, query: str, unit: str = "short", description: str = "") -> Panel:
    return Panel(title, ((query, ""),), unit, number=True, description=description)


ROWS: dict[str, tuple[Panel, ...]] = {
    "Now": (
        _number("Servers", 'sum(up{job="dropaudit"})'),
        _number("Redis", "min(dropaudit_redis_up)", "bool_on_off"),
        _number("Workers", "max(dropaudit_workers)"),
        _number("Waiting", "dropaudit:queue_depth:max"),
        _number("Oldest that waits", "dropaudit:queue_oldest_age_seconds:max", "s"),
        _number("Slots that are busy", "dropaudit:slots_busy:ratio", "percentunit"),
    ),
    "Queue": (
        Panel(
            "Audits that wait and run",
            (
                ('max by (state) (dropaudit_audits{state=~"QUEUED|RUNNING"})', "{{state}}"),
                ("max(dropaudit_worker_slots)", "slots"),
            ),
        ),
        Panel("Age of the oldest that waits", (("dropaudit:queue_oldest_age_seconds:max", "age"),), "s"),
        Panel(
            "Waiting and running, 95th percentile",
            (("dropaudit:audit_wait_seconds:p95_5m", "waits"), ("dropaudit:audit_run_seconds:p95_5m", "runs")),
            "s",
        ),
    ),
    "Audits": (
        Panel(
            "Audits a second, by verdict",
            (('sum by (verdict) (dropaudit:audits_finished:rate5m{state="SUCCEEDED"})', "{{verdict}}"),),
            "ops",
        ),
        Panel(
            "Audits a second that could not be made, by reason",
            (('sum by (reason) (dropaudit:audits_finished:rate5m{state="FAILED"})', "{{reason}}"),),
            "ops",
        ),
        Panel(
            "Audits a second, by where they ran",
            (('sum by (provider) (dropaudit:audits_finished:rate5m{state="SUCCEEDED"})', "{{provider}}"),),
            "ops",
        ),
        Panel("Replicates a second", (("dropaudit:replicates:rate5m", "replicates"),), "ops"),
        Panel("Mean of each phase", (("dropaudit:audit_phase_seconds:mean5m", "{{phase}}"),), "s"),
        Panel(
            "Artifacts that were prepared already",
            (("dropaudit:prepared_hits:ratio15m", "of all"),),
            "percentunit",
            description="A worker keeps the last few that it prepared: a schedule audits one again and again.",
        ),
        Panel(
            "Losses",
            (
                ("max(increase(dropaudit_workers_lost_total[15m]))", "workers lost, 15 min"),
                ("max(increase(dropaudit_leases_expired_total[15m]))", "leases that ran out, 15 min"),
            ),
        ),
        Panel(
            "Failures of the service, of all audits", (("dropaudit:own_failures:ratio15m", "of all"),), "percentunit"
        ),
        _number(
            "Since the schedule was looked at", "time() - max(dropaudit_schedule_last_tick_timestamp_seconds)", "s"
        ),
    ),
    "Calls": (
        Panel("Calls a second, by method", (("sum by (method) (dropaudit:calls:rate5m)", "{{method}}"),), "ops"),
        Panel("Calls a second, by status", (("sum by (code) (dropaudit:calls:rate5m)", "{{code}}"),), "ops"),
        Panel("Quick calls, 99th percentile", (("dropaudit:call_seconds:p99_5m", "p99"),), "s"),
        Panel("Refusals a second, by reason", (("dropaudit:refusals:rate5m", "{{reason}}"),), "ops"),
        Panel("Errors of the service, of all calls", (("dropaudit:call_errors:ratio5m", "of all"),), "percentunit"),
        Panel(
            "Calls under way and watchers",
            (("sum(dropaudit_calls_open)", "calls"), ("sum(dropaudit_watchers)", "watchers")),
        ),
    ),
    "Redis and GPUs": (
        Panel(
            "Memory of Redis",
            (
                ("max(dropaudit_redis_memory_used_bytes)", "taken"),
                ("max(dropaudit_redis_memory_max_bytes) > 0", "limit"),
            ),
            "bytes",
        ),
        Panel("Connections to Redis", (("max(dropaudit_redis_clients)", "connections"),)),
        Panel(
            "Memory of GPUs",
            (
                ("max by (gpu) (dropaudit_gpu_memory_used_bytes)", "{{gpu}}, taken"),
                ("max by (gpu) (dropaudit_gpu_memory_total_bytes)", "{{gpu}}, in all"),
            ),
            "bytes",
        ),
    ),
}


def _query(number: int, expression: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number)).range()


def _graph(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    built = timeseries.Panel().draw_style(GraphDrawStyle.LINE).fill_opacity(10).min(0).legend(legend.show_legend(True))
    return built.height(8).span(_COLUMNS // 3)


def _stat(panel: Panel) -> stat.Panel:
    return stat.Panel().height(4).span(_COLUMNS // 6)


def _built(panel: Panel) -> timeseries.Panel | stat.Panel:
    built = _stat(panel) if panel.number else _graph(panel)
    built.title(panel.title).unit(panel.unit).datasource(SOURCE).description(panel.description)
    for number, (expression, legend) in enumerate(panel.queries):
        built.with_target(_query(number, expression, legend))
    return built


def dashboards() -> str:
    """Return the dashboard as JSON."""
    built = dashboard.Dashboard("dropaudit").uid("dropaudit").tags(["dropaudit"]).readonly()
    built.refresh("30s").time("now-3h", "now").timezone("browser")
    for title, panels in ROWS.items():
        built.with_row(dashboard.Row(title))
        for panel in panels:
            built.with_panel(_built(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or check it."""
    made = dashboards()
    if "--check" not in arguments:
        FILE.write_text(made, encoding="utf-8")
        return 0
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == made:
        return 0
    print(f"{FILE.name} is not what deploy/grafana/generate_dashboards.py writes; run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
