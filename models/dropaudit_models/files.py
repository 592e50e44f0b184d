"""Writing models to a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from dropaudit.errors import UnreadableFile


def write_model(model: onnx.ModelProto, path: Path) -> Path:
    """Write an ONNX file, with the folder it lies in. Raises UnreadableFile when that cannot be done."""
    return write_bytes(model.SerializeToString(), path)


def write_json(value: Any, path: Path) -> Path:
    """Write indented JSON. Raises UnreadableFile when that cannot be done."""
    return write_bytes((json.dumps(value, indent=1) + "\n").encode(), path)


def write_bytes(content: bytes, path: Path) -> Path:
    """Write a file, with the folder it lies in. Raises UnreadableFile when that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UnreadableFile(f"cannot write {path}: {error.strerror or error}", path=str(path)) from error
    return path
