"""Take the pictures of reports and of the dashboard in docs/pictures, by a headless Chromium: `make screenshots`."""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome

from dropaudit_formats.html import to_html
from support.browser import browser, picture, show
from support.busy import busy_dashboard
from support.pictured import NAMES, pictured_report

PICTURES = Path(__file__).parent / "pictures"
WIDTHS = (1280, 390)
# Of a phone's long page the beginning: what follows is the same as on a desk.
MOST_PIXELS = {1280: 3200, 390: 3000}
COLOURS = 80


def main() -> None:
    """Write a picture of each report, wide and narrow, light and dark."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as chrome:
        for name in NAMES:
            page = Path(folder) / f"{name}.html"
            page.write_text(to_html(*pictured_report(name)), encoding="utf-8")
            _take(chrome, page, name)
        with busy_dashboard(Path(folder)) as pages:
            for name, address in pages.items():
                _take(chrome, address, name)


def _take(chrome: Chrome, page: Path | str, name: str) -> None:
    for width in WIDTHS:
        for is_dark in (False, True):
            show(chrome, page, width, is_dark=is_dark)
            # What a page asks its server for has come by then.
            time.sleep(0.0 if isinstance(page, Path) else 1.0)
            theme = "dark" if is_dark else "light"
            _keep(picture(chrome, MOST_PIXELS[width]), PICTURES / f"{name}-{width}-{theme}.png")


def _keep(content: bytes, path: Path) -> None:
    """Write a picture with few colours: drawings and letters need no more, and it takes a fifth of the room."""
    with Image.open(io.BytesIO(content)) as taken:
        # The rare colours of a badge or a curve are kept: they say most.
        few = taken.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
