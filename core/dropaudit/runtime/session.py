"""Sessions made for measuring, and what a default session does."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed, InvalidModel, OutOfMemory
from dropaudit.graph.reading.held_weights import LARGE_WEIGHTS, Held, held_in, weight_bytes
from dropaudit.graph.reading.messages import every, every_node
from dropaudit.plan import Provider
from dropaudit.runtime.checked_states import with_checked_states
from dropaudit.runtime.heap import give_back_freed_memory
from dropaudit.runtime.interruption import interruption
from dropaudit.runtime.provider import Device, cores

Tensors = dict[str, NDArray[Any]]

# EliminateDropout deletes train-mode Dropout; CommonSubexpressionElimination merges random operators.
_MASK_BREAKING_OPTIMIZERS = ["EliminateDropout", "CommonSubexpressionElimination"]
# Making a session of a float16 Transpose before a MatMul ends the process on the CPU (onnxruntime 1.31.1).
_CRASHING_OPTIMIZER = "MatmulTransposeFusion"
_FATAL_ONLY = 4
# Seeds 0 and 1 are one stream of the runtime's generator, and it keeps 31 bits.
_FIRST_SEED, _LAST_SEED = 2, 2**31 - 2
# The runtime has one global generator: whoever seeds it makes the session before another seeds it anew.
_SEEDING = Lock()


def draw_seed(seeds: np.random.Generator) -> int:
    """Draw a seed for the runtime: far apart, so that streams do not overlap as consecutive ones do."""
    return int(seeds.integers(_FIRST_SEED, _LAST_SEED))


class Session:
    """A model that is ready to run, with every random operator kept."""

    def __init__(
        self, model: onnx.ModelProto, place: Device, seeds: np.random.Generator, *, reseeds: bool = True
    ) -> None:
        """Load a model.

        Args:
            model: what to run.
            place: where.
            seeds: source of the runtime's seeds.
            reseeds: False leaves the generators alone from then on: runs of several threads share the global one.

        Raises:
            InvalidModel: the runtime refuses the model.
        """
        if place.provider is Provider.CUDA:
            model = with_checked_states(model)
        self._seeds = seeds if reseeds else None
        content, options = model.SerializeToString(), _options(model, place, alone=reseeds)
        with _SEEDING:
            # RandomUniform and its kind take the seed when their session is made, Dropout at each run.
            onnxruntime.set_seed(draw_seed(seeds))
            self._session = _load_somehow(content, options, place)
            if weight_bytes(held_in(model.graph.initializer).values()) >= LARGE_WEIGHTS:
                # Before another session is made: their copies would lie beside each other.
                give_back_freed_memory()
        # Until a run has succeeded, it may be what optimizations made of the model that does not run.
        self._unoptimized: Callable[[], onnxruntime.InferenceSession] | None = partial(
            _load_unoptimized, model, place, alone=reseeds
        )
        self.input_names = frozenset(value.name for value in self._session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(value.name for value in self._session.get_outputs())

    def run(self, feeds: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Tensors:
        """Run once with a fresh seed and return the named outputs.

        Raises:
            ExecutionFailed: the runtime cannot run the model; OutOfMemory where that is why.
            AuditCancelled: the audit was told to end.
        """
        if not names:
            return {}
        wanted = tuple(dict.fromkeys(names))  # what is asked for twice would be copied twice
        try:
            values = self._values(feeds, wanted)
        except OutOfMemory:
            raise
        except ExecutionFailed as failed:
            self._reload(failed)
            values = self._values(feeds, wanted)
        self._unoptimized = None
        return dict(zip(wanted, values, strict=True))

    def _reload(self, failed: ExecutionFailed) -> None:
        """Go on without optimizations; raise `failed` where there are none, or the runtime refuses that too."""
        if self._unoptimized is None:
            raise failed
        try:
            self._session, self._unoptimized = self._unoptimized(), None
        except InvalidModel:
            raise failed from None

    def _values(self, feeds: Mapping[str, NDArray[Any]], names: Sequence[str]) -> list[Any]:
        with self._one_run() as options:
            return list(self._session.run(list(names), dict(feeds), options))

    def run_bound(
        self, feeds: Mapping[str, NDArray[Any] | onnxruntime.OrtValue], names: Sequence[str], device: str
    ) -> dict[str, onnxruntime.OrtValue]:
        """Run once with a fresh seed and leave the named outputs on a device; see `run` for the errors.

        Args:
            feeds: inputs; what lies on the device already is not copied.
            names: outputs.
            device: as the runtime names it.
        """
        with self._one_run() as options:
            binding = self._session.io_binding()
            for name, value in feeds.items():
                if isinstance(value, onnxruntime.OrtValue):
                    binding.bind_ortvalue_input(name, value)
                else:
                    binding.bind_cpu_input(name, value)
            for name in names:
                binding.bind_output(name, device)
            self._session.run_with_iobinding(binding, options)
            return dict(zip(names, binding.get_outputs(), strict=True))

    @contextmanager
    def _one_run(self) -> Iterator[onnxruntime.RunOptions]:
        """Seed a run, let it be ended, and name what goes wrong in it."""
        current = interruption()
        current.check()
        if self._seeds is not None:
            onnxruntime.set_seed(draw_seed(self._seeds))
        try:
            yield current.run_options
        except Exception as error:  # the runtime's exceptions share no base but this
            current.check()
            _raise_if_out_of_memory(error)
            raise ExecutionFailed(f"the model loads but does not run: {first_line(error)}") from error


def _options(model: onnx.ModelProto, place: Device, *, alone: bool = False) -> onnxruntime.SessionOptions:
    """Return options for a session; `alone` where nothing else runs beside it."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    # Replicates are divided over threads outside; threads of a session cost more to start than they save.
    options.intra_op_num_threads = 1
    held = held_in(model.graph.initializer)
    if held:
        read = _read(model)
        # The runtime forgets what nothing reads, and refuses values for it.
        weights = {name: _shared(each) for name, each in held.items() if name in read}
        options.add_external_initializers(list(weights), list(weights.values()))
        if weight_bytes(held.values()) >= LARGE_WEIGHTS and place.provider is Provider.CPU:
            _share(options, weights)
            options.intra_op_num_threads = cores() if alone else 1
    return options


