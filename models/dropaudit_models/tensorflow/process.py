"""TensorFlow's models are made by another process: TensorFlow and the service want different protobufs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dropaudit.errors import InvalidArgument
from dropaudit_models.errors import ExportFailed, FrameworkMissing

EXPORTER = "dropaudit_models.tensorflow"
# Exit status of the exporter.
FRAMEWORK_MISSING = 3
_SECONDS = 600


def export_in_process(name: str, directory: Path, python: str) -> tuple[Path, ...]:
    """Let an interpreter that has TensorFlow export a model; returns the files it says it wrote.

    Args:
        name: as the catalogue has it.
        directory: made if it is not there.
        python: an interpreter with dropaudit's extra `models-tensorflow`.

    Raises:
        InvalidArgument: there is no such interpreter.
        FrameworkMissing: it has no TensorFlow, or no dropaudit.
        ExportFailed: the exporter failed.
    """
    command = [python, "-m", EXPORTER, name, "-o", str(directory)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except OSError as error:
        raise InvalidArgument(f"cannot run {python}: {error.strerror or error}", python=python) from error
    except subprocess.TimeoutExpired as error:
        raise ExportFailed(f"the export of {name} did not end within {_SECONDS} s", name=name) from error
    if ended.returncode == FRAMEWORK_MISSING or f"No module named {EXPORTER.partition('.')[0]}" in ended.stderr:
        raise FrameworkMissing(
            f"{python} has no TensorFlow: make an environment with `pip install 'dropaudit[models-tensorflow]'` and "
            "name its interpreter",
            python=python,
        )
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise ExportFailed(f"the export of {name} failed: {last}", name=name)
    return tuple(Path(line) for line in ended.stdout.splitlines() if line.endswith(".onnx"))
