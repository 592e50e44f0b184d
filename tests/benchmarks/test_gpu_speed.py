"""Claims about the benchmarks of a GPU, on a machine that has none: what is written is what was measured."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

import gpu_speed
from contender import STATISTICS
from dropaudit.runtime.device_costs import CPU, CUDA
from gpu_check import compared
from gpu_check import regrets as regrets_of_checked
from gpu_speed import BASE, document
from place_costs import fitted, regrets

FOLDER = Path(gpu_speed.__file__).parent
TABLE = json.loads((FOLDER / "place-costs.json").read_text(encoding="utf-8"))


def turn(contender: str, seconds: float | None, replicates: int = 1000) -> dict[str, object]:
    return {
        "case": "1024, output",
        "contender": contender,
        "replicates": replicates,
        "seconds": seconds,
        "rounds": 1,
        "wall": 1.0,
        "peak_bytes": 2**30,
    }


def test_the_page_says_what_was_measured() -> None:
    result = json.loads((FOLDER / "speed-gpu.json").read_text(encoding="utf-8"))
    assert (FOLDER / "speed-gpu.md").read_text(encoding="utf-8") == document(result) + "\n"


def test_fewer_replicates_are_scaled_and_what_was_not_reached_is_told() -> None:
    turns = [turn(BASE, 2.0, replicates=500), turn(STATISTICS, 0.2), turn("torch tiled", None)]
    lines = document({"machine": "m", "software": "s", "turns": turns}).splitlines()
    assert lines[-3:] == [
        "| 1024, output | torch loop | 500 | 1 | 4000 | 1.0000 |  | 1.0 |",
        "| 1024, output | dropaudit, all statistics | 1000 | 1 | 200 | 0.0500 | 0.10 | 1.0 |",
        "| 1024, output | torch tiled | 1000 | 1 | not reached |  |  | 1.0 |",
    ]


@pytest.mark.parametrize(("device", "cost"), [("cpu", CPU), ("cuda", CUDA)])
def test_places_are_chosen_by_what_was_measured(device: str, cost: object) -> None:
    found = fitted(TABLE["rows"], device)
    for name in ("operator", "product", "element"):
        assert getattr(cost, name) == pytest.approx(getattr(found, name), rel=0.01)


def test_the_chosen_place_is_mostly_the_better_one() -> None:
    found = regrets(TABLE["rows"], TABLE["cores"])
    assert len(found) >= 20
    assert statistics.median(found) == 1
    assert sum(each <= 1.3 for each in found) >= 0.75 * len(found)


def test_auto_is_right_for_every_audited_model_of_the_corpora() -> None:
    rows = json.loads((FOLDER / "gpu-check.json").read_text(encoding="utf-8"))["rows"]
    as_placed, as_placed_now = regrets_of_checked(rows), regrets_of_checked(rows, cores_beside=16)
    assert len(as_placed) == len(as_placed_now) > 100
    assert max(as_placed) <= 1.3
    assert max(as_placed_now) <= 1.3


def test_the_summary_of_the_corpora_says_what_their_rows_say() -> None:
    kept = json.loads((FOLDER / "gpu-check.json").read_text(encoding="utf-8"))
    assert compared(kept["rows"]).items() <= kept["result"].items()


def test_an_audit_that_took_twice_as_long_where_auto_put_it_is_told() -> None:
    cpu, cuda = {"provider": "cpu", "seconds": 2.0}, {"provider": "cuda", "seconds": 1.0}
    work = {"operators": 1, "products": 0.0, "elements": 1}
    row = {"file": "a", "role": "train", "work": work, "cpu": cpu, "cuda": cuda, "auto": cpu | {"seconds": 3.0}}
    fell_back = row | {"cuda": cpu}
    assert regrets_of_checked([row, fell_back]) == [2.0]


def test_providers_that_differ_are_told_apart_from_a_process_that_ended() -> None:
    same = {"says": "PASS", "seconds": 1.0}
    rows: list[dict[str, Any]] = [
        {"file": "a", "role": "train", "cpu": same, "cuda": {"says": "FAIL DA101", "seconds": 2.0}},
        {"file": "b", "role": "train", "cpu": same, "cuda": same},
        {"file": "c", "role": "train", "ended its process": True},
    ]
    found = compared(rows)
    assert found["differ"] == ["a train: PASS | FAIL DA101"]
    assert found["ended their process"] == ["c train"]
    assert found["cuda, median s"] == 1.5
