"""A labelled folder of specimens, as the evaluation of the audit reads it."""

from __future__ import annotations

from pathlib import Path

from dropaudit_models.files import write_json, write_model
from dropaudit_models.specimens import Specimen, random_specimens

LABELS = "labels.json"


def write_corpus(directory: Path, count: int, seed: int) -> Path:
    """Write `count` random specimens and return the path of their labels; a seed gives the same files each time.

    Raises:
        InvalidArgument: `count` is out of range.
        UnreadableFile: the folder cannot be written to.
    """
    specimens = random_specimens(count, seed)
    for specimen in specimens:
        write_specimen(specimen, directory)
    rows = sorted((specimen.row() for specimen in specimens), key=lambda row: str(row["file"]))
    return write_json(rows, directory / LABELS)


def write_specimen(specimen: Specimen, directory: Path) -> tuple[Path, ...]:
    """Write a specimen's artifact, and a pair's inference artifact beside it, under the names of its row.

    Raises:
        UnreadableFile: the folder cannot be written to.
    """
    row = specimen.row()
    written = [write_model(specimen.model(), directory / str(row["file"]))]
    inference = specimen.inference_model()
    if inference is not None:
        written.append(write_model(inference, directory / str(row["inference"])))
    return tuple(written)
