"""Claims about the report of a run as a browser shows it: on any screen, and sorted and filtered by its own program."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from dropaudit_formats.writing import Form, run_text
from golden.written_runs import RUNS
from support.browser import complaints, look_as, show
from support.looks import barriers, cut_texts, overflowing, overlapping_texts


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name, as files."""
    folder = tmp_path_factory.mktemp("runs")
    for name, run in RUNS.items():
        (folder / f"{name}.html").write_text(run_text(run, Form.HTML), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in RUNS}


def shown(chrome: Chrome) -> list[str]:
    """Return the names of the members that are seen, in their order."""
    rows = chrome.find_elements(By.CSS_SELECTOR, "#members tbody tr")
    return [row.find_element(By.TAG_NAME, "code").text for row in rows if row.is_displayed()]


@pytest.mark.parametrize("name", RUNS)
def test_nothing_of_a_run_is_cut_off_laid_over_each_other_or_asked_for(
    chrome: Chrome, pages: dict[str, Path], name: str
) -> None:
    show(chrome, pages[name], 1280)
    for width in (1280, 768, 390):
        look_as(chrome, width)
        assert overflowing(chrome) == []
        assert cut_texts(chrome) == []
        assert overlapping_texts(chrome) == []
    assert chrome.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert complaints(chrome) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_nothing_bars_anybody_from_reading_a_run(
    chrome: Chrome, pages: dict[str, Path], width: int, is_dark: bool
) -> None:
    for name in ("changed", "hostile"):
        show(chrome, pages[name], width, is_dark=is_dark)
        chrome.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert barriers(chrome) == []


def test_members_are_filtered_by_name_verdict_and_change(chrome: Chrome, pages: dict[str, Path]) -> None:
    show(chrome, pages["changed"], 1280)
    assert len(shown(chrome)) == 7
    chrome.find_element(By.NAME, "text").send_keys("NEW")
    assert shown(chrome) == ["new.onnx"]
    assert chrome.find_element(By.TAG_NAME, "output").text == "1 of 7 shown"
    chrome.find_element(By.NAME, "text").clear()
    Select(chrome.find_element(By.NAME, "word")).select_by_visible_text("PASS")
    assert shown(chrome) == ["fixed.onnx", "accepted.onnx", "good.onnx"]
    chrome.find_element(By.NAME, "changed").click()
    assert shown(chrome) == ["fixed.onnx", "accepted.onnx"]


def test_members_are_sorted_by_a_column_in_both_directions(chrome: Chrome, pages: dict[str, Path]) -> None:
    show(chrome, pages["changed"], 1280)
    head = chrome.find_element(By.CSS_SELECTOR, "#members thead th")
    head.find_element(By.TAG_NAME, "button").click()
    assert shown(chrome) == sorted(shown(chrome))
    assert head.get_attribute("aria-sort") == "ascending"
    head.find_element(By.TAG_NAME, "button").click()
    assert shown(chrome) == sorted(shown(chrome), reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


def test_members_are_sorted_on_a_phone_too(chrome: Chrome, pages: dict[str, Path]) -> None:
    show(chrome, pages["changed"], 390)
    Select(chrome.find_element(By.NAME, "order")).select_by_visible_text("name")
    assert shown(chrome) == sorted(shown(chrome))
    Select(chrome.find_element(By.NAME, "order")).select_by_visible_text("changed first")
    assert shown(chrome)[-1] == "good.onnx"


def test_a_code_in_the_table_leads_to_its_finding(chrome: Chrome, pages: dict[str, Path]) -> None:
    show(chrome, pages["changed"], 1280)
    link = chrome.find_element(By.LINK_TEXT, "DA402")
    assert chrome.find_element(By.ID, str(link.get_attribute("href")).rpartition("#")[2]).text.startswith("WARNING")
