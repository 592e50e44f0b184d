"""Claims about docs/deployment.md: its numbers follow from the records of benchmarks, and what it names is there."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import PREFIX
from dropaudit_worker.settings import WorkerSettings
from support.documents import ROOT

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
SIZING = PAGE.split("<!-- sizing -->")[1].split("<!-- /sizing -->")[0]
ROWS = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in SIZING.strip().splitlines()[2:]]
CASES = {"LSTM, hidden 128": "hidden 128", "LSTM, hidden 512": "hidden 512", "LSTM, 3 layers": "3 layers"}
GPU_CASES = {"LSTM, hidden 1024": "1024, output", "LSTM, 1024, 3 layers": "1024, 3 layers"}
WHOLE = "dropaudit, bytes to verdict"
BUSY, NIGHT = 0.7, 8 * 3600


def record(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))


def measured(model: str) -> float:
    if model in CASES:
        return float(record("speed")["seconds"][CASES[model]][WHOLE])
    turns = [each for each in record("speed-gpu")["turns"] if each["contender"] == WHOLE]
    return float(next(each["seconds"] for each in turns if each["case"] == GPU_CASES[model]))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_machines_follow_from_what_was_measured(row: list[str]) -> None:
    seconds = measured(row[0])
    expected = [
        f"{seconds:.4f}",
        f"{math.floor(3600 / seconds):,}",
        str(math.ceil(10_000 * seconds / 3600 / BUSY)),
        str(math.ceil(1_000_000 * seconds / NIGHT / BUSY)),
    ]
    assert row[2:] == expected


def test_every_case_is_sized() -> None:
    assert {row[0] for row in ROWS} == {*CASES, *GPU_CASES}


def test_the_books_of_failovers_are_quoted_as_they_are() -> None:
    ledger, served = record("failover")["ledger"], sorted(record("failover")["served"])
    assert ledger["lost"] == ledger["wrong"] == ledger["unknown"] == []
    middle = (served[(len(served) - 1) // 2] + served[len(served) // 2]) / 2
    assert f"{ledger['accepted']} audits answered, none lost" in PAGE
    assert f"after {middle:.1f} seconds" in PAGE.replace("\n", " ")


def test_settings_and_files_that_it_names_are_there() -> None:
    known = {f"{PREFIX}{name.upper()}" for each in (ServerSettings, WorkerSettings) for name in each.model_fields}
    assert set(re.findall(r"DROPAUDIT_[A-Z_]+[A-Z]", PAGE)) <= known
    named = set(re.findall(r"(?:deploy|tests|benchmarks)/[\w./-]+\w", PAGE))
    assert len(named) > 8
    assert not {path for path in named if not (ROOT / path).exists()}
