"""A browser for the tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from support.browser import browser


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """A running browser, for the whole session."""
    if shutil.which("chromedriver") is None:
        pytest.skip("there is no chromedriver: apt-get install chromium chromium-driver")
    with browser() as started:
        yield started
