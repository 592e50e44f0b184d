"""Fixtures of the PyTorch tests: every ready-made model, exported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit_models.torch.catalogue import TORCH_MODELS
from dropaudit_models.torch.export import ExportedPair
from dropaudit_models.torch.load import READY_MADE, capture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; this hook sees the tests of other folders too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.torch)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportedPair]:
    """Train and inference artifact of each ready-made model, by name."""
    folder = tmp_path_factory.mktemp("torch")
    return {model.name: capture(f"{READY_MADE}:{model.factory}", folder, model.name) for model in TORCH_MODELS}
