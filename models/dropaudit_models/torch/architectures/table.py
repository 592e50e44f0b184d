"""The declared verdicts as the table of docs/architectures.md. Needs no PyTorch."""

from __future__ import annotations

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import Answer
from dropaudit_models.torch.architectures.catalogue import ARCHITECTURES, REASONS, Architecture, Exporter, Mode, Trait
from dropaudit_models.torch.architectures.declared import declared, declared_pair

_SUBJECTS = tuple((mode, role) for mode in Mode for role in (Role.TRAIN, Role.AUTO, Role.INFERENCE))


def table() -> str:
    """Return three tables in Markdown: what the networks are, what their exports hold, and the verdicts."""
    return "\n".join([*_networks(), "", *_held(), "", *_verdicts(), ""])


def _networks() -> list[str]:
    return ["| network | what it is |", "|---|---|", *(f"| {each.name} | {each.says} |" for each in ARCHITECTURES)]


def _held() -> list[str]:
    return [
        "| a train artifact holds | which means |",
        "|---|---|",
        *(f"| {trait} | {REASONS[trait]} |" for trait in Trait),
    ]


def _verdicts() -> list[str]:
    head = " | ".join(f"{mode} artifact, role {role}" for mode, role in _SUBJECTS)
    columns = "---|" * (3 + len(_SUBJECTS))
    lines = [_line(architecture, exporter) for architecture in ARCHITECTURES for exporter in Exporter]
    return [f"| network, exporter | holds | {head} | pair |", f"|{columns}", *lines]


def _line(architecture: Architecture, exporter: Exporter) -> str:
    answers = [declared(architecture, exporter, mode, role) for mode, role in _SUBJECTS]
    cells = [_cell(answer) for answer in (*answers, declared_pair(architecture, exporter))]
    held = ", ".join(sorted(architecture.holds(exporter)))
    return f"| {architecture.name}, {exporter} | {held} | {' | '.join(cells)} |"


def _cell(answer: Answer) -> str:
    return " ".join([" or ".join(map(str, answer.verdicts)), *sorted(answer.codes)])
