"""Claims about docs/exporting.md: its snippets run, those that need a framework where that is."""

from __future__ import annotations

from pathlib import Path

from support.guide import follow, snippets

PLACES = {"native", "torch", "tensorflow"}


def test_every_snippet_says_where_it_runs() -> None:
    assert {snippet.place for snippet in snippets()} == PLACES
    assert {snippet.language for snippet in snippets()} == {"python", "sh"}


def test_the_snippets_that_need_no_framework_run(tmp_path: Path) -> None:
    assert follow("native", tmp_path) >= 5
