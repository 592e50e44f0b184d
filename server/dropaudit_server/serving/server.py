"""Puts the server together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path

import grpc
import redis
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from dropaudit.errors import InvalidArgument
from dropaudit_proto.v1 import audit_pb2_grpc as rpc
from dropaudit_server.handlers.audit_events import Follower
from dropaudit_server.handlers.audit_handlers import AuditHandlers
from dropaudit_server.handlers.content_threads import ContentThreads
from dropaudit_server.handlers.inspection_handler import Inspector
from dropaudit_server.handlers.model_handlers import ModelHandlers
from dropaudit_server.handlers.suite_handlers import SuiteHandlers
from dropaudit_server.handlers.tensor_store import RequestThreads, TensorStore
from dropaudit_server.handlers.uploads import Uploads
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.interceptors.access import Access
from dropaudit_server.interceptors.call import Observer
from dropaudit_server.interceptors.call_log import CallLog
from dropaudit_server.interceptors.call_spans import Traces
from dropaudit_server.interceptors.caller_limits import CallerLimits
from dropaudit_server.interceptors.interceptor import TRACE, Interceptor
from dropaudit_server.interceptors.revocation import OpenStreams
from dropaudit_server.interceptors.tokens import TokenFile
from dropaudit_server.members.previewing import Previewer
from dropaudit_server.naming.handlers import NameHandlers
from dropaudit_server.naming.history import HistoryHandlers
from dropaudit_server.notifications.calls import DeliveryHandlers
from dropaudit_server.reports.collecting import RunReports
from dropaudit_server.reports.documents import ReportDocuments
from dropaudit_server.reports.trends import Trends
from dropaudit_server.runs.following import RunFollower
from dropaudit_server.runs.handlers import RunHandlers
from dropaudit_server.servicer import AuditServicer, Handlers
from dropaudit_server.serving.health import SERVICE, HealthWatch
from dropaudit_server.serving.listening import listen
from dropaudit_server.serving.metrics import Metrics
from dropaudit_server.serving.scraping import served_metrics
from dropaudit_server.serving.stored_metrics import StoredMetrics
from dropaudit_server.serving.stored_sources import stored_sources
from dropaudit_server.settings import ServerSettings
from dropaudit_server.stopping import ServerStopping, Stopping
from dropaudit_store.audits.lifecycle import AuditStore, Limits
from dropaudit_store.audits.listing import AuditList
from dropaudit_store.audits.routing import Routes
from dropaudit_store.audits.watching import EventHub
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.content.inspections import Inspections
from dropaudit_store.members.previewing import Previews
from dropaudit_store.members.resolving import Resolver
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.notifications.deliveries import DeliveryStore
from dropaudit_store.redis.connection import connect, connect_async, refuse_cluster
from dropaudit_store.redis.durability import warn_of_gaps
from dropaudit_store.runs.comparing import RunComparer
from dropaudit_store.runs.making import RunMaker
from dropaudit_store.runs.outcomes import OutcomeReader
from dropaudit_store.runs.pinning import Pins
from dropaudit_store.runs.store import RunStore
from dropaudit_store.runs.watching import RunHub
from dropaudit_store.runs.work import Works
from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from dropaudit_store.suites import SuiteStore

_HEALTH = "grpc.health.v1.Health"
_MOST_PENDING = 20_000

# Each takes a core for a while.
_DOCUMENTS_AT_A_TIME = 2
_log = structlog.get_logger(__name__)


async def serve(settings: ServerSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then let calls under way end.

    Raises:
        InvalidArgument: the address cannot be listened on, or credentials cannot be used.
        ClusterRefused: Redis runs as a cluster.
    """
    client, waiting = connect(settings.redis_url, settings.redis_replicas), connect_async(settings.redis_url)
    await asyncio.to_thread(refuse_cluster, client)
    await asyncio.to_thread(warn_of_gaps, client)
    hub, stopping = EventHub(waiting), Stopping()
    run_hub = RunHub(waiting, stopping.sleep)
    stored = StoredMetrics(stored_sources(client, settings.max_queued))
    metrics = Metrics(lambda: hub.watchers, stored)
    with (
        contextlib.closing(WakeUps(settings.redis_url, Routes(client).queue_for)) as wake_ups,
        observers(settings, metrics) as watching,
        served_metrics(metrics.registry, settings.metrics_listen, settings.metrics_token_file),
    ):
        tokens = TokenFile(Path(settings.tokens_file)) if settings.tokens_file else None
        access = Access(tokens)
        streams, gate = OpenStreams(access), CallerLimits(settings.call_limits)
        server = grpc.aio.server(
            interceptors=[Interceptor(access, gate, streams, watching)], options=_options(settings)
        )
        parts = make_parts(settings, client, hub, run_hub, stopping, wake_ups)
        rpc.add_AuditServiceServicer_to_server(AuditServicer(parts), server)
        healthy = _add_health(server, settings)
        async with (
            _health_kept(HealthWatch(healthy, client, settings.health_seconds, HeartbeatFile(settings.heartbeat_file))),
            _running(streams.run()),
            _dashboard(parts, access, gate, settings),
        ):
            listen(server, settings)
            await server.start()
            _log.info("listening", address=settings.listen)
            await stop.wait()
        _log.info("shutting down")
        await healthy.enter_graceful_shutdown()
        # Calls that only wait are told to call again; calls that work are finished.
        stopping.begin()
        await hub.close(ServerStopping())
        await server.stop(settings.shutdown_seconds)
        parts.content_threads.close()
        parts.documents.close()
        parts.threads.close()
    await waiting.aclose()
    client.close()


