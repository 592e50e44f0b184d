"""Checks of a page in a browser: what it leaves out, lays over each other, or bars from those who cannot see it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from selenium.webdriver import Chrome

_OVERFLOWING = """
const wide = document.documentElement.clientWidth;
// Words without a place to break reach out of their element, which does not grow.
const whole = document.documentElement.scrollWidth;
const tooWide = whole > wide + 1 ? [`the page is ${whole} pixels wide`] : [];
return [...tooWide, ...[...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('thead, pre, script, style') || !e.checkVisibility()) return false;
  const box = e.getBoundingClientRect();
  return box.width > 0 && (box.right > wide + 1 || box.left < -1);
}).map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 60))];
"""
_DRAWN_TEXTS = """
return [...document.querySelectorAll('svg')].filter(s => s.checkVisibility()).map(s => {
  const view = s.viewBox.baseVal;
  return {label: s.getAttribute('aria-label'), width: view.width, height: view.height,
    texts: [...s.querySelectorAll('text')].map(t => {
      const b = t.getBBox();
      return {words: t.textContent, x: b.x, y: b.y, width: b.width, height: b.height};
    })};
});
"""
_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})
  .then(found => done(found.violations.map(v => v.impact + ' ' + v.id + ': ' + v.nodes.slice(0, 3)
    .map(n => n.html.slice(0, 160) + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message).join(' | '))),
    error => done(['axe failed: ' + error]));
"""
Box = dict[str, Any]


def overflowing(chrome: Chrome) -> list[str]:
    """Return elements that reach beyond the sides of the screen."""
    found: list[str] = chrome.execute_script(_OVERFLOWING)
    return found


def cut_texts(chrome: Chrome) -> list[str]:
    """Return texts of drawings that reach beyond them."""
    return [
        f"{drawing['label']}: {text['words']}"
        for drawing in _drawings(chrome)
        for text in drawing["texts"]
        if text["x"] < -1
        or text["y"] < -1
        or text["x"] + text["width"] > drawing["width"] + 1
        or text["y"] + text["height"] > drawing["height"] + 2
    ]


def overlapping_texts(chrome: Chrome) -> list[str]:
    """Return pairs of texts of one drawing that lie over each other."""
    return [
        f"{drawing['label']}: {first['words']} and {second['words']}"
        for drawing in _drawings(chrome)
        for number, first in enumerate(drawing["texts"])
        for second in drawing["texts"][number + 1 :]
        if _meet(first, second)
    ]


def barriers(chrome: Chrome) -> list[str]:
    """Return what axe-core finds wrong with a page, of any impact."""
    chrome.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = chrome.execute_async_script(_AXE)
    return found


def _drawings(chrome: Chrome) -> list[Box]:
    found: list[Box] = chrome.execute_script(_DRAWN_TEXTS)
    return found


def _meet(first: Box, second: Box) -> bool:
    """Whether two boxes share more than the room that a line of text leaves above and below its letters."""
    across = min(first["x"] + first["width"], second["x"] + second["width"]) - max(first["x"], second["x"])
    down = min(first["y"] + first["height"], second["y"] + second["height"]) - max(first["y"], second["y"])
    return bool(across > 1 and down > 3.5)