def _read(model: onnx.ModelProto) -> set[str]:
    """Return the names of tensors that an operator, in whichever body, or an output of a graph reads."""
    outputs = (value.name for graph in every(onnx.GraphProto, model) for value in graph.output)
    return {name for node in every_node(model) for name in node.input}.union(outputs)


def _share(options: onnxruntime.SessionOptions, weights: Mapping[str, onnxruntime.OrtValue]) -> None:
    """Let a session run on weights as they are: it makes no copy in an order that its processor likes better."""
    for name, value in weights.items():
        options.add_initializer(name, value)
    options.add_session_config_entry("session.disable_prepacking", "1")


_values: WeakKeyDictionary[Held, onnxruntime.OrtValue] = WeakKeyDictionary()


def _shared(held: Held) -> onnxruntime.OrtValue:
    """Return weights as the runtime takes them, without a copy: one value for all sessions."""
    if held not in _values:
        _values[held] = onnxruntime.OrtValue.ortvalue_from_numpy(held.values)
    return _values[held]


def _load_unoptimized(model: onnx.ModelProto, place: Device, *, alone: bool) -> onnxruntime.InferenceSession:
    """Load a model as it is: of a float16 tensor in a body, returned twice, optimizations make what does not run."""
    options = _options(model, place, alone=alone)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return _load(model.SerializeToString(), options, place, _MASK_BREAKING_OPTIMIZERS)


