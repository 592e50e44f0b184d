"""A real browser: Debian's Chromium, driven by its own driver."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


@contextmanager
def browser() -> Iterator[Chrome]:
    """Start a browser with a profile of its own, and end it."""
    driver = shutil.which("chromedriver")
    if driver is None:
        raise FileNotFoundError("there is no chromedriver: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        chrome = Chrome(options, Service(driver))
        try:
            yield chrome
        finally:
            chrome.quit()


def show(chrome: Chrome, page: Path | str, width: int, *, is_dark: bool = False, height: int = 900) -> None:
    """Open a page, a file or an address, as wide as a screen, in one of the two themes."""
    look_as(chrome, width, is_dark=is_dark, height=height)
    chrome.get(page.resolve().as_uri() if isinstance(page, Path) else page)


def look_as(chrome: Chrome, width: int, *, is_dark: bool = False, height: int = 900) -> None:
    """Make the screen so wide, in one of the two themes."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    _tell(chrome, "Emulation.setDeviceMetricsOverride", screen)
    theme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    _tell(chrome, "Emulation.setEmulatedMedia", {"features": [theme]})


def picture(chrome: Chrome, most: int = 20_000) -> bytes:
    """Return a PNG of the whole page, down to `most` pixels."""
    size = _tell(chrome, "Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
    told = _tell(chrome, "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(told["data"])


def complaints(chrome: Chrome) -> list[str]:
    """Return what the browser has written into its log since the last time, such as a program that may not run."""
    found: list[dict[str, str]] = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return [each["message"] for each in found if "favicon" not in each["message"]]


def _tell(chrome: Chrome, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = chrome.execute_cdp_cmd(command, arguments)
    return found
