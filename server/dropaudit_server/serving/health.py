"""Health by Redis: NOT_SERVING while it is gone, back by itself."""

from __future__ import annotations

import asyncio

import redis
import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from dropaudit_store.errors import StoreError, redis_errors
from dropaudit_store.shared.heartbeat_file import HeartbeatFile

SERVICE = "dropaudit.v1.AuditService"
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

_log = structlog.get_logger(__name__)


class HealthWatch:
    """Keeps the standard health service up to date, and touches a file for as long as the server serves."""

    def __init__(
        self, servicer: health.HealthServicer, client: redis.Redis, seconds: float, heartbeat: HeartbeatFile
    ) -> None:
        self._servicer = servicer
        self._redis = client
        self._seconds = seconds
        self._heartbeat = heartbeat
        self._serving: bool | None = None

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        """Look once."""
        serving = await asyncio.to_thread(self._redis_answers)
        if serving:
            self._heartbeat.beat()
        if serving is self._serving:
            return
        self._serving = serving
        for service in ("", SERVICE):
            await self._servicer.set(service, _SERVING if serving else _NOT_SERVING)
        _log.info("serving" if serving else "not serving: Redis does not answer")

    def _redis_answers(self) -> bool:
        try:
            with redis_errors():
                return bool(self._redis.ping())
        except (StoreError, redis.RedisError):
            return False
