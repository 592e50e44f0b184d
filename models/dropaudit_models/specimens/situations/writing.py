"""A labelled folder of situations, as the evaluation of the audit reads it."""

from __future__ import annotations

from pathlib import Path

from dropaudit_models.files import write_json, write_model
from dropaudit_models.specimens.situations.catalogue import SITUATIONS
from dropaudit_models.specimens.situations.situation import Situation

LABELS = "labels.json"


def write_situations(directory: Path, situations: tuple[Situation, ...] = SITUATIONS) -> Path:
    """Write situations and return the path of their labels. Raises UnreadableFile when that cannot be done."""
    for situation in situations:
        row = situation.row()
        write_model(situation.model, directory / row["file"])
        if situation.inference is not None:
            write_model(situation.inference, directory / row["inference"])
    return write_json([situation.row() for situation in situations], directory / LABELS)