@contextlib.contextmanager
def observers(settings: ServerSettings, metrics: Metrics) -> Iterator[list[Observer]]:
    """Yield who looks at calls; afterwards send what is left of traces."""
    if not settings.otlp_endpoint:
        yield [CallLog(), metrics]
        return
    with contextlib.closing(Traces(settings.otlp_endpoint)) as traces:
        # The log tells the trace, which may begin here.
        yield [traces, CallLog(), metrics]


@contextlib.asynccontextmanager
async def _dashboard(
    parts: Handlers, access: Access, gate: CallerLimits, settings: ServerSettings
) -> AsyncIterator[None]:
    """Serve pages as well, where that is asked for."""
    if not settings.web_listen:
        yield
        return
    try:
        # Imported here: the extra `web` is not everywhere.
        from dropaudit_server.web.serving import served_pages
    except ModuleNotFoundError as error:
        raise InvalidArgument(f"DROPAUDIT_WEB_LISTEN needs dropaudit[web]: {error}", field="web_listen") from error
    async with served_pages(parts, access, gate, settings):
        yield


@contextlib.asynccontextmanager
async def _health_kept(watch: HealthWatch) -> AsyncIterator[None]:
    # Before the first call: the health service says SERVING until somebody tells it otherwise.
    await watch.look()
    async with _running(watch.run()):
        yield


@contextlib.asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let something go on while inside."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.so_reuseport", 0),
        # Thousands may begin to watch at once: gRPC ends at random those that have waited in vain for the event loop,
        # from the thousandth on, as if they had been cancelled.
        ("grpc.server.max_pending_requests", _MOST_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_PENDING),
        # Connections that died quietly are found; clients may look as often.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def _add_health(server: grpc.aio.Server, settings: ServerSettings) -> health.HealthServicer:
    """Add health and reflection as far as they are wanted; return the health service, served or not."""
    healthy = health.HealthServicer()
    names = [SERVICE]
    if settings.health:
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        names.append(_HEALTH)
    if settings.reflection:
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
    return healthy


def make_parts(
    settings: ServerSettings,
    client: redis.Redis,
    hub: EventHub,
    run_hub: RunHub,
    stopping: Stopping,
    wake_ups: WakeUps,
) -> Handlers:
    """Put together what the service calls."""
    room = settings.room
    blobs = BlobStore(settings.blob_url, Garbage(client, room=room).hold, room)
    tensors = TensorStore(blobs, settings.max_tensor_bytes)
    audits = AuditStore(client, limits=Limits(settings.max_queued, settings.retention_seconds, room))
    models = ModelStore(client)
    suites, runs = SuiteStore(client, room=room), RunStore(client, run_seconds=settings.retention_seconds)
    names = ModelNames(client, models)
    resolver, works = Resolver(models, names), Works(client, keep_seconds=settings.retention_seconds)
    maker = RunMaker(runs, audits, works, resolver, suites.get, wake_ups.audits)
    comparer = RunComparer(client)
    run_handlers = RunHandlers(suites, runs, maker, comparer, audits, wake_ups)
    trends = Trends(runs.read, comparer, audits.read)
    run_reports = RunReports(suites.get, comparer, OutcomeReader(client), trends)
    deliveries = DeliveryStore(client)
    pins = Pins(client, keep_seconds=settings.retention_seconds)
    model_handlers, threads = ModelHandlers(models, names, blobs), ContentThreads()
    audit_handlers = AuditHandlers(audits, AuditList(client, audits), models, tensors, wake_ups, TRACE.get)
    inspections = Inspections(client, most=settings.max_inspections, room=room)
    return Handlers(
        models=model_handlers,
        names=NameHandlers(names),
        history=HistoryHandlers(AuditList(client, audits)),
        uploads=Uploads(
            blobs, model_handlers.known_size, settings.max_model_bytes, threads, settings.upload_idle_seconds
        ),
        content_threads=threads,
        inspector=Inspector(models, inspections, wake_ups, stopping, settings.inspect_seconds),
        audits=audit_handlers,
        follower=Follower(audit_handlers, hub),
        suites=SuiteHandlers(suites, runs, maker, pins, deliveries, models, tensors),
        deliveries=DeliveryHandlers(suites, deliveries, wake_ups),
        previewer=Previewer(resolver, Previews(client), wake_ups, stopping, settings.inspect_seconds),
        runs=run_handlers,
        run_follower=RunFollower(run_handlers, run_hub, wake_ups),
        run_reports=run_reports,
        documents=ReportDocuments(audit_handlers, run_handlers, run_reports, ContentThreads(_DOCUMENTS_AT_A_TIME)),
        rules=settings.rules,
        threads=RequestThreads(),
    )
