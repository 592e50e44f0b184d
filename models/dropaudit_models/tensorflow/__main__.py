"""`python -m dropaudit_models.tensorflow NAME… -o DIR`: export models of the catalogue, all without a name.

Run it in an environment of its own, with the extra `models-tensorflow`. With --labels it writes labels.json too.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from dropaudit.errors import AuditError
from dropaudit_models.files import write_json, write_model
from dropaudit_models.tensorflow.catalogue import TENSORFLOW_MODELS
from dropaudit_models.tensorflow.process import FRAMEWORK_MISSING

# TensorFlow reads these when it is imported: Keras 2, no chatter, no GPU.
_ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
_PACKAGES = ("tensorflow", "tf_keras", "tf2onnx")


def main() -> int:
    """Export and print the paths; the exit status is FRAMEWORK_MISSING where TensorFlow is not installed."""
    names = [model.name for model in TENSORFLOW_MODELS]
    parser = argparse.ArgumentParser(prog="python -m dropaudit_models.tensorflow", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*names, []], default=[], metavar="NAME", help=", ".join(names))
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--labels", action="store_true", help="write labels.json beside the models")
    asked = parser.parse_args()
    if missing := [package for package in _PACKAGES if find_spec(package) is None]:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return FRAMEWORK_MISSING
    os.environ.update(_ENVIRONMENT)
    try:
        _export(asked.name or names, asked.output, asked.labels)
    except AuditError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


def _export(names: list[str], directory: Path, labels: bool) -> None:
    from dropaudit_models.tensorflow.graphs import exported

    models = [model for model in TENSORFLOW_MODELS if model.name in names]
    for model in models:
        print(write_model(exported(model), directory / f"{model.name}.onnx"))
    if labels:
        print(write_json([model.row() for model in models], directory / "labels.json"))


if __name__ == "__main__":
    sys.exit(main())
