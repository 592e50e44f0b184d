"""How an audit measures and decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

import msgspec

from dropaudit.errors import InvalidArgument
from dropaudit.report import Interval

DEFAULT_ALPHA = 1e-3
DEFAULT_TOLERANCE = 0.02
DEFAULT_MAX_REPLICATES = 65_536
MIN_REPLICATES = 64
LARGEST_SEED = 2**32 - 1
# How far a keep rate may leave the declared probability.
RATE_MARGIN = 0.005


class Role(StrEnum):
    """How an artifact is meant to be used."""

    AUTO = "auto"
    TRAIN = "train"
    INFERENCE = "inference"


class Provider(StrEnum):
    """Where a model runs; AUTO where it is predicted to be done sooner, if a CUDA device answers."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one audit.

    Attributes:
        alpha: chance of any false finding in an audit of a right model, in (0, 0.5].
        tolerance: how far an output's scale factor may leave 1, in (0, 1).
        max_replicates: most replicates to draw, at least 64.
        seed: of inputs and masks, in [0, 2**32).
        provider: where to run.
        compare_provider: where to run inference as well, to compare the outputs; None: nowhere.

    Raises:
        InvalidArgument: a value is out of range.
    """

    alpha: float = DEFAULT_ALPHA
    tolerance: float = DEFAULT_TOLERANCE
    max_replicates: int = DEFAULT_MAX_REPLICATES
    seed: int = 0
    provider: Provider = Provider.AUTO
    compare_provider: Provider | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and 0 < self.alpha <= 0.5):
            raise InvalidArgument(f"alpha must lie in (0, 0.5], not {self.alpha}", field="alpha")
        if not (math.isfinite(self.tolerance) and 0 < self.tolerance < 1):
            raise InvalidArgument(f"tolerance must lie in (0, 1), not {self.tolerance}", field="tolerance")
        if not MIN_REPLICATES <= self.max_replicates <= 2**31 - 1:
            raise InvalidArgument(
                f"max_replicates must lie in [{MIN_REPLICATES}, 2147483647], not {self.max_replicates}",
                field="max_replicates",
            )
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InvalidArgument(f"seed must lie in [0, {LARGEST_SEED}], not {self.seed}", field="seed")


class Phase(StrEnum):
    """The phase of a running audit."""

    PREPARING = "PREPARING"
    SAMPLING = "SAMPLING"
    JUDGING = "JUDGING"


class TestProgress(msgspec.Struct, frozen=True, rename="camel"):
    """How far one sequential test is; `quantity` is `keepProb` or `scaleFactor`."""

    __test__ = False  # not a pytest class

    subject: str
    quantity: str
    interval: Interval
    decided: bool


class Progress(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """How far a running audit is. Its JSON parses into the proto message of the same name."""

    phase: Phase
    replicates: int = 0
    max_replicates: int = 0
    decided_tests: int = 0
    total_tests: int = 0
    tests: tuple[TestProgress, ...] = ()


OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]
