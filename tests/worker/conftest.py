"""Fixtures of the worker's tests."""

from __future__ import annotations

import pytest
from celery import Celery

from dropaudit_worker.app import make_app
from dropaudit_worker.settings import WorkerSettings


@pytest.fixture
def app(redis_url: str) -> Celery:
    """The application of a worker, in this process."""
    return make_app(WorkerSettings(redis_url=redis_url))
