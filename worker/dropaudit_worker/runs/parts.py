"""The parts that the tasks about runs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import redis
from celery import Celery

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.members.previewing import Previews, preview_of
from dropaudit_store.members.resolving import Resolver
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.notifications.deliveries import DeliveryStore
from dropaudit_store.records import AuditRecord, run_name
from dropaudit_store.runs.concluding import Concluder
from dropaudit_store.runs.making import RunMaker
from dropaudit_store.runs.store import RunStore
from dropaudit_store.runs.work import Works
from dropaudit_store.shared.task_names import DELIVER_TASK, END_RUN_TASK, MAKE_RUN_TASK
from dropaudit_store.suites import SuiteStore
from dropaudit_worker.making.dependencies import Dependencies
from dropaudit_worker.notifications import Post
from dropaudit_worker.outside.looking import OutsideModels
from dropaudit_worker.outside.registry import Registry
from dropaudit_worker.queue.messages import Messages
from dropaudit_worker.runs.delivering import Deliverer
from dropaudit_worker.runs.keeping import RunKeeper
from dropaudit_worker.runs.ticking import Ticker
from dropaudit_worker.settings import WorkerSettings


class Send:
    """Messages about runs."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def make(self, name: str) -> None:
        """Tell a worker of a run that is to be made."""
        self._app.send_task(MAKE_RUN_TASK, args=[name], ignore_result=True)

    def end(self, name: str) -> None:
        """Tell a worker of a run that has ended."""
        self._app.send_task(END_RUN_TASK, args=[name], ignore_result=True)

    def deliver(self) -> None:
        """Tell a worker that something is to be sent."""
        self._app.send_task(DELIVER_TASK, ignore_result=True)


class RunParts:
    """Dependencies of the tasks. Connections are made when first used, so that no two processes share one."""

    def __init__(self, settings: WorkerSettings, app: Celery, messages: Messages, parts: Dependencies) -> None:
        self._settings = settings
        self._messages = messages
        self._parts = parts
        self.send = Send(app)

    @property
    def _client(self) -> redis.Redis:
        return self._parts.client

    @cached_property
    def suites(self) -> SuiteStore:
        """Suites."""
        return SuiteStore(self._client)

    @cached_property
    def runs(self) -> RunStore:
        """Runs."""
        return RunStore(self._client, run_seconds=self._settings.retention_seconds)

    @cached_property
    def works(self) -> Works:
        """Work that was done."""
        return Works(self._client, keep_seconds=self._settings.retention_seconds)

    @cached_property
    def deliveries(self) -> DeliveryStore:
        """Notifications."""
        return DeliveryStore(self._client)

    @cached_property
    def resolver(self) -> Resolver:
        """From suites to subjects, outside the store too."""
        models, settings = ModelStore(self._client), self._settings
        referenced = ReferencedModels(settings.allowed_uris, settings.max_model_bytes)
        blobs = BlobStore(settings.blob_url, Garbage(self._client, room=settings.room).hold, settings.room)
        registry = Registry(settings.mlflow_uri, self._client, models, blobs, settings.max_model_bytes)
        outside = OutsideModels(self._client, settings.allowed_uris, referenced, registry)
        return Resolver(models, ModelNames(self._client, models), outside)

    @cached_property
    def maker(self) -> RunMaker:
        """Makes runs."""
        return RunMaker(self.runs, self._parts.audits, self.works, self.resolver, self.suites.get, self._wake)

    def _wake(self, records: Sequence[AuditRecord]) -> None:
        for record in records:
            self._messages.wake(record.id)

    @cached_property
    def concluder(self) -> Concluder:
        """Concludes runs."""
        return Concluder(self._client, self.runs, self.suites.get)

    @cached_property
    def ticker(self) -> Ticker:
        """Begins what is due."""
        return Ticker(self._client, self.suites, self.runs, self.send.make)

    @cached_property
    def deliverer(self) -> Deliverer:
        """Posts notifications."""
        post = Post(allow_private=self._settings.allow_private_webhooks)
        return Deliverer(self.deliveries, self.runs.read, self.suites.get, post, self._settings.link_prefix)

    @cached_property
    def keeper(self) -> RunKeeper:
        """Finds runs that got stuck."""
        return RunKeeper(self.runs, self.deliveries, self.send.make, self.send.end, self.send.deliver)

    def end(self, suite_id: str, run_id: str) -> None:
        """Conclude a run that has ended, and tell workers what follows from that."""
        if self.concluder.conclude(suite_id, run_id) and self.deliveries.is_due():
            self.send.deliver()
        waiting = self.runs.read.waiting(suite_id)
        if waiting:
            self.send.make(run_name(suite_id, waiting))

    def preview(self, asked: str) -> None:
        """Answer who wants to see what a suite would audit."""
        previews = Previews(self._client)
        suite = previews.asked(asked)
        if suite is not None:
            previews.put(asked, preview_of(self.resolver.resolve(suite)))
