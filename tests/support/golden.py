"""Golden files, as a plugin of pytest: texts are compared with files, and `--golden-renew` writes the files."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `make golden` gives."""
    parser.addoption("--golden-renew", action="store_true", help="write golden files again, instead of comparing")


class Golden:
    """Compares texts with files, or writes the files."""

    def __init__(self, renew: bool) -> None:
        self._renew = renew

    def check(self, path: Path, text: str) -> None:
        """Fail unless the file holds the text; pytest shows the difference. When renewing, write it."""
        if self._renew:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"there is no {path.name}; `make golden` writes it"
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; `make golden` renews it if that is meant"
        )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Golden files, compared or renewed."""
    return Golden(bool(request.config.getoption("--golden-renew")))
