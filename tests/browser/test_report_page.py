"""Claims about the report as a browser shows it, on a desk and on a phone, by day and by night."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from dropaudit_formats.html import error_page, to_html
from support.browser import complaints, look_as, show
from support.looks import barriers, cut_texts, overflowing, overlapping_texts
from support.pictured import NAMES, pictured_report
from support.reports import finding, report_with

HOSTILE = "</style></script><script>window.owned=1</script><img src=x onerror=window.owned=1>\x1b\u202e\ud800"
LONG = "encoder/" * 1_250
PAGES = (*NAMES, "hostile", "long names", "not made")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name, as files."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {name: to_html(*pictured_report(name)) for name in NAMES}
    for name, word in (("hostile", HOSTILE), ("long names", LONG)):
        texts[name] = to_html(report_with(finding("DA301", word), site=word, output=word, title=word), word)
    texts["not made"] = error_page("UNREADABLE_FILE", "cannot read missing.onnx: No such file or directory")
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_or_laid_over_each_other_on_any_screen(
    chrome: Chrome, pages: dict[str, Path], name: str
) -> None:
    show(chrome, pages[name], 1280)
    for width in (1280, 768, 390):
        look_as(chrome, width)
        assert overflowing(chrome) == []
        assert cut_texts(chrome) == []
        assert overlapping_texts(chrome) == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_nothing_bars_anybody_from_reading(chrome: Chrome, pages: dict[str, Path], name: str, is_dark: bool) -> None:
    show(chrome, pages[name], 390, is_dark=is_dark)
    chrome.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert barriers(chrome) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_runs_nothing(chrome: Chrome, pages: dict[str, Path], name: str) -> None:
    show(chrome, pages[name], 1280)
    assert chrome.execute_script("return performance.getEntriesByType('resource').map(each => each.name)") == []
    assert chrome.execute_script("return window.owned === undefined")
    assert complaints(chrome) == []


def test_the_report_in_the_page_is_read_by_a_program(chrome: Chrome, pages: dict[str, Path]) -> None:
    show(chrome, pages["hostile"], 1280)
    # The lone surrogate stays within the browser: no driver can return it.
    read = "return JSON.parse(document.getElementById('report').textContent).sites[0].name.replace('\\ud800', '')"
    assert chrome.execute_script(read) == HOSTILE.replace("\ud800", "")
