"""All weights of a reference LSTM, and the paper's rescaling of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dropaudit_models.lstm.gate_weights import Floats, LSTMWeights, glorot, seeded_weights
from dropaudit_models.lstm.spec import LSTMSpec

_TABLE, _HEAD = 1_000, 1_001


@dataclass(frozen=True, slots=True)
class Parameters:
    """Weights of one model.

    Attributes:
        layers: for each layer the weights of its directions.
        table: embedding table, shape (vocabulary, input size), or None.
        head: weight of the head, shape (features, classes), or None. Its bias is zero.
    """

    layers: tuple[tuple[LSTMWeights, ...], ...]
    table: Floats | None
    head: Floats | None

    def with_head(self, head: Floats) -> Parameters:
        """Return these weights with another head."""
        return replace(self, head=head)

    def with_scaled(self, layer: int, inputs: float = 1.0, state: float = 1.0) -> Parameters:
        """Return these weights with what one layer reads multiplied."""
        scaled = tuple(weights.scaled(inputs, state) for weights in self.layers[layer])
        return replace(self, layers=(*self.layers[:layer], scaled, *self.layers[layer + 1 :]))


def parameters(spec: LSTMSpec) -> Parameters:
    """Draw the weights that a spec's seed stands for; dropout has no part in it, so twins share them."""
    sizes = [spec.input_size, *(layer.units * spec.directions for layer in spec.layers)]
    layers = tuple(
        tuple(_cell(spec, sizes[index], index, direction) for direction in range(spec.directions))
        for index in range(len(spec.layers))
    )
    table = None
    if spec.vocabulary is not None:
        table = np.random.default_rng((spec.seed, _TABLE)).standard_normal((spec.vocabulary, spec.input_size))
    head = None
    if spec.head != "none":
        head = glorot(np.random.default_rng((spec.seed, _HEAD)), (sizes[-1], spec.classes))
    return Parameters(layers, table, head)


def _cell(spec: LSTMSpec, input_size: int, layer: int, direction: int) -> LSTMWeights:
    seed = (spec.seed, layer, direction) if layer or direction else spec.seed
    return replace(seeded_weights(input_size, spec.layers[layer].units, seed), forget_bias=spec.forget_bias)


def times_keep_prob(spec: LSTMSpec, given: Parameters) -> Parameters:
    """Multiply every weight by the keep probability of what it reads: the paper's test-time weights.

    W_test = q W (Srivastava et al. 2014, section 4). The output of a last layer without a head is read by no weight:
    it stays to be multiplied.
    """
    layers = []
    before = 1.0
    for layer, directions in zip(spec.layers, given.layers, strict=True):
        wrapper = layer.wrapper
        inputs, state = before * wrapper.input_keep_prob, wrapper.state_keep_prob * spec.weight_keep_prob
        layers.append(tuple(weights.scaled(inputs, state) for weights in directions))
        before = wrapper.output_keep_prob
    return Parameters(
        tuple(layers),
        None if given.table is None else given.table * spec.embedding_keep_prob,
        None if given.head is None else given.head * before,
    )
