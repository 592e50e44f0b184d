"""ONNX's LSTM, GRU and RNN, forward, with their default activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import expit

from dropaudit_evaluation.spellings.numbers.elementwise import Attributes
from dropaudit_evaluation.spellings.numbers.values import Value, aligned

_Optional = list[Value | None]
_Step = Callable[[Value, Value, Value], tuple[Value, Value]]


def _product(states: Value, weights: Value) -> Value:
    result: Value = np.matmul(*aligned(states, np.swapaxes(weights, -1, -2)))
    return result


def _given(inputs: _Optional) -> tuple[Value, Value, Value, Value]:
    """Return X, W, R, and the sum of both halves of B."""
    steps, weights, recurrent, bias = inputs[:4]
    assert steps is not None
    assert weights is not None
    assert recurrent is not None
    assert bias is not None
    half = bias.shape[-1] // 2
    return steps, weights, recurrent, (bias[..., :half] + bias[..., half:])[:, 0][:, None]


def _stacked(states: Sequence[Value]) -> Value:
    """Return the states of all steps with the axis of directions."""
    return np.stack(np.broadcast_arrays(*states), axis=1)[:, :, None]


def _run(inputs: _Optional, step: _Step) -> tuple[Value, ...]:
    """Go through time: X, W, R, B, lengths (never given), initial_h, initial_c; all of one direction."""
    steps, weights, recurrent, fixed = _given(inputs)
    h, c = (_first(inputs, place, steps, recurrent.shape[-1]) for place in (5, 6))
    states = []
    for moment in range(steps.shape[1]):
        gates = _product(steps[:, moment], weights[:, 0]) + _product(h, recurrent[:, 0]) + fixed
        h, c = step(gates, h, c)
        states.append(h)
    return (_stacked(states),)


def _first(inputs: _Optional, place: int, steps: Value, size: int) -> Value:
    given = inputs[place] if len(inputs) > place else None
    return np.zeros((1, steps.shape[2], size), np.float32) if given is None else given[:, 0]


def _lstm_step(gates: Value, _: Value, c: Value) -> tuple[Value, Value]:
    i, o, f, new = np.split(gates, 4, axis=-1)
    c = expit(f) * c + expit(i) * np.tanh(new)
    return expit(o) * np.tanh(c), c


def _rnn_step(gates: Value, _: Value, c: Value) -> tuple[Value, Value]:
    return np.tanh(gates), c


def lstm(_: Attributes, inputs: _Optional) -> tuple[Value, ...]:
    """Return the states of all steps; gates lie in the order i, o, f, c."""
    return _run(inputs, _lstm_step)


def rnn(_: Attributes, inputs: _Optional) -> tuple[Value, ...]:
    """Return the states of all steps."""
    return _run(inputs, _rnn_step)


def gru(_: Attributes, inputs: _Optional) -> tuple[Value, ...]:
    """Return the states of all steps; gates lie in the order z, r, h, and r acts on the state before the product."""
    steps, weights, recurrent, fixed = _given(inputs)
    h = _first(inputs, 5, steps, recurrent.shape[-1])
    both, new = np.split(recurrent[:, 0], [2 * recurrent.shape[-1]], axis=-2)
    states = []
    for moment in range(steps.shape[1]):
        given = _product(steps[:, moment], weights[:, 0]) + fixed
        z, r, candidate = np.split(given, 3, axis=-1)
        from_z, from_r = np.split(_product(h, both), 2, axis=-1)
        kept = expit(z + from_z)
        h = (1 - kept) * np.tanh(candidate + _product(expit(r + from_r) * h, new)) + kept * h
        states.append(h)
    return (_stacked(states),)


RECURRENT: Mapping[str, Callable[[Attributes, _Optional], tuple[Value, ...]]] = {"LSTM": lstm, "GRU": gru, "RNN": rnn}
