"""Every model that can be exported by name, whatever framework makes it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dropaudit.errors import InvalidArgument
from dropaudit_models.catalogue import export, reference_models
from dropaudit_models.corpus import write_specimen
from dropaudit_models.specimens import KINDS, Kind, settings_of
from dropaudit_models.tensorflow.catalogue import TENSORFLOW_MODELS
from dropaudit_models.tensorflow.process import export_in_process
from dropaudit_models.torch.catalogue import TORCH_MODELS
from dropaudit_models.torch.load import export_ready_made


class Framework(StrEnum):
    """The framework that makes a model."""

    NATIVE = "native"
    TORCH = "torch"
    TENSORFLOW = "tensorflow"


@dataclass(frozen=True, slots=True)
class Offer:
    """A model by name.

    Attributes:
        use: the role to audit it in, or `pair`.
        codes: findings that its audit must report.
        write: writes it to a folder, with the interpreter that has its framework, and returns the files.
    """

    name: str
    framework: Framework
    use: str
    codes: tuple[str, ...]
    says: str
    write: Callable[[Path, str], tuple[Path, ...]]


def offers() -> tuple[Offer, ...]:
    """Return all models, the reference models first."""
    return (*_references(), *map(_of_kind, KINDS), *_torch(), *_tensorflow())


def export_offer(
    name: str, directory: Path, framework: Framework = Framework.NATIVE, python: str = sys.executable
) -> tuple[Path, ...]:
    """Write a model to a folder and return the files: one artifact, or a pair's train and inference artifacts.

    Args:
        name: as `offers` has it.
        directory: made if it is not there.
        framework: whose model; some names exist in several.
        python: interpreter that has TensorFlow, for its models.

    Raises:
        InvalidArgument: the framework has no model of this name.
        FrameworkMissing: the framework is not installed.
        UnreadableFile: the folder cannot be written to.
    """
    known = [offer for offer in offers() if offer.framework is framework]
    found = next((offer for offer in known if offer.name == name), None)
    if found is None:
        names = ", ".join(offer.name for offer in known)
        raise InvalidArgument(f"there is no {framework} model {name!r}; there are {names}", name=name)
    return found.write(directory, python)


def _references() -> list[Offer]:
    return [
        Offer(
            name=model.name,
            framework=Framework.NATIVE,
            use=str(model.role),
            codes=tuple(sorted(model.findings)),
            says=model.description,
            write=_writer_of(model.name),
        )
        for model in reference_models()
    ]


def _writer_of(name: str) -> Callable[[Path, str], tuple[Path, ...]]:
    return lambda directory, python: (export(name, directory),)


def _of_kind(kind: Kind) -> Offer:
    setting = next((each for each in settings_of(kind) if each.keep_prob == 0.7), settings_of(kind)[0])
    specimen = kind.specimen(setting)
    answer = specimen.answer
    return Offer(
        name=kind.name,
        framework=Framework.NATIVE,
        use="pair" if kind.inference else str(kind.role),
        codes=tuple(sorted(answer.codes)),
        says=kind.says,
        write=lambda directory, python: write_specimen(specimen, directory),
    )


def _torch() -> list[Offer]:
    return [
        Offer(model.name, Framework.TORCH, "pair", model.codes, model.says, _ready_made(model.name))
        for model in TORCH_MODELS
    ]


def _ready_made(name: str) -> Callable[[Path, str], tuple[Path, ...]]:
    return lambda directory, python: export_ready_made(name, directory)


def _tensorflow() -> list[Offer]:
    return [
        Offer(model.name, Framework.TENSORFLOW, str(model.role), model.codes, model.says, _in_process(model.name))
        for model in TENSORFLOW_MODELS
    ]


def _in_process(name: str) -> Callable[[Path, str], tuple[Path, ...]]:
    return lambda directory, python: export_in_process(name, directory, python)
