"""The whole service on this machine, for all tests of the system."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from dropaudit_client import AuditClient
from dropaudit_client.local.service import LocalService, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Redis, server, worker and beat."""
    with running(os.environ, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def client(service: LocalService) -> Iterator[AuditClient]:
    with AuditClient(service.address) as client:
        yield client
