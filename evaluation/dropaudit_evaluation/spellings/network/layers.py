"""Layers between sites and behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from dropaudit_evaluation.spellings.grammar.writer import FLOAT
from dropaudit_evaluation.spellings.network.network import FEATURES, Network
from dropaudit_evaluation.spellings.rates import is_apart

# No rate is as small.
_SMALL = 0.03


def nothing(_: Network) -> None:
    """Leave the data as it is."""


def linear(network: Network) -> None:
    """Mix the features by a weight."""
    _put(network, network.graph.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES)))


def affine(network: Network) -> None:
    """Mix the features by a weight, and add a bias."""
    linear(network)
    _put(network, network.graph.emit("Add", network.h.name, network.weight(FEATURES)))


def negated(network: Network) -> None:
    """Change signs."""
    _put(network, network.graph.emit("Neg", network.h.name))


def times_own_factor(network: Network) -> None:
    """Multiply by a constant that has nothing to do with any rate."""
    affine(network)
    _put(network, network.graph.emit("Mul", network.h.name, network.graph.constant(_own_factor(network), FLOAT)))


def _own_factor(network: Network) -> float:
    """Choose a factor that is neither q nor 1 - q of any site: beside a mask those are the site's own."""
    rates = [rate for site in network.plan.sites for rate in np.ravel(site.wish.keep_prob)]
    known = [each for rate in rates for each in (float(rate), 1 - float(rate))]
    return next((factor for factor in (0.37, 0.29, 0.43, 0.21, 0.17) if is_apart(factor, known)), _SMALL)


def tanh(network: Network) -> None:
    """Mix the features, and bend them."""
    affine(network)
    _put(network, network.graph.emit("Tanh", network.h.name))
    network.bends()


def relu(network: Network) -> None:
    """Mix the features, and cut them off below zero."""
    affine(network)
    _put(network, network.graph.emit("Relu", network.h.name))
    network.bends()


def softmax(network: Network) -> None:
    """Turn features into shares."""
    linear(network)
    _put(network, network.graph.emit("Softmax", network.h.name, axis=-1))
    network.bends()


def summed(network: Network) -> None:
    """Sum over the features."""
    _put(network, network.graph.emit("ReduceSum", network.h.name, network.graph.constant([-1], 7), keepdims=1))


def _put(network: Network, name: str) -> None:
    network.h = replace(network.h, name=name)


Layer = Callable[[Network], None]
FIRST: Mapping[str, Layer] = {"nothing": nothing, "affine": affine, "tanh": tanh, "negated": negated}
BETWEEN: Mapping[str, Layer] = {
    "nothing": nothing,
    "linear": linear,
    "affine": affine,
    "tanh": tanh,
    "relu": relu,
    "own factor": times_own_factor,
}
HEADS: Mapping[str, Layer] = {
    "nothing": nothing,
    "negated": negated,
    "linear": linear,
    "affine": affine,
    "tanh": tanh,
    "softmax": softmax,
}
