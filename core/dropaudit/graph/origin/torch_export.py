"""The notes of PyTorch's torch.export exporter on each node: the module it stands for, and the line of code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import msgspec
import onnx

_SCOPES, _TRACE = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.stack_trace"
_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in ')
# Code of installed packages is not the user's.
_INSTALLED = ("site-packages/", "dist-packages/", "/torch/nn/")


class CodeOrigin(msgspec.Struct, frozen=True):
    """Where a node comes from; empty where nobody wrote it down.

    Attributes:
        module: path of the module, as `encoder.layers.1.dropout`.
        location: file and line of the user's code, as `model.py:42`.
    """

    module: str = ""
    location: str = ""


def code_origin(nodes: Iterable[onnx.NodeProto]) -> CodeOrigin:
    """Return what the first node with such metadata says.

    name_scopes ['', 'encoder', 'encoder.drop', 'dropout'] is the module `encoder.drop`: the last is the operation. The
    innermost frame of the stack trace that no installed package holds is the user's line.

    Args:
        nodes: of a site, the nearest first.
    """
    for node in nodes:
        said = {entry.key: entry.value for entry in node.metadata_props}
        found = CodeOrigin(_module(said.get(_SCOPES, "")), _location(said.get(_TRACE, "")))
        if found != CodeOrigin():
            return found
    return CodeOrigin()


def _module(scopes: str) -> str:
    try:
        names = ast.literal_eval(scopes) if scopes else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    modules = [name for name in names[:-1] if isinstance(name, str)] if isinstance(names, list) else []
    return modules[-1] if modules else ""


def _location(trace: str) -> str:
    own = [frame for frame in _frames(trace) if not any(part in frame[0] for part in _INSTALLED)]
    return f"{PurePosixPath(own[-1][0]).name}:{own[-1][1]}" if own else ""


def _frames(trace: str) -> Iterator[tuple[str, str]]:
    for frame in _FRAME.finditer(trace):
        yield frame["file"].replace("\\", "/"), frame["line"]
