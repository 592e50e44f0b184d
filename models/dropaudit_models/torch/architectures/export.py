"""The architectures through both exporters in both modes, as people call them: with every default."""

from __future__ import annotations

import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import onnx
import torch

from dropaudit_models.torch.architectures.catalogue import MODULE, Architecture, Exporter, Mode
from dropaudit_models.torch.architectures.examples import Made

_LEGACY = {Mode.TRAIN: torch.onnx.TrainingMode.TRAINING, Mode.EVAL: torch.onnx.TrainingMode.EVAL}


def made(architecture: Architecture) -> Made:
    """Make the module and its example; the same weights each time."""
    module, _, function = architecture.factory.partition(":")
    built: Made = getattr(importlib.import_module(f"{MODULE}.{module}"), function)()
    return built


def export(architecture: Architecture, exporter: Exporter, mode: Mode) -> onnx.ModelProto:
    """Export an architecture with `torch.onnx.export`; inputs have the names of the module's arguments."""
    module, example = made(architecture)
    module.train(mode is Mode.TRAIN)
    with _quiet(), torch.no_grad(), _written_out():
        if exporter is Exporter.DYNAMO:
            model: onnx.ModelProto = torch.onnx.export(module, example, dynamo=True, verbose=False).model_proto
            return model
        return _legacy(module, example, mode)


def example_arrays(architecture: Architecture, model: onnx.ModelProto) -> dict[str, Any]:
    """Return the example by the input names of an export."""
    names = [value.name for value in model.graph.input]
    return {name: tensor.numpy() for name, tensor in zip(names, made(architecture)[1], strict=True)}


def _legacy(module: torch.nn.Module, example: tuple[torch.Tensor, ...], mode: Mode) -> onnx.ModelProto:
    content = io.BytesIO()
    names = ["x"] if len(example) == 1 else [f"x{index}" for index in range(len(example))]
    torch.onnx.export(module, example, content, dynamo=False, training=_LEGACY[mode], input_names=names)
    return onnx.load_from_string(content.getvalue())


@contextmanager
def _written_out() -> Iterator[None]:
    """Turn nn.TransformerEncoder's fused kernel off, which the legacy exporter refuses in evaluation mode."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hush the exporters, which warn of train mode, wanted here, and of calls and packages of their own."""
    log, chatter = logging.getLogger("torch.onnx"), io.StringIO()
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(chatter), redirect_stderr(chatter):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
