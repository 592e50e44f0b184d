"""How a dropout site makes its mask, and what it does to what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dropaudit.report import Axis


class Draw(StrEnum):
    """Spellings of dropout that exporters write; u is uniform on [0, 1), q the keep probability, m the mask."""

    OPERATOR = "operator"  # Dropout(x, 1 - q, True)
    LESS = "less"  # torch: m = Cast(u < q); x * (m / q)
    GREATER_EQUAL = "greater-equal"  # TensorFlow 2: m = Cast(u >= 1 - q); (x * 1/q) * m
    NOT = "not"  # m = Cast(Not(u < 1 - q)); (x * m) * 1/q
    WHERE = "where"  # Where(u < q, x * 1/q, 0)
    SELECT = "select"  # tf2onnx's SelectV2: b = u >= 1 - q; Cast(b) * (x * 1/q) + Cast(Not b) * 0
    FLOOR = "floor"  # TensorFlow 1: (x * 1/q) * floor(q + u)
    BERNOULLI = "bernoulli"  # torch.bernoulli: m = Bernoulli(q); (x * m) / q
    GAUSSIAN = "gaussian"  # Keras: x * N(1, (1 - q) / q), never zero (Srivastava et al. 2014, section 10)
    ALPHA = "alpha"  # a (x m + d (1 - m)) + b, d SELU's limit (Klambauer et al. 2017)


TWO_VALUED = tuple(draw for draw in Draw if draw not in (Draw.GAUSSIAN, Draw.ALPHA))
UNIFORM_CHAINS = (Draw.LESS, Draw.GREATER_EQUAL, Draw.NOT, Draw.WHERE, Draw.SELECT, Draw.FLOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One dropout site.

    Attributes:
        keep_prob: probability q that a cell of the mask is kept.
        factor: what kept values are multiplied by; None is 1/q, inverted dropout.
        shared: axes along which one cell serves all positions.
        seed: the random operator's seed attribute, None for none.
        training: the operator's training_mode, None to leave the input out.
    """

    keep_prob: float
    draw: Draw = Draw.OPERATOR
    factor: float | None = None
    shared: frozenset[Axis] = frozenset()
    seed: float | None = None
    training: bool | None = True

    @property
    def scale(self) -> float:
        """The factor on kept values."""
        return 1 / self.keep_prob if self.factor is None else self.factor

    @property
    def inverted(self) -> bool:
        """Whether kept values are divided by the keep probability."""
        return self.factor is None
