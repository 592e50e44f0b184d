"""Numbers for Prometheus that Redis knows: its own condition, how audits stand, and what workers have done.

Workers are many processes that come and go, and none of them listens. What they do is noted in the store, and every
server tells the same of it: take the largest of several servers, not their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dropaudit_store.errors import StoreError

# Asks the store for some of the numbers; raises StoreError where it does not answer.
Source = Callable[[], Iterable[Metric]]


class StoredMetrics(Collector):
    """Asks the store at each scrape; without Redis all there is to tell is that it is down."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        """Return the numbers."""
        try:
            # All before any is told: a scrape tells of one Redis that is up, or of one that is not.
            found = [metric for source in self._sources for metric in source()]
        except StoreError:
            return [_up(0)]
        return [_up(1), *found]


def _up(value: int) -> Metric:
    return GaugeMetricFamily("dropaudit_redis_up", "Whether Redis answers", value=value)
