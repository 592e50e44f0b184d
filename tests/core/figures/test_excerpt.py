"""Claims about the few elements that are shown in both modes."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Provider, Role, audit
from dropaudit.figures.excerpt import COLUMNS, ROWS, excerpt_of
from dropaudit_models.seed_case import seed_case
from support.graphs import dense


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [((), 1, 1), ((3,), 1, 3), ((5, 1, 10), 5, 10), ((8, 16, 100), ROWS, COLUMNS), ((2, 1), 2, 1)],
)
def test_all_axes_but_the_last_are_rows_and_only_the_first_rows_and_columns_are_kept(
    shape: tuple[int, ...], rows: int, columns: int
) -> None:
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    found = excerpt_of(values, -values)
    assert found is not None
    assert (found.columns, len(found.inference)) == (columns, rows * columns)
    assert found.train == tuple(-value for value in found.inference)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_an_empty_output_has_no_excerpt(shape: tuple[int, ...]) -> None:
    assert excerpt_of(np.zeros(shape), np.zeros(shape)) is None


def test_the_seed_case_is_shown_whole() -> None:
    (output,) = audit(seed_case()).outputs
    assert output.excerpt is not None
    pairs = list(zip(output.excerpt.inference, output.excerpt.train, strict=True))
    assert (output.excerpt.columns, len(pairs)) == (10, 50)
    assert sum(train != 0 for _, train in pairs) == 23
    assert all(train == pytest.approx(2 * inference, rel=1e-6) for inference, train in pairs if train != 0)


def test_of_a_model_the_first_replicate_is_shown_beside_the_inference_output() -> None:
    graph = dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)")
    (output,) = audit(ArtifactSubject(graph, Role.TRAIN), Plan(provider=Provider.CPU)).outputs
    assert output.excerpt is not None
    kept = [b / a for a, b in zip(output.excerpt.inference, output.excerpt.train, strict=True) if a and b]
    assert kept == pytest.approx([kept[0]] * len(kept), rel=1e-5)
    assert kept[0] > 1
