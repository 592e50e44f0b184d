"""Puts the server together."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from dropaudit.errors import InvalidArgument
from dropaudit_proto.v1 import audit_pb2_grpc as rpc
from dropaudit_server.following import Follower
from dropaudit_server.handlers import Handlers
from dropaudit_server.health import SERVICE, HealthWatch
from dropaudit_server.interceptor import ErrorInterceptor
from dropaudit_server.servicer import AuditServicer
from dropaudit_server.settings import ServerSettings
from dropaudit_server.uploads import Uploads
from dropaudit_server.wakeups import WakeUps
from dropaudit_store.audits import AuditStore
from dropaudit_store.blobs import BlobStore
from dropaudit_store.connection import connect, connect_async
from dropaudit_store.events import EventReader
from dropaudit_store.models import ModelStore
from dropaudit_store.suites import SuiteStore

_HEALTH = "grpc.health.v1.Health"

_log = structlog.get_logger(__name__)


async def serve(settings: ServerSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then let calls under way end.

    Raises:
        InvalidArgument: the address cannot be listened on.
    """
    client, waiting = connect(settings.redis_url), connect_async(settings.redis_url)
    server = grpc.aio.server(
        interceptors=[ErrorInterceptor()],
        options=[("grpc.max_receive_message_length", settings.max_message_bytes), ("grpc.so_reuseport", 0)],
    )
    blobs = BlobStore(settings.blob_url)
    audits, models = AuditStore(client), ModelStore(client)
    suites = SuiteStore(client, audits, models)
    handlers = Handlers(audits, models, suites, blobs, WakeUps(settings.redis_url))
    servicer = AuditServicer(
        handlers, Uploads(blobs, settings.max_model_bytes), Follower(handlers, EventReader(waiting))
    )
    rpc.add_AuditServiceServicer_to_server(servicer, server)
    healthy = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection((SERVICE, _HEALTH, reflection.SERVICE_NAME), server)
    health_watch = HealthWatch(healthy, client, settings.health_seconds)
    # Before the first call: the health service says SERVING until somebody tells it otherwise.
    await health_watch.look()
    _listen(server, settings.listen)
    await server.start()
    _log.info("listening", address=settings.listen)
    watch = asyncio.create_task(health_watch.run())
    await stop.wait()
    _log.info("shutting down")
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await server.stop(settings.shutdown_seconds)
    await waiting.aclose()
    client.close()


def _listen(server: grpc.aio.Server, address: str) -> None:
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if bound == 0:
        raise InvalidArgument(f"cannot listen on {address}; choose another DROPAUDIT_LISTEN", field="listen")
