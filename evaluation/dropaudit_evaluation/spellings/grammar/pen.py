"""The context of every production of the grammar: where to write, what to draw from, and the record of its choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from onnx import helper

from dropaudit_evaluation.spellings.grammar.writer import FLOAT, HALF, GraphWriter

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Cells:
    """The shape that a mask is drawn in.

    Attributes:
        like: a tensor of that shape, in float32.
        fixed: the shape itself where it does not depend on the batch.
        rank: number of axes.
        features: length of the last axis.
    """

    like: str
    fixed: tuple[int, ...] | None
    rank: int
    features: int


@dataclass(frozen=True, slots=True)
class Pen:
    """The context of one site.

    Attributes:
        graph: where to write.
        rng: makes every choice.
        record: choices so far, `kind:name`, in their order.
        element_type: of data and mask.
        cells: shape of the mask.
        seeds: attributes of random operators, each for one; None where they carry none.
        forced: choices that are not free, by kind.
    """

    graph: GraphWriter
    rng: np.random.Generator
    record: list[str]
    cells: Cells
    element_type: int = FLOAT
    seeds: Iterator[int] | None = None
    forced: Mapping[str, str] | None = None

    def pick(self, kind: str, options: Mapping[str, Choice], favourite: str | None = None) -> Choice:
        """Choose one of named productions, the favourite in half of the cases, and record its name."""
        name = (self.forced or {}).get(kind)
        if name is None or name not in options:
            name = favourite if favourite and self.toss(0.5) else str(self.rng.choice(list(options)))
        self.record.append(f"{kind}:{name}")
        return options[name]

    def toss(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def emit(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Write a node of one result."""
        return self.graph.emit(operator, *inputs, **attributes)

    def number(self, value: Any, element_type: int | None = None) -> str:
        """Write a constant of the site's type, or of another, now as an initializer and now as a node."""
        return self.graph.constant(value, element_type or self.element_type, as_node=self.toss(0.5))

    def cast(self, name: str, element_type: int) -> str:
        """Write a Cast."""
        return self.emit("Cast", name, to=element_type)

    @property
    def draws_in(self) -> int:
        """The type that random operators draw in: the runtime draws no float16."""
        return FLOAT if self.element_type == HALF else self.element_type

    def dtype(self) -> np.dtype[Any]:
        """The site's type in numpy's words."""
        return np.dtype(helper.tensor_dtype_to_np_dtype(self.element_type))
