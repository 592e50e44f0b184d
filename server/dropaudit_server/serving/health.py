"""Health by Redis: NOT_SERVING while it is gone, or has too few replicas to take a write; back by itself."""

from __future__ import annotations

import asyncio

import redis
import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from dropaudit_store.errors import NotReplicated, StoreError, redis_errors
from dropaudit_store.redis.replicated import ReplicatedRedis
from dropaudit_store.shared.heartbeat_file import HeartbeatFile

SERVICE = "dropaudit.v1.AuditService"
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

_log = structlog.get_logger(__name__)


class HealthWatch:
    """Keeps the standard health service up to date, and touches a file for as long as Redis answers the server."""

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
        answers, why = await asyncio.to_thread(self._condition)
        serving = not why
        if answers:
            # Another server would have no more replicas.
            self._heartbeat.beat()
        if serving is self._serving:
            return
        self._serving = serving
        for service in ("", SERVICE):
            await self._servicer.set(service, _SERVING if serving else _NOT_SERVING)
        _log.info(f"not serving: {why}" if why else "serving")

    def _condition(self) -> tuple[bool, str]:
        """Return whether Redis answers, and why the server cannot serve, if it cannot."""
        try:
            with redis_errors():
                self._redis.ping()
        except (StoreError, redis.RedisError):
            return False, "Redis does not answer"
        return True, self._why_no_write_is_sure()

    def _why_no_write_is_sure(self) -> str:
        if not isinstance(self._redis, ReplicatedRedis):
            return ""
        try:
            self._redis.confirm()
        except NotReplicated as error:
            return f"too few replicas of Redis follow: {error}"
        except redis.RedisError:
            return "Redis takes no writes"
        return ""
