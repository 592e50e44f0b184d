"""The command that makes an audit again."""

from __future__ import annotations

import shlex

from dropaudit.plan import DEFAULT_ALPHA, DEFAULT_MAX_REPLICATES, DEFAULT_TOLERANCE
from dropaudit.report import Report, Settings
from dropaudit_formats.names import cut_middle

_LONGEST = 200


def command_of(report: Report, title: str) -> str:
    """Return the command, as a shell takes it; "" of a report that does not tell its settings.

    Names of files that a report does not hold stand in capitals.
    """
    settings = report.execution.settings
    if settings is None:
        return ""
    words = _recorded(report, title) if report.execution.sampling == "recorded" else _run(report, settings, title)
    words += _options(settings)
    return " ".join(map(shlex.quote, words))


def _recorded(report: Report, title: str) -> list[str]:
    first = title if title.endswith(".npy") else "INFERENCE.npy"
    count = report.execution.replicates
    return ["dropaudit", "compare", _plain(first), *(["TRAIN.npy"] if count == 1 else ["TRAIN-1.npy", "TRAIN-2.npy"])]


def _run(report: Report, settings: Settings, title: str) -> list[str]:
    execution = report.execution
    words = ["dropaudit", "run", _plain(title if title.endswith(".onnx") else "MODEL.onnx")]
    if settings.role:
        words += ["--role", settings.role]
    if len(execution.artifacts) > 1:
        words += ["--inference", "INFERENCE.onnx"]
    if any(not each.synthesized for each in execution.inputs):
        words += ["--inputs", "INPUTS.npz"]
    # Where it ran decides which masks a seed draws.
    words += ["--provider", execution.provider, "--seed", str(execution.seed)]
    if settings.compare_provider:
        words += ["--compare-provider", settings.compare_provider]
    if settings.max_replicates != DEFAULT_MAX_REPLICATES:
        words += ["--replicates", str(settings.max_replicates)]
    return words


def _options(settings: Settings) -> list[str]:
    words = []
    if settings.keep_prob is not None:
        words += ["--keep-prob", f"{settings.keep_prob:g}"]
    if settings.alpha != DEFAULT_ALPHA:
        words += ["--alpha", f"{settings.alpha:g}"]
    if settings.tolerance != DEFAULT_TOLERANCE:
        words += ["--tolerance", f"{settings.tolerance:g}"]
    return words


def _plain(path: str) -> str:
    return cut_middle(path, _LONGEST)
