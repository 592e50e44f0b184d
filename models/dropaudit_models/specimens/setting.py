"""The settings that vary between specimens of one kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dropaudit.report import Placement
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.lstm.spec import FloatType, Head, Layer, LSTMSpec, Recurrence

VOCABULARY = 24


class Where(StrEnum):
    """Where in the model the dropout of a specimen sits."""

    INPUT = "input"
    OUTPUT = "output"
    BETWEEN = "between"
    HEAD = "head"
    STATE = "state"
    EMBEDDING = "embedding"
    WEIGHT = "weight"
    MEMORY = "memory"


PLACES = {
    Where.INPUT: (Place(Spot.INPUT), Placement.INPUT),
    Where.OUTPUT: (Place(Spot.OUTPUT), Placement.OUTPUT),
    Where.BETWEEN: (Place(Spot.OUTPUT), Placement.BETWEEN_LAYERS),
    Where.HEAD: (Place(Spot.OUTPUT), Placement.HEAD),
    Where.STATE: (Place(Spot.STATE_H), Placement.STATE_H),
    Where.EMBEDDING: (Place(Spot.INPUT), Placement.EMBEDDING),
    Where.MEMORY: (Place(Spot.STATE_C), Placement.STATE_C),
    Where.WEIGHT: (Place(Spot.WEIGHT), Placement.WEIGHT),
}
# Dropout belongs on the state h, never on the memory c.
USUAL = tuple(where for where in Where if where is not Where.MEMORY)
# Only linear operators follow these.
LINEAR = (Where.OUTPUT, Where.HEAD)
# ONNX Runtime's EliminateDropout spares an operator that reads a graph's input or a constant, or makes its output.
INTERIOR = (Where.BETWEEN, Where.HEAD, Where.EMBEDDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A keep probability, a place, a spelling, and the size of the model.

    Attributes:
        batch, steps: fixed extents of the input, None for free ones.
        seed: of the weights.
    """

    keep_prob: float = 0.7
    where: Where = Where.OUTPUT
    draw: Draw = Draw.OPERATOR
    units: int = 8
    input_size: int = 8
    opset: int = 17
    dtype: FloatType = FloatType.FLOAT32
    bidirectional: bool = False
    batch_first: bool = True
    recurrence: Recurrence = Recurrence.AUTO
    batch: int | None = None
    steps: int | None = None
    seed: int = 0

    @property
    def spec(self) -> LSTMSpec:
        """The model, without any dropout."""
        layers = 2 if self.where is Where.BETWEEN else 1
        scan = self.where in (Where.STATE, Where.MEMORY) or self.recurrence is Recurrence.SCAN
        return LSTMSpec(
            input_size=self.input_size,
            layers=(Layer(self.units),) * layers,
            bidirectional=self.bidirectional,
            head=Head.LINEAR if self.where is Where.HEAD else Head.NONE,
            vocabulary=VOCABULARY if self.where is Where.EMBEDDING else None,
            batch_first=self.batch_first,
            recurrence=Recurrence.SCAN if scan else Recurrence.AUTO,
            opset=self.opset,
            dtype=self.dtype,
            seed=self.seed,
            batch=self.batch,
            steps=self.steps,
        )

    @property
    def place(self) -> Place:
        """Where the dropout goes."""
        return PLACES[self.where][0]

    @property
    def placement(self) -> Placement:
        """The placement that the audit must report."""
        return PLACES[self.where][1]

    @property
    def linear(self) -> bool:
        """Whether only linear operators lie between the dropout and the output."""
        return self.where in LINEAR

    @property
    def removed(self) -> bool:
        """Whether a default session of ONNX Runtime deletes an active operator there."""
        return self.draw is Draw.OPERATOR and self.where in INTERIOR

    def recipe(self, **changes: Any) -> Recipe:
        """Return the healthy recipe, or one that differs from it."""
        return replace(Recipe(keep_prob=self.keep_prob, draw=self.draw), **changes)

    @property
    def slug(self) -> str:
        """The setting as part of a file's name; different settings of one kind differ in it."""
        parts = [self.where, self.draw, f"q{round(100 * self.keep_prob):02d}", f"u{self.units}", f"o{self.opset}"]
        parts += [self.dtype] if self.dtype is not FloatType.FLOAT32 else []
        parts += ["bidirectional"] if self.bidirectional else []
        parts += [] if self.batch_first else ["time-first"]
        parts += ["scan"] if self.recurrence is Recurrence.SCAN else []
        parts += [f"b{self.batch}t{self.steps}"] if self.batch or self.steps else []
        return "-".join([*map(str, parts), f"s{self.seed}"])
