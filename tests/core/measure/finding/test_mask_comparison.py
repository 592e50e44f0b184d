"""Claims about how many runs a comparison of masks takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from dropaudit import ArtifactSubject, Plan, Role
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.finding.mask_comparison import study_masks
from dropaudit.measure.prepare import prepare
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import Runs
from dropaudit.runtime.session import Tensors
from support.graphs import dense

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
COLUMNS = 512
ONES = f", float[1,{COLUMNS}] w = {{{', '.join(['1.0'] * COLUMNS)}}}"


class Counted:
    """Runs that are counted."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.number = 0

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        self.number += 1
        return self._runs.run(feeds, names)


@pytest.mark.parametrize(
    ("body", "batch", "columns", "runs"),
    [
        ("y = Dropout(x, r, t)", 8, COLUMNS, 3),
        ("y = Dropout(x, r, t)", 1, COLUMNS, 8),
        ("y = Dropout(x, r, t)", 2, 32, 32),
        # Of many elements few are cells: one mask serves the whole batch.
        ("d = Dropout(w, r, t)  y = Mul(x, d)", 8, COLUMNS, 8),
    ],
    ids=["thousands of cells", "hundreds", "tens", "hundreds that a batch shares"],
)
def test_masks_are_compared_over_enough_cells(body: str, batch: int, columns: int, runs: int) -> None:
    x = np.random.default_rng(0).standard_normal((batch, columns)).astype(np.float32)
    content = dense(body, columns, ONES if columns == COLUMNS else "")
    prepared = prepare(make_case(ArtifactSubject(content, Role.TRAIN, {"x": x}), PLAN, CPU), PLAN, CPU)
    counted = Counted(prepared.drawing.single)
    study = study_masks(replace(prepared.drawing, single=counted), PLAN, np.random.default_rng(0))
    assert counted.number == runs
    assert not study.frozen
