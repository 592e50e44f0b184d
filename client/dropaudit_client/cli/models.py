"""Commands that write models: models catalogue, export and corpus, and capture."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dropaudit_client.cli import options
from dropaudit_client.cli.rows import table
from dropaudit_client.terminal.outcome import PlainFormat, write_document, write_text

models_app = typer.Typer(no_args_is_help=True, help="Models that a service stores, and models whose audits are known.")
OutputFolder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write to.")]


class Framework(StrEnum):
    """The framework that makes a model."""

    NATIVE = "native"
    TORCH = "torch"
    TENSORFLOW = "tensorflow"


@models_app.command("catalogue")
def list_catalogue(
    framework: Annotated[Framework | None, typer.Option("--framework", help="Only models of this one.")] = None,
    form: options.PlainFormatOption = PlainFormat.TEXT,
) -> None:
    """List models that can be exported: name, framework, role to audit it in, findings it must raise, what it is."""
    from dropaudit_models.offers import offers

    shown = [offer for offer in offers() if framework is None or offer.framework == framework.value]
    if form is PlainFormat.JSON:
        write_document({"models": [{"name": offer.name, "framework": str(offer.framework)} for offer in shown]})
        return
    rows = [(offer.name, str(offer.framework), offer.use, " ".join(offer.codes) or "-", offer.says) for offer in shown]
    write_text(table(("name", "framework", "role", "findings", "what it is"), rows))


@models_app.command("export")
def export_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `models catalogue` shows.")],
    output: OutputFolder,
    framework: Annotated[Framework, typer.Option("--framework", help="What makes the model.")] = Framework.NATIVE,
    python: Annotated[
        str, typer.Option("--python", metavar="PATH", help="Interpreter that has TensorFlow, for its models.")
    ] = sys.executable,
) -> None:
    """Write a model as ONNX, a pair as two files, and print the paths."""
    from dropaudit_models import offers

    paths = offers.export_offer(name, output, offers.Framework(framework.value), python)
    write_text("".join(f"{path}\n" for path in paths))


@models_app.command("corpus")
def write_corpus(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Number of specimens.")] = 100,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="The same seed gives the same files.")] = 0,
) -> None:
    """Write random specimens and their labels, for `make evaluate`, and print the path of the labels."""
    from dropaudit_models import corpus

    write_text(f"{corpus.write_corpus(directory, count, seed)}\n")


def capture(
    torch: Annotated[
        str, typer.Option("--torch", metavar="MODULE:FUNCTION", help="Returns a PyTorch module and its arguments.")
    ],
    output: OutputFolder,
) -> None:
    """Write the train and the inference artifact of your own module, and print their paths and that of its inputs."""
    from dropaudit_models.torch.load import capture as captured

    pair = captured(torch, output)
    for note in pair.notes:
        print(f"{note.problem}: {note.message}", file=sys.stderr)
    write_text(f"{pair.train}\n{pair.inference}\n{pair.inputs}\n")
