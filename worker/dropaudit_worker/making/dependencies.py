"""Dependencies of the tasks."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

import redis
from celery.signals import worker_process_shutdown

from dropaudit_store.audits.lifecycle import AuditStore, Limits
from dropaudit_store.audits.routing import Routes
from dropaudit_store.audits.workers import WorkerNote, Workers
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.content.inspections import Inspections
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.redis.connection import connect
from dropaudit_store.shared.spans import Tracer
from dropaudit_worker.making.audit_spans import Make, TracedMaker
from dropaudit_worker.making.course_recorder import CourseRecorder
from dropaudit_worker.making.inspection import ModelInspector
from dropaudit_worker.making.maker import Announce, AuditMaker
from dropaudit_worker.making.redis_retry import RedisRetry
from dropaudit_worker.pool.children import ChildLimits
from dropaudit_worker.pool.gpu_memory import gpu_memory
from dropaudit_worker.pool.process_life import ProcessLife
from dropaudit_worker.sandbox.content import Material, fetch, stored
from dropaudit_worker.sandbox.jobs import SandboxedAudits, SandboxedInspections
from dropaudit_worker.sandbox.keeper import SandboxKeeper
from dropaudit_worker.settings import WorkerSettings
from dropaudit_worker.tool import tool

# How long a child waits for a Redis that does not answer before it drops what it has made.
PATIENCE_SECONDS = 60.0
# A model is looked at in a moment; one that takes so long is made to.
_LONGEST_LOOK_SECONDS = 60.0
# A worker that has said nothing for so long, and has missed so many turns to, is gone.
_SILENT_SECONDS = 60.0
_SILENT_LOOKS = 3


class Dependencies:
    """Dependencies of the tasks. Connections are made when first used, so that no two processes share one.

    Args:
        announce: tells a worker of an audit.
        life: the worker that they are of.
    """

    def __init__(self, settings: WorkerSettings, announce: Announce, life: ProcessLife) -> None:
        self._settings = settings
        self._announce = announce
        self._life = life
        self._recorder = CourseRecorder()

    def warm_up(self) -> None:
        """Make in a child what its first audit would wait for: its sandbox, a connection, and what makes audits."""
        self.sandboxes.warm()
        with suppress(redis.RedisError):
            self.client.ping()
        self.make  # noqa: B018  # made when it is first read

    @cached_property
    def client(self) -> redis.Redis:
        """Connection to Redis."""
        return connect(self._settings.redis_url, self._settings.redis_replicas)

    @cached_property
    def audits(self) -> AuditStore:
        """The store of audits. Suites may queue any number: a refused audit would not be asked for again.

        Only where the disk under Redis is almost full are they refused, for the sake of what was accepted.
        """
        settings = self._settings
        limits = Limits(retention_seconds=settings.retention_seconds, room=settings.room)
        return AuditStore(self.client, limits=limits, tool=tool())

    @cached_property
    def routes(self) -> Routes:
        """Queues of audits."""
        return Routes(self.client)

    def note_worker(self, worker: str, limits: ChildLimits) -> None:
        """Note that this worker runs, what it can do, and how the memory of its GPUs stands."""
        if limits.gpus:
            self.routes.note_gpu()
        note = WorkerNote(slots=max(1, len(limits.cores)), gpus=gpu_memory() if limits.gpus else ())
        seconds = max(_SILENT_SECONDS, _SILENT_LOOKS * self._settings.reconcile_seconds)
        Workers(self.client).note(worker, note, seconds)

    def forget_worker(self, worker: str) -> None:
        """Note that this worker ends."""
        Workers(self.client).forget(worker)

    @cached_property
    def blobs(self) -> BlobStore:
        """Models and tensors."""
        return BlobStore(self._settings.blob_url)

    @cached_property
    def sandboxes(self) -> SandboxKeeper:
        """Where models are run and looked at."""
        return SandboxKeeper(self._life.sandbox_limits, self._settings.audits_per_sandbox, self._life.is_first)

    @cached_property
    def maker(self) -> AuditMaker[Material]:
        """Makes audits."""
        referenced = ReferencedModels(self._settings.allowed_uris, self._settings.max_model_bytes)
        return AuditMaker(
            self.audits,
            lambda ref: fetch(ref, self.blobs, referenced),
            SandboxedAudits(self.sandboxes, self._settings.time_limit_seconds, self._recorder.looked_up),
            self._settings.lease_seconds,
            max_attempts=self._settings.max_attempts,
            announce=self._announce,
            leaving=self._life.is_leaving,
            patience=RedisRetry(PATIENCE_SECONDS),
            recorder=self._recorder,
        )

    @cached_property
    def make(self) -> Make:
        """Makes audits, in spans where traces are configured."""
        if not self._settings.otlp_endpoint:
            return self.maker.make
        tracer = Tracer("dropaudit-worker", self._settings.otlp_endpoint)
        traced = TracedMaker(self.maker.make, self.audits, tracer, self._recorder)
        worker_process_shutdown.connect(lambda **_: traced.flush(), weak=False)
        return traced.make

    @cached_property
    def inspector(self) -> ModelInspector:
        """Looks at models."""
        seconds = min(_LONGEST_LOOK_SECONDS, self._settings.time_limit_seconds)
        inspect = SandboxedInspections(self.sandboxes, seconds)
        return ModelInspector(Inspections(self.client), lambda sha256: inspect(stored(self.blobs, sha256)))

    @cached_property
    def garbage(self) -> Garbage:
        """Content that nothing refers to."""
        return Garbage(self.client)
