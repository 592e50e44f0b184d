"""Claims about masks of which one draw decides several cells: windows that overlap, repeated cells, blocks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import graph

SCALES = frozenset({"DA101", "DA201", "DA202", "DA301", "DA302", "DA303"})
# A uniform draw u of the shape N x `cells` over x.
DRAW = (
    "h = Shape(x)  n = Slice(h, zero, first)  c = Constant<value = int64[{axes}] {{{cells}}}>()  "
    "k = Concat<axis = 0>(n, c)  z = Expand(none, k)  u = RandomUniformLike(z)  "
)
APPLIED = "  f = Mul(m, s)  d = Mul(x, f)  y = Neg(d)"
BLOCKS = "b = Less(u, t)  e = Cast<to = 1>(b)  p = MaxPool<kernel_shape = [5, 5]>(e)  m = Sub(one, p)"
STRETCHED = 'b = Less(u, t)  e = Cast<to = 1>(b)  m = Resize<mode = "nearest">(e, , by)'
TILED = "b = Less(u, t)  e = Cast<to = 1>(b)  a = Constant<value = int64[2] {1, 8}>()  m = Tile(e, a)"
# By name: the draw's cells, the rest of the shape of x, the mask, its threshold, and its keep probability.
MASKS = {
    "blocks over all channels": ("1, 10, 10", "6, 6, 6", BLOCKS, 0.02, 0.98**25),
    "blocks": ("1, 10, 10", "1, 6, 6", BLOCKS, 0.01, 0.99**25),
    "stretched": ("1, 4, 4", "1, 16, 16", STRETCHED, 0.85, 0.85),
    "tiled": ("8", "64", TILED, 0.3, 0.3),
}


def report_of(name: str, scale: float, seed: int) -> Report:
    cells, shape, mask, threshold, _ = MASKS[name]
    draw = DRAW.format(axes=cells.count(",") + 1, cells=cells)
    constants: dict[str, ArrayLike] = {"none": 0.0, "one": 1.0, "zero": np.array([0]), "first": np.array([1])}
    constants |= {"t": threshold, "s": scale, "by": np.array([1.0, 1.0, 4.0, 4.0])}
    model = graph(
        draw + mask + APPLIED, inputs=f"float[N, {shape}] x", outputs=f"float[N, {shape}] y", constants=constants
    )
    return audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN), Plan(provider=Provider.CPU, seed=seed))


def scales_in(report: Report) -> set[str]:
    return {finding.code for finding in report.findings} & SCALES


# With these seeds the share of independent cells would lie too far away.
@pytest.mark.parametrize(
    ("name", "seed"), [("blocks over all channels", 3), ("blocks", 1), ("stretched", 0), ("tiled", 3)]
)
def test_one_over_what_is_kept_is_the_right_scale_whatever_the_seed(name: str, seed: int) -> None:
    report = report_of(name, 1 / MASKS[name][-1], seed)
    assert report.verdict is Verdict.PASS
    assert not scales_in(report)


@pytest.mark.parametrize(("power", "code"), [(0, "DA301"), (2, "DA302")])
@pytest.mark.parametrize("name", MASKS)
def test_another_power_of_it_is_the_fault_that_it_is(name: str, power: int, code: str) -> None:
    assert scales_in(report_of(name, MASKS[name][-1] ** -power, 0)) == {code}


@pytest.mark.parametrize("name", MASKS)
def test_a_factor_a_twentieth_too_large_is_a_wrong_scale(name: str) -> None:
    assert scales_in(report_of(name, 1.05 / MASKS[name][-1], 0)) == {"DA303"}
