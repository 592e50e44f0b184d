"""Numbers for Prometheus that Redis knows: how audits stand, and what workers have done.

Workers are many processes that come and go, and none of them listens. What they have done is counted in the store, and
every server tells the same of it: take the largest of several servers, not their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from dropaudit_store.audits.totals import Times, Totals
from dropaudit_store.errors import StoreError

CountStates = Callable[[], Mapping[str, int]]
ReadTotals = Callable[[], Totals]


class StoredMetrics(Collector):
    """Asks the store at each scrape; without Redis there is nothing to tell.

    Args:
        count_states: how many audits are in each state.
        read_totals: what workers have done.
    """

    def __init__(self, count_states: CountStates, read_totals: ReadTotals) -> None:
        self._count_states = count_states
        self._read_totals = read_totals

    def collect(self) -> Iterable[Metric]:
        """Return the numbers."""
        try:
            return [_states(self._count_states()), *_done(self._read_totals())]
        except StoreError:
            return []


def _states(counts: Mapping[str, int]) -> Metric:
    found = GaugeMetricFamily("dropaudit_audits", "Audits in each state", labels=["state"])
    for state, count in counts.items():
        found.add_metric([state], count)
    return found


def _done(totals: Totals) -> Iterable[Metric]:
    finished = CounterMetricFamily(
        "dropaudit_audits_finished", "Audits that ended, by verdict or reason", labels=["state", "how"]
    )
    for (state, how), count in totals.finished.items():
        finished.add_metric([state.value, how], count)
    yield finished
    yield CounterMetricFamily("dropaudit_replicates", "Replicates behind all reports", value=totals.replicates)
    yield CounterMetricFamily("dropaudit_workers_lost", "Workers lost in the middle of an audit", value=totals.lost)
    yield _histogram("dropaudit_audit_wait_seconds", "From an audit's creation to its first worker", totals.waits)
    yield _histogram("dropaudit_audit_run_seconds", "How long workers held audits that ended", totals.runs)


def _histogram(name: str, meaning: str, times: Times) -> Metric:
    buckets = [("+Inf" if bound == "inf" else str(float(bound)), count) for bound, count in times.counts]
    return HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=times.sum)
