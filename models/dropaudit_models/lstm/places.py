"""Where something can be put into a reference LSTM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dropaudit_models.lstm.sites import unchanged
from dropaudit_models.writing import GraphWriter, Transform, Wire


class Spot(StrEnum):
    """A kind of place."""

    TABLE = "embedding_table"
    INPUT = "input"
    OUTPUT = "output"
    STATE_H = "state_h"
    STATE_C = "state_c"
    WEIGHT = "recurrent_weight"
    LAST = "last"  # the last layer's output, after its wrapper and before the head
    RESULT = "result"  # the model's output, after the head


@dataclass(frozen=True, slots=True)
class Place:
    """A spot of one layer; TABLE, LAST and RESULT exist once, at layer 0."""

    spot: Spot
    layer: int = 0

    @property
    def label(self) -> str:
        """Name of the nodes there."""
        return f"{self.spot}_{self.layer}" if self.layer else str(self.spot)


Sites = Mapping[Place, Transform]


def put(sites: Sites, place: Place, writer: GraphWriter, wire: Wire) -> Wire:
    """Apply what `sites` has at a place, with the writer labelled by it."""
    writer.label = f"{place.label}_dropout"
    placed = sites.get(place, unchanged)(writer, wire)
    writer.label = place.label
    return placed
