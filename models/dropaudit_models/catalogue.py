"""The reference models by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.plan import Role
from dropaudit_models.lstm.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import Form, build

SEED_LSTM = LSTMSpec(input_size=2, layers=(Layer(10, Wrapper(output_keep_prob=0.5)),), seed=0)


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """A model with a known answer.

    Attributes:
        role: the role to audit it in.
        findings: codes that the audit must report, and no other ERROR.
        build: makes the model; the same one each time.
    """

    name: str
    description: str
    role: Role
    findings: frozenset[str]
    build: Callable[[], onnx.ModelProto]


def reference_models() -> tuple[ReferenceModel, ...]:
    """Return the reference models: the LSTM of the seed case and its twins, which share the weights."""
    return (
        ReferenceModel(
            name="lstm",
            description="LSTMCell(10) on inputs of size 2, without dropout",
            role=Role.INFERENCE,
            findings=frozenset(),
            build=lambda: build(SEED_LSTM, Form.WITHOUT),
        ),
        ReferenceModel(
            name="lstm-dropout",
            description="its train-mode twin: DropoutWrapper(output_keep_prob=0.5)",
            role=Role.TRAIN,
            findings=frozenset(),
            build=lambda: build(SEED_LSTM, Form.TRAIN),
        ),
        ReferenceModel(
            name="lstm-dropout-unscaled",
            description="a faulty twin: the mask is applied and the kept values are not scaled",
            role=Role.TRAIN,
            findings=frozenset({"DA301", "DA305"}),
            build=lambda: build(SEED_LSTM, Form.PAPER_TRAIN),
        ),
    )


def export(name: str, directory: Path) -> Path:
    """Write a reference model to `directory`/`name`.onnx and return that path.

    Raises:
        InvalidArgument: there is no such model.
        UnreadableFile: the file cannot be written.
    """
    found = next((model for model in reference_models() if model.name == name), None)
    if found is None:
        known = ", ".join(model.name for model in reference_models())
        raise InvalidArgument(f"there is no reference model {name!r}; there are {known}", name=name)
    path = directory / f"{name}.onnx"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.build().SerializeToString())
    except OSError as error:
        raise UnreadableFile(f"cannot write {path}: {error.strerror or error}", path=str(path)) from error
    return path
