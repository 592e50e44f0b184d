"""The TensorFlow models by name. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorFlowModel:
    """A model that `python -m dropaudit_models.tensorflow` exports, and what its audit must say.

    Attributes:
        role: to audit it in.
        verdicts: any of these.
        codes: findings that must be there.
        not_codes: findings that must not be there.
        rate: drop rate of its sites.
    """

    name: str
    role: str
    says: str
    rate: float
    verdicts: tuple[str, ...]
    codes: tuple[str, ...] = ()
    not_codes: tuple[str, ...] = ()
    placement: str | None = None
    family: str | None = None


TENSORFLOW_MODELS: tuple[TensorFlowModel, ...] = ()
