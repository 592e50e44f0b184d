"""From a name to a module and its pair. PyTorch is imported when it is needed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropaudit.errors import InvalidArgument
from dropaudit_models.errors import FrameworkMissing
from dropaudit_models.torch.catalogue import TORCH_MODELS

if TYPE_CHECKING:
    from dropaudit_models.torch.export import ExportedPair

READY_MADE = "dropaudit_models.torch.ready_made"


def export_ready_made(name: str, directory: Path) -> tuple[Path, ...]:
    """Export a model of the catalogue to `directory`; returns its train and inference artifact.

    Raises:
        InvalidArgument: the catalogue has no such model.
        FrameworkMissing: PyTorch is not installed.
        ExportFailed: the exporter refuses it.
        UnreadableFile: the directory cannot be written to.
    """
    found = next((model for model in TORCH_MODELS if model.name == name), None)
    if found is None:
        raise InvalidArgument(f"there is no PyTorch model {name!r}", name=name)
    pair = capture(f"{READY_MADE}:{found.factory}", directory, name)
    return pair.train, pair.inference


def capture(target: str, directory: Path, name: str | None = None) -> ExportedPair:
    """Export what a function makes.

    Args:
        target: `module:function`; the function takes nothing and returns a module and the tuple of its arguments.
        directory: gets the files.
        name: first part of their names, the function's by default.

    Raises:
        InvalidArgument: there is no such function, or it returns something else.
        FrameworkMissing: PyTorch is not installed.
        ExportFailed: the exporter refuses the module.
        UnreadableFile: the directory cannot be written to.
    """
    require_torch()
    from dropaudit_models.torch.export import export_pair

    module, example = _made(_function(target), target)
    return export_pair(module, example, directory, name=name or target.rpartition(":")[2])


def require_torch(find: Callable[[str], object] = find_spec) -> None:
    """Raise FrameworkMissing where `find` finds no PyTorch, or not what its exporter needs."""
    for package in ("torch", "onnxscript"):
        if find(package) is None:
            raise FrameworkMissing(
                f"{package} is not installed: pip install 'dropaudit[models-torch]'", package=package
            )


def _function(target: str) -> Callable[[], Any]:
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise InvalidArgument(f"{target!r} is not MODULE:FUNCTION", target=target)
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise InvalidArgument(f"cannot find {target!r}: {error}", target=target) from error
    if not callable(found):
        raise InvalidArgument(f"{target!r} is not a function", target=target)
    function: Callable[[], Any] = found
    return function


def _made(function: Callable[[], Any], target: str) -> tuple[Any, tuple[Any, ...]]:
    import torch

    made = function()
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], torch.nn.Module):
        module, example = made
        return module, example if isinstance(example, tuple) else (example,)
    raise InvalidArgument(
        f"{target!r} must return a module and its arguments, not {type(made).__name__}", target=target
    )
