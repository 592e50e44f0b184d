"""What the tasks use."""

from __future__ import annotations

from functools import cached_property

import redis
from celery.signals import worker_process_shutdown

from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import Subject
from dropaudit_store.audits import AuditStore, Limits
from dropaudit_store.blobs import BlobStore
from dropaudit_store.connection import connect
from dropaudit_store.garbage import Garbage
from dropaudit_store.inspections import Inspections
from dropaudit_store.models import ModelStore
from dropaudit_store.referenced import ReferencedModels
from dropaudit_store.routing import Routes
from dropaudit_store.suites import SuiteStore
from dropaudit_store.tracing import Tracer
from dropaudit_worker.heartbeat import Leaving
from dropaudit_worker.inspecting import ModelInspector
from dropaudit_worker.limits import Limited
from dropaudit_worker.maker import Announce, AuditMaker
from dropaudit_worker.patience import Patience
from dropaudit_worker.settings import WorkerSettings
from dropaudit_worker.tracing import Make, TracedMaker

# How long a child waits for a Redis that does not answer before it drops what it has made.
PATIENCE_SECONDS = 60.0


class Parts:
    """What the tasks use. Connections are made when first used, so that no two processes share one.

    Args:
        announce: tells a worker of an audit.
        leaving: whether this worker has been asked to stop, or is gone.
    """

    def __init__(self, settings: WorkerSettings, announce: Announce, leaving: Leaving) -> None:
        self._settings = settings
        self._announce = announce
        self._leaving = leaving

    @cached_property
    def client(self) -> redis.Redis:
        """Connection to Redis."""
        return connect(self._settings.redis_url)

    @cached_property
    def audits(self) -> AuditStore:
        """Audits. As many may wait as suites ask for: what is refused here nobody would ask for again.

        Only where the disk under Redis is almost full are they refused, for the sake of what was accepted.
        """
        settings = self._settings
        limits = Limits(retention_seconds=settings.retention_seconds, room=settings.room)
        return AuditStore(self.client, limits=limits)

    @cached_property
    def routes(self) -> Routes:
        """Queues of audits."""
        return Routes(self.client)

    @cached_property
    def blobs(self) -> BlobStore:
        """Models and tensors."""
        return BlobStore(self._settings.blob_url)

    @cached_property
    def suites(self) -> SuiteStore:
        """Suites."""
        run_seconds = self._settings.retention_seconds
        return SuiteStore(self.client, self.audits, ModelStore(self.client), run_seconds=run_seconds)

    @cached_property
    def maker(self) -> AuditMaker:
        """Makes audits. The runtime is loaded here, in the child: after a fork its masks and CUDA would be shared."""
        from dropaudit import audit
        from dropaudit.runtime.interruption import Interrupter
        from dropaudit_worker.subjects import load_subject

        def make(subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Report:
            return audit(subject, plan, progress=progress, cancelled=cancelled)

        referenced = ReferencedModels(self._settings.allowed_uris, self._settings.max_model_bytes)
        return AuditMaker(
            self.audits,
            lambda ref: load_subject(ref, self.blobs, referenced),
            Limited(make, self._settings.time_limit_seconds, Interrupter()),
            self._settings.lease_seconds,
            announce=self._announce,
            leaving=self._leaving,
            patience=Patience(PATIENCE_SECONDS),
        )

    @cached_property
    def make(self) -> Make:
        """Makes audits, in spans where traces are configured."""
        if not self._settings.otlp_endpoint:
            return self.maker.make
        traced = TracedMaker(self.maker.make, self.audits, Tracer("dropaudit-worker", self._settings.otlp_endpoint))
        worker_process_shutdown.connect(lambda **_: traced.flush(), weak=False)
        return traced.make

    @cached_property
    def inspector(self) -> ModelInspector:
        """Looks at models; onnx is loaded here, in the child."""
        from dropaudit.graph.inspect import inspect_model

        return ModelInspector(Inspections(self.client), lambda sha256: inspect_model(self.blobs.read(sha256)))

    @cached_property
    def garbage(self) -> Garbage:
        """Content that nothing refers to."""
        return Garbage(self.client)