def _load_somehow(content: bytes, options: onnxruntime.SessionOptions, place: Device) -> onnxruntime.InferenceSession:
    """Load a model; without optimizations where those make of it what the runtime itself refuses."""
    try:
        return _load(content, options, place, _MASK_BREAKING_OPTIMIZERS)
    except InvalidModel:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return _load(content, options, place, _MASK_BREAKING_OPTIMIZERS)


def _load(
    content: bytes, options: onnxruntime.SessionOptions, place: Device, disabled: list[str]
) -> onnxruntime.InferenceSession:
    # Everywhere, the default session included: it deletes no dropout, and the other way the process is gone.
    disabled = [*disabled, _CRASHING_OPTIMIZER]
    current = interruption()
    current.check()
    try:
        # Without its fallback the runtime raises instead of printing to stdout and trying once more.
        with current.loading(options):
            return onnxruntime.InferenceSession(
                content, options, providers=place.providers, disabled_optimizers=disabled, enable_fallback=0
            )
    except Exception as error:  # the runtime's exceptions share no base but this
        current.check()
        _raise_if_out_of_memory(error)
        raise InvalidModel(f"ONNX Runtime cannot load the model: {first_line(error)}") from error


# Texts of the runtime's errors when the system, or its own allocator, has no memory left.
_OUT_OF_MEMORY = re.compile(
    r"bad[ _]alloc|failed to allocate memory|out of memory|smaller than requested bytes|CUDNN_STATUS_ALLOC_FAILED", re.I
)


def _raise_if_out_of_memory(error: Exception) -> None:
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
        raise OutOfMemory from error


def nodes_of_default_session(model: onnx.ModelProto, place: Device) -> frozenset[str]:
    """Return the names of the nodes that are left when a default session has optimized an untouched model.

    Bodies of control-flow operators are included. Where the optimizer makes of the model what the runtime itself then
    refuses, nothing is optimized and all are left. Raises InvalidModel when the runtime refuses the model.
    """
    try:
        return _optimized_nodes(model, place)
    except InvalidModel:
        options = _options(model, place)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        _load(model.SerializeToString(), options, place, [])
        return frozenset(_node_names(model.graph))


def _optimized_nodes(model: onnx.ModelProto, place: Device) -> frozenset[str]:
    with _scratch_file() as path, _nowhere() as nowhere:
        options = _options(model, place)
        options.optimized_model_filepath = path
        if nowhere is not None:
            # Large weights are written beside the model: to a file that keeps nothing.
            options.add_session_config_entry("session.optimized_model_external_initializers_file_name", nowhere)
        _load(model.SerializeToString(), options, place, [])
        optimized = onnx.load(path, load_external_data=False)
    return frozenset(_node_names(optimized.graph))


@contextmanager
def _scratch_file() -> Iterator[str]:
    """Yield the path of an empty file: in memory where the system has such files, which no crash leaves behind."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("dropaudit")
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory(prefix="dropaudit-") as folder:
            yield str(Path(folder) / "optimized.onnx")


@contextmanager
def _nowhere() -> Iterator[str | None]:
    """Yield the name of a file beside one in memory that keeps nothing; None where there are no such files."""
    if not hasattr(os, "memfd_create"):
        yield None
        return
    descriptor = os.open(os.devnull, os.O_RDWR)
    try:
        yield str(descriptor)
    finally:
        os.close(descriptor)


def _node_names(graph: onnx.GraphProto) -> list[str]:
    names = []
    for node in graph.node:
        names.append(node.name)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                names += _node_names(attribute.g)
    return names


_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_IN_NODE = re.compile(r'In Node, \("(?P<node>[^"]*)".*Error (?P<what>.+)')
_LONGEST = 300


def first_line(error: Exception) -> str:
    """Return one sentence of a runtime's error: without its code, its lists of tensors and the lines after it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _PREFIX.sub("", lines[0]) if lines else type(error).__name__
    in_node = _IN_NODE.search(text)
    if in_node is not None:
        text = f"node {in_node['node']!r}: {in_node['what']}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
