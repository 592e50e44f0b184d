"""Claims about the Makefile's own words."""

from __future__ import annotations

import re

from support.documents import ROOT


def test_every_test_that_a_target_names_is_there() -> None:
    named = set(re.findall(r"\btests/[\w/]+(?:\.py)?", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert len(named) > 10
    assert {path for path in named if not (ROOT / path).exists()} == set()
