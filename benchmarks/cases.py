"""Timed cases: LSTMs with dropout, as an ONNX model and by the numbers that PyTorch needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dropaudit_models.lstm.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import build

FEATURES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One LSTM.

    Attributes:
        between: drop rate between layers.
        output: drop rate of the last layer's output.
    """

    hidden: int = 128
    layers: int = 1
    between: float = 0.0
    output: float = 0.5
    features: int = FEATURES
    batch: int = 5
    time: int = 16

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The input, of shape (batch, time, features)."""
        shape = (self.batch, self.time, self.features)
        return np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def content(self) -> bytes:
        """Return it as an ONNX file."""
        rates = [self.between] * (self.layers - 1) + [self.output]
        layers = tuple(Layer(self.hidden, Wrapper(output_keep_prob=1 - rate)) for rate in rates)
        return build(LSTMSpec(layers=layers, input_size=self.features)).SerializeToString()


CASES = {
    "hidden 128": Case(),
    "hidden 512": Case(hidden=512),
    "3 layers": Case(layers=3, between=0.3),
}
GPU_CASES = {
    "1024, output": Case(features=256, hidden=1024, batch=64, time=128),
    "1024, 3 layers": Case(features=256, hidden=1024, batch=64, time=128, layers=3, between=0.3),
}
