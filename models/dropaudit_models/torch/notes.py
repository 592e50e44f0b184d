"""Known faults of exporting a PyTorch module with dropout."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch


class Problem(StrEnum):
    """Kinds of notes, stable words."""

    MASKS_FOLDED = "masks-folded"
    ACTIVE_AT_INFERENCE = "active-at-inference"
    NO_DROPOUT = "no-dropout"
    ONE_LAYER = "one-layer"
    BATCH_STATISTICS = "batch-statistics"


@dataclass(frozen=True, slots=True)
class Note:
    """A problem, and one sentence on it."""

    problem: Problem
    message: str


def notes_of(module: torch.nn.Module, drawn: int, folded: int, at_inference: int) -> tuple[Note, ...]:
    """Say what is known about an export.

    Args:
        module: what was exported.
        drawn: random operators in train mode.
        folded: how many of them the exporter's optimizer would have removed.
        at_inference: random operators in evaluation mode.
    """
    notes = []
    if folded:
        sentence = (
            f"the exporter's optimizer makes constants of, or merges, {folded} of {drawn} random operators; "
            "the train artifact is written unoptimized, which keeps them"
        )
        notes.append(Note(Problem.MASKS_FOLDED, sentence))
    if not drawn:
        notes.append(Note(Problem.NO_DROPOUT, "nothing is random in train mode: the module has no active dropout"))
    if at_inference:
        sentence = f"{at_inference} random operators stay in evaluation mode; pass training=self.training to F.dropout"
        notes.append(Note(Problem.ACTIVE_AT_INFERENCE, sentence))
    return (*notes, *_of_submodules(module))


def _of_submodules(module: torch.nn.Module) -> list[Note]:
    notes = []
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.RNNBase) and part.dropout > 0 and part.num_layers == 1:
            sentence = f"{name or 'the module'} has dropout={part.dropout} and one layer, so it drops nothing"
            notes.append(Note(Problem.ONE_LAYER, sentence))
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            sentence = f"{name or 'the module'} is exported with its running statistics in train mode too"
            notes.append(Note(Problem.BATCH_STATISTICS, sentence))
    return notes
