from __future__ import annotations

import onnx

from dropaudit.graph.reading.random_types import DRAWS, LIKE, NORMAL, RANDOM, UNIFORM, WITH_CHANCES


def test_the_random_operators_are_those_of_the_standard_that_take_a_seed() -> None:
    seeded = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if "seed" in schema.attributes}
    assert seeded == RANDOM


def test_those_that_draw_in_every_mode_are_of_one_kind_each() -> None:
    kinds = [*UNIFORM, *NORMAL, *WITH_CHANCES]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == DRAWS == RANDOM - {"Dropout"}


def test_an_operator_with_a_shape_draws_as_the_one_that_takes_it_from_a_tensor() -> None:
    for plain, like in LIKE.items():
        assert "shape" in onnx.defs.get_schema(plain).attributes
        assert "shape" not in onnx.defs.get_schema(like).attributes
        assert {plain, like} in (UNIFORM, NORMAL)
