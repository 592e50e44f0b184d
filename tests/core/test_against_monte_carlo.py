"""The audit's numbers against a Monte-Carlo in plain numpy, written from the definitions of layers and masks."""

from __future__ import annotations

import numpy as np
import pytest

from support.definitions import Floats
from support.monte_carlo import (
    BATCH,
    DENSE,
    FIRST,
    SECOND,
    UNITS,
    Model,
    Sample,
    audited,
    chain,
    check_keep_rate_and_scale,
    check_scale_factor,
    data,
    dropped,
    graph,
    lstm,
    through,
    weights,
)


def head_then_dropout(rng: np.random.Generator, x: Floats) -> Sample:
    return dropped(rng, x @ DENSE)


def dropout_then_head(rng: np.random.Generator, x: Floats) -> Sample:
    return through(dropped(rng, x), lambda value: value @ DENSE)


def unscaled_chain(rng: np.random.Generator, x: Floats) -> Sample:
    return dropped(rng, x @ DENSE, factor=1.0)


def locked_chain(rng: np.random.Generator, x: Floats) -> Sample:
    return dropped(rng, x @ DENSE, shared=(0,))


def bent(rng: np.random.Generator, x: Floats) -> Sample:
    return through(dropped(rng, x @ DENSE), lambda value: np.tanh(2 * value))


def lstm_output(rng: np.random.Generator, x: Floats) -> Sample:
    return dropped(rng, FIRST.run(x))


def lstm_input(rng: np.random.Generator, x: Floats) -> Sample:
    return through(dropped(rng, x), FIRST.run)


def between_layers(rng: np.random.Generator, x: Floats) -> Sample:
    return through(dropped(rng, FIRST.run(x)), SECOND.run)


LOCKED = f"<shape = [1, {BATCH}, {UNITS}]>"
"""The mask of one step, for all of them."""

MODELS = {
    "dense, then dropout": Model(
        graph("h = MatMul(x, A)  y = Dropout(h, r, t)", {"A": DENSE}), head_then_dropout, linear=True
    ),
    "dropout, then dense": Model(
        graph("d = Dropout(x, r, t)  y = MatMul(d, A)", {"A": DENSE}), dropout_then_head, linear=True
    ),
    "chain": Model(
        graph(f"h = MatMul(x, A)  {chain('h', 'd')} y = Identity(d)", {"A": DENSE}), head_then_dropout, linear=True
    ),
    "chain without scale": Model(
        graph(f"h = MatMul(x, A)  {chain('h', 'd', scale='one')} y = Identity(d)", {"A": DENSE}),
        unscaled_chain,
        linear=True,
    ),
    "chain shared over time": Model(
        graph(f"h = MatMul(x, A)  {chain('h', 'd', 'RandomUniform', LOCKED)} y = Identity(d)", {"A": DENSE}),
        locked_chain,
        linear=True,
    ),
    "dropout, then a steep tanh": Model(
        graph("h = MatMul(x, A)  d = Dropout(h, r, t)  e = Add(d, d)  y = Tanh(e)", {"A": DENSE}), bent, linear=False
    ),
    "LSTM, then dropout": Model(
        graph(f"{lstm('x', 'first', 'h')} y = Dropout(h, r, t)", weights(FIRST, "first")), lstm_output, linear=True
    ),
    "dropout, then LSTM": Model(
        graph(f"d = Dropout(x, r, t)  {lstm('d', 'first', 'h')} y = Identity(h)", weights(FIRST, "first")),
        lstm_input,
        linear=False,
    ),
    "dropout between two LSTMs": Model(
        graph(
            f"{lstm('x', 'first', 'h')} d = Dropout(h, r, t)  {lstm('d', 'second', 'k')} y = Identity(k)",
            weights(FIRST, "first") | weights(SECOND, "second"),
        ),
        between_layers,
        linear=False,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_audit_measures_what_the_definition_says(name: str) -> None:
    model = MODELS[name]
    report = audited(model)
    sample = model.simulate(np.random.default_rng(14), data())
    check_keep_rate_and_scale(report, sample)
    check_scale_factor(report, sample)
    assert report.outputs[0].linear is model.linear


def test_the_gap_behind_a_steep_tanh_is_in_both() -> None:
    """Both see a mean that is further from 1 than the audit's tolerance, so neither compares a 1 with a 1."""
    model = MODELS["dropout, then a steep tanh"]
    factor = audited(model).outputs[0].scale_factor
    assert factor is not None
    assert factor.upper < 0.98
    assert model.simulate(np.random.default_rng(14), data()).scale_factors.mean() < 0.98
