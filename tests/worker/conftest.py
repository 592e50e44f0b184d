"""Fixtures of the worker's tests."""

from __future__ import annotations

import pytest
import redis
from celery import Celery

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.models import ModelStore
from dropaudit_store.suites import SuiteStore
from dropaudit_worker.app import make_app
from dropaudit_worker.settings import WorkerSettings
from support.clock import Clock


@pytest.fixture
def suites(redis_client: redis.Redis, store: AuditStore, clock: Clock) -> SuiteStore:
    return SuiteStore(redis_client, store, ModelStore(redis_client), clock)


@pytest.fixture
def app(redis_url: str) -> Celery:
    """The application of a worker, in this process."""
    return make_app(WorkerSettings(redis_url=redis_url))
