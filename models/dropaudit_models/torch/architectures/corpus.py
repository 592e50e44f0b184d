"""The labelled folder of all exports."""

from __future__ import annotations

from pathlib import Path

from dropaudit_models.corpus import LABELS
from dropaudit_models.files import write_json, write_model
from dropaudit_models.torch.architectures.catalogue import ARCHITECTURES, Architecture, Exporter, Mode
from dropaudit_models.torch.architectures.export import example_arrays, export
from dropaudit_models.torch.architectures.rows import artifact_name, inputs_name, rows
from dropaudit_models.torch.export import write_arrays


def write_architectures(directory: Path, architectures: tuple[Architecture, ...] = ARCHITECTURES) -> Path:
    """Export architectures by both exporters in both modes; returns the path of their labels.

    Raises:
        UnreadableFile: the folder cannot be written to.
    """
    for architecture in architectures:
        for exporter in Exporter:
            _write(architecture, exporter, directory)
    return write_json(rows(architectures), directory / LABELS)


def _write(architecture: Architecture, exporter: Exporter, directory: Path) -> None:
    for mode in Mode:
        model = export(architecture, exporter, mode)
        write_model(model, directory / artifact_name(architecture, exporter, mode))
    write_arrays(example_arrays(architecture, model), directory / inputs_name(architecture, exporter))
