"""Fixtures of the examples: models, and the whole service on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropaudit_client.local.service import LocalService, running
from dropaudit_models import export


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Redis, server, worker and beat."""
    with running(os.environ, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    """A model whose dropout is right."""
    return export("lstm-dropout", tmp_path)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The same model, with kept values unscaled."""
    return export("lstm-dropout-unscaled", tmp_path)
