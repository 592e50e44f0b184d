"""The question that started dropaudit, with its arrays.

A user of TensorFlow 1.8 ran one LSTMCell(10) over x = reshape(range(1, 11), (5, 1, 2)) plainly and through
DropoutWrapper(cell, output_keep_prob=0.5), and found the survivors of the second run "completely different". They
are 2.0 times the plain output: inverted dropout. The arrays are the ones he printed, float32 at 8 significant digits,
of shape (batch 5, time 1, units 10).
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from dropaudit.subjects import Array, RecordedSubject

KEEP_PROB = 0.5


def seed_case() -> RecordedSubject:
    """Return the recorded outputs with the keep probability that the user declared."""
    return RecordedSubject(inference=_array("inference"), train=(_array("train"),), keep_prob=KEEP_PROB)


def seed_input() -> Array:
    """Return x, shape (5, 1, 2)."""
    return _array("input")


def _array(name: str) -> Array:
    with files("dropaudit_models").joinpath("data", f"{name}.npy").open("rb") as file:
        array: Array = np.load(file, allow_pickle=False)
    return array
