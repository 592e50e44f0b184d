"""The operator types of ONNX that draw random numbers."""

from __future__ import annotations

UNIFORM = frozenset({"RandomUniform", "RandomUniformLike"})
NORMAL = frozenset({"RandomNormal", "RandomNormalLike"})
# Draw with chances that they are fed.
WITH_CHANCES = frozenset({"Bernoulli", "Multinomial"})
# Draw in every mode, whatever they are fed.
DRAWS = UNIFORM | NORMAL | WITH_CHANCES
# Dropout draws in train mode only.
RANDOM = DRAWS | {"Dropout"}
# By a type that has its shape as an attribute, the one that takes it from a tensor.
LIKE = {"RandomUniform": "RandomUniformLike", "RandomNormal": "RandomNormalLike"}
