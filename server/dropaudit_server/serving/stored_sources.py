"""The sources of stored metrics, each for one kind of thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from dropaudit_server.serving.stored_metrics import Source
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.listing import AuditList
from dropaudit_store.audits.totals import Times, Totals, read_totals
from dropaudit_store.audits.waiting import oldest_waiting
from dropaudit_store.audits.workers import Workers
from dropaudit_store.records import AuditState
from dropaudit_store.redis.condition import read_condition
from dropaudit_store.runs.ticks import last_tick

Clock = Callable[[], float]


def stored_sources(client: redis.Redis, queue_limit: int, clock: Clock = time.time) -> list[Source]:
    """Return every source.

    Args:
        queue_limit: most audits that may wait; 0 for any number.
    """
    audits, workers = AuditList(client, AuditStore(client)), Workers(client)
    return [
        lambda: _redis(client),
        lambda: _queue(audits.counts(), oldest_waiting(client), queue_limit, clock()),
        lambda: _workers(workers),
        lambda: _totals(read_totals(client)),
        lambda: _schedule(last_tick(client)),
    ]


def _redis(client: redis.Redis) -> Iterable[Metric]:
    found = read_condition(client)
    info = GaugeMetricFamily("dropaudit_redis_info", "Version of Redis; always 1", labels=["version"])
    info.add_metric([found.version], 1)
    yield info
    yield GaugeMetricFamily("dropaudit_redis_memory_used_bytes", "Memory that Redis takes", value=found.used)
    yield GaugeMetricFamily(
        "dropaudit_redis_memory_max_bytes", "Memory that Redis may take; 0: any", value=found.maximum
    )
    yield GaugeMetricFamily("dropaudit_redis_clients", "Connections to Redis", value=found.clients)
    yield GaugeMetricFamily(
        "dropaudit_redis_writes_ok", "Whether Redis could write its append-only file", value=int(found.writes)
    )


def _queue(counts: dict[str, int], oldest: float | None, limit: int, now: float) -> Iterable[Metric]:
    states = GaugeMetricFamily("dropaudit_audits", "Audits in each state", labels=["state"])
    for state, count in counts.items():
        states.add_metric([state], count)
    yield states
    waiting = counts[AuditState.QUEUED.value]
    yield GaugeMetricFamily("dropaudit_queue_depth", "Audits that wait for a worker", value=waiting)
    yield GaugeMetricFamily("dropaudit_queue_limit", "Audits that may wait; 0: any number", value=limit)
    # Clocks of two machines may differ.
    age = 0.0 if oldest is None else max(0.0, now - oldest)
    yield GaugeMetricFamily(
        "dropaudit_queue_oldest_age_seconds", "Age of the oldest audit that waits; 0: none waits", value=age
    )


def _workers(workers: Workers) -> Iterable[Metric]:
    running = workers.running()
    yield GaugeMetricFamily("dropaudit_workers", "Workers that run", value=len(running))
    slots = sum(each.slots for each in running)
    yield GaugeMetricFamily("dropaudit_worker_slots", "Audits that all workers make at a time", value=slots)
    used = GaugeMetricFamily("dropaudit_gpu_memory_used_bytes", "Memory of a GPU that is taken", labels=["gpu"])
    total = GaugeMetricFamily("dropaudit_gpu_memory_total_bytes", "Memory of a GPU", labels=["gpu"])
    # Several workers may see the same one.
    for gpu in {each.name: each for worker in running for each in worker.gpus}.values():
        used.add_metric([gpu.name], gpu.used)
        total.add_metric([gpu.name], gpu.total)
    yield used
    yield total


def _totals(totals: Totals) -> Iterable[Metric]:
    yield from _done(totals)
    yield from _times(totals)


def _done(totals: Totals) -> Iterable[Metric]:
    finished = CounterMetricFamily(
        "dropaudit_audits_finished",
        "Audits that ended: by state, by verdict or reason, and by where they ran",
        labels=["state", "verdict", "reason", "provider"],
    )
    for (state, how, provider), count in totals.finished.items():
        verdict, reason = (how, "") if state is AuditState.SUCCEEDED else ("", how)
        finished.add_metric([state.value, verdict, reason, provider], count)
    yield finished
    yield CounterMetricFamily("dropaudit_replicates", "Replicates behind all reports", value=totals.replicates)
    yield CounterMetricFamily("dropaudit_workers_lost", "Workers lost in the middle of an audit", value=totals.lost)
    yield CounterMetricFamily("dropaudit_leases_expired", "Leases that ran out before the end", value=totals.expired)
    prepared = CounterMetricFamily(
        "dropaudit_prepared_artifacts", "Prepared artifacts that audits began with: kept or made", labels=["result"]
    )
    for result, count in totals.prepared.items():
        prepared.add_metric([result], count)
    yield prepared


def _times(totals: Totals) -> Iterable[Metric]:
    yield _histogram("dropaudit_audit_wait_seconds", "From an audit's creation to its first worker", totals.waits)
    yield _histogram("dropaudit_audit_run_seconds", "How long workers held audits that ended", totals.runs)
    phases = HistogramMetricFamily(
        "dropaudit_audit_phase_seconds", "How long audits with a report were in each phase", labels=["phase"]
    )
    for phase, times in totals.phases.items():
        phases.add_metric([phase], _buckets(times), times.sum)
    yield phases


def _histogram(name: str, meaning: str, times: Times) -> Metric:
    return HistogramMetricFamily(name, meaning, buckets=_buckets(times), sum_value=times.sum)


def _buckets(times: Times) -> list[tuple[str, float]]:
    return [("+Inf" if bound == "inf" else str(float(bound)), count) for bound, count in times.counts]


def _schedule(ticked: float | None) -> Iterable[Metric]:
    if ticked is not None:
        yield GaugeMetricFamily(
            "dropaudit_schedule_last_tick_timestamp_seconds", "When a worker looked at what is due last", value=ticked
        )
