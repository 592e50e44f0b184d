"""The rows of a labelled folder, as the evaluation reads it. Needs no PyTorch."""

from __future__ import annotations

from itertools import product
from typing import Any

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import Answer
from dropaudit_models.torch.architectures.catalogue import ARCHITECTURES, REASONS, Architecture, Exporter, Mode
from dropaudit_models.torch.architectures.declared import declared, declared_pair


def artifact_name(architecture: Architecture, exporter: Exporter, mode: Mode) -> str:
    """Name of an artifact's file."""
    return f"{architecture.name}__{exporter}_{mode}.onnx"


def inputs_name(architecture: Architecture, exporter: Exporter) -> str:
    """Name of the file of the example that a pair is audited on."""
    return f"{architecture.name}__{exporter}_inputs.npz"


def rows(architectures: tuple[Architecture, ...] = ARCHITECTURES) -> list[dict[str, Any]]:
    """Return a row for each artifact in each role, on inputs made up, and for each pair on its example."""
    listed = []
    for architecture, exporter in product(architectures, Exporter):
        for mode, role in product(Mode, Role):
            answer = declared(architecture, exporter, mode, role)
            listed.append(_row(architecture, exporter, mode, answer) | {"role": str(role)})
        pair = {
            "role": str(Role.TRAIN),
            "inference": artifact_name(architecture, exporter, Mode.EVAL),
            "inputs": inputs_name(architecture, exporter),
        }
        listed.append(_row(architecture, exporter, Mode.TRAIN, declared_pair(architecture, exporter)) | pair)
    return listed


def _row(architecture: Architecture, exporter: Exporter, mode: Mode, answer: Answer) -> dict[str, Any]:
    reasons = "; ".join(REASONS[trait] for trait in sorted(architecture.holds(exporter)))
    return {
        "file": artifact_name(architecture, exporter, mode),
        "framework": "pytorch",
        "exporter": f"torch.onnx {exporter}",
        "dropout": architecture.says,
        "why": reasons if mode is Mode.TRAIN else "evaluation mode: every Dropout is gone",
        "verdict": [str(verdict) for verdict in answer.verdicts],
        "codes": sorted(answer.codes),
        "not_codes": sorted(answer.not_codes),
        **({"no_errors": True} if answer.no_errors else {}),
    }
