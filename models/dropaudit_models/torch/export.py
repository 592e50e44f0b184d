"""A PyTorch module as a train and an inference artifact."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from dropaudit.graph.reading.random_types import RANDOM
from dropaudit_models.errors import ExportFailed
from dropaudit_models.files import write_bytes, write_model
from dropaudit_models.torch.notes import Note, notes_of

AGREEMENT = 1e-5


@dataclass(frozen=True, slots=True)
class ExportedPair:
    """Files of one module in both modes.

    Attributes:
        train, inference: the artifacts.
        inputs: the example as .npz, keys being the artifacts' input names.
        difference: largest absolute difference of the inference artifact's outputs from the module's; None where the
            module itself is random in evaluation mode.
        notes: what is known to go wrong with such a module, and what was done about it.
    """

    train: Path
    inference: Path
    inputs: Path
    difference: float | None
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Exported:
    """One mode. `drawn` counts the random operators, `folded` those that the exporter's optimizer would remove."""

    model: onnx.ModelProto
    drawn: int
    folded: int


def export_pair(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    directory: Path,
    *,
    name: str = "model",
    dynamic_shapes: Any = None,
) -> ExportedPair:
    """Export a module with `torch.onnx` in train mode and in evaluation mode.

    Every submodule has its own mode again afterwards. The exporter's optimizer folds masks that are made from
    constants, and merges masks that are made alike: where it would lose one, the graph is written unoptimized and the
    result has a note. The legacy exporter is not used: it refuses stacked LSTM, alpha and feature dropout.

    Args:
        module: any module that `torch.export` can trace.
        example: its positional arguments.
        directory: gets NAME.train.onnx, NAME.inference.onnx and NAME.inputs.npz.
        name: first part of the files' names.
        dynamic_shapes: as `torch.onnx.export` takes it; every extent is the example's by default.

    Raises:
        ExportFailed: the exporter refuses the module, or the inference artifact differs from the module by more than
            1e-5 of the largest output (or of 1).
        UnreadableFile: the directory cannot be written to.
    """
    with _modes_kept(module):
        train = _exported(module.train(), example, dynamic_shapes)
        inference = _exported(module.eval(), example, dynamic_shapes)
        arrays = _named(example, inference.model)
        difference = None if inference.drawn else _checked(module, example, inference.model, arrays)
    notes = notes_of(module, train.drawn, train.folded, inference.drawn)
    return ExportedPair(
        train=write_model(train.model, directory / f"{name}.train.onnx"),
        inference=write_model(inference.model, directory / f"{name}.inference.onnx"),
        inputs=write_arrays(arrays, directory / f"{name}.inputs.npz"),
        difference=difference,
        notes=notes,
    )


@contextmanager
def _modes_kept(module: torch.nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _exported(module: torch.nn.Module, example: tuple[torch.Tensor, ...], dynamic_shapes: Any) -> _Exported:
    program = _program(module, example, dynamic_shapes)
    written = onnx.ModelProto()
    written.CopyFrom(program.model_proto)
    program.optimize()
    optimized = program.model_proto
    drawn, left = _random_operators(written), _random_operators(optimized)
    return _Exported(model=optimized if left == drawn else written, drawn=drawn, folded=drawn - left)


def _program(module: torch.nn.Module, example: tuple[torch.Tensor, ...], dynamic_shapes: Any) -> Any:
    chatter = io.StringIO()
    try:
        with redirect_stdout(chatter), redirect_stderr(chatter), _warnings_off(), torch.no_grad():
            return torch.onnx.export(
                module, example, dynamo=True, optimize=False, verbose=False, dynamic_shapes=dynamic_shapes
            )
    except Exception as error:  # the exporter has no one class of errors
        mode = "train" if module.training else "evaluation"
        sentence = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ExportFailed(f"torch.onnx cannot export the module in {mode} mode: {sentence}", mode=mode) from error


@contextmanager
def _warnings_off() -> Iterator[None]:
    """Hush the exporter, which warns of train mode, wanted here, and of calls and packages of its own."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _random_operators(model: onnx.ModelProto) -> int:
    return sum(map(_random_in, [model.graph.node, *(function.node for function in model.functions)]))


def _random_in(nodes: Any) -> int:
    inner = [attribute.g.node for node in nodes for attribute in node.attribute if attribute.HasField("g")]
    return sum(node.op_type in RANDOM for node in nodes) + sum(map(_random_in, inner))


def _named(example: tuple[torch.Tensor, ...], model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    names = [value.name for value in model.graph.input]
    return {name: tensor.detach().cpu().numpy() for name, tensor in zip(names, example, strict=True)}


def _checked(
    module: torch.nn.Module, example: tuple[torch.Tensor, ...], model: onnx.ModelProto, arrays: dict[str, NDArray[Any]]
) -> float:
    """Compare with the module by ONNX's reference evaluator, which shares no code with the exporter or a runtime."""
    found = ReferenceEvaluator(model).run(None, arrays)
    with torch.no_grad():
        expected = [tensor.detach().cpu().numpy() for tensor in _flat(module(*example))]
    difference = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    largest = max(1.0, *(float(np.abs(value).max()) for value in expected))
    if not difference <= AGREEMENT * largest:
        raise ExportFailed(f"the inference artifact differs from the module by {difference:.3g}")
    return difference


def _flat(returned: Any) -> list[torch.Tensor]:
    if isinstance(returned, torch.Tensor):
        return [returned]
    return [tensor for part in returned for tensor in _flat(part)]


def write_arrays(arrays: dict[str, NDArray[Any]], path: Path) -> Path:
    """Write named arrays as .npz, with the folder they lie in. Raises UnreadableFile when that cannot be done."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return write_bytes(content.getvalue(), path)
