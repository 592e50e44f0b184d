"""Commands that call a service: submit, watch, get."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dropaudit.errors import InvalidArgument
from dropaudit.plan import DEFAULT_ALPHA, DEFAULT_MAX_REPLICATES, DEFAULT_TOLERANCE, Plan, Provider, Role
from dropaudit.subjects import Subject
from dropaudit_client.cli import options
from dropaudit_client.cli import subject_arguments as subjects
from dropaudit_client.cli.runs import Wanted, follow_run, is_run, show_run
from dropaudit_client.terminal.outcome import FailOn, Format, check_destination, deliver, write_text
from dropaudit_client.terminal.progress import shown_progress

if TYPE_CHECKING:
    from dropaudit_client.client import AuditClient
    from dropaudit_client.resources import Audit, SubjectRef

AuditName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the audit, audits/…, or of a run, suites/…/runs/….")
]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label; may be repeated.")]


def submit(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="An ONNX file, or a URI that the service allows; with --recorded arrays."),
    ],
    recorded: Annotated[
        bool, typer.Option("--recorded", help="The files are INFERENCE.npy and one or more TRAIN.npy.")
    ] = False,
    role: options.RoleOption = Role.AUTO,
    inference: Annotated[
        str | None, typer.Option("--inference", metavar="OTHER", help="The inference artifact, a file or a URI too.")
    ] = None,
    inputs: options.InputsFile = None,
    provider: options.ProviderOption = Provider.AUTO,
    replicates: options.Replicates = DEFAULT_MAX_REPLICATES,
    alpha: options.Alpha = DEFAULT_ALPHA,
    tolerance: options.Tolerance = DEFAULT_TOLERANCE,
    seed: options.Seed = 0,
    keep_prob: options.KeepProb = None,
    label: Label = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the model is called; by default as its file.")
    ] = "",
    request_id: Annotated[
        str | None, typer.Option("--request-id", metavar="ID", help="The same id makes no second audit.")
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Let audits that somebody waits for go first.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the report and print it.")] = False,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Upload what is needed, ask the service for an audit, and print the audit's name."""
    from dropaudit_client.resources import Priority

    check_destination(output)
    plan = Plan(alpha=alpha, tolerance=tolerance, max_replicates=replicates, seed=seed, provider=provider)
    labels = read_labels(label or [])
    subject = _subject(files, recorded, role, inference, inputs, keep_prob)
    names = _names(name, files, inference)
    with options.connected(context, address) as client:
        stored = client.store_subject(subject, names)
        priority = Priority.BATCH if batch else Priority.INTERACTIVE
        made = client.create_audit(
            stored, plan, labels=labels, request_id=request_id, priority=priority, display_name=" + ".join(names)
        )
        if not wait:
            write_text(f"{made.name}\n", output)
            return
        print(made.name, file=sys.stderr)
        _follow(client, made.name, form, output, fail_on)


def watch(
    context: typer.Context,
    name: AuditName,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Follow an audit, or a run of a suite, to its end and print what it found."""
    check_destination(output)
    with options.connected(context, address) as client:
        if is_run(name):
            follow_run(client, name, Wanted(form, output, fail_on))
        _follow(client, name, form, output, fail_on)


def get(
    context: typer.Context,
    name: AuditName,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
    address: options.Address = options.DEFAULT_SERVICE,
) -> None:
    """Print the report of a finished audit, or what a run of a suite found so far."""
    check_destination(output)
    if is_run(name):
        with options.connected(context, address) as client:
            show_run(client, client.get_run(name), Wanted(form, output, fail_on))
    from dropaudit_client.errors import AuditNotMade
    from dropaudit_client.responses import report_of

    with options.connected(context, address) as client:
        audit = client.get_audit(name)
    if not audit.state.final:
        raise AuditNotMade("NOT_FINISHED", f"{name} is {audit.state}; `dropaudit watch {name}` waits for it", code="OK")
    deliver(report_of(audit), form, output, fail_on, title=title_of(audit))


def _follow(client: AuditClient, name: str, form: Format, output: Path | None, fail_on: FailOn) -> NoReturn:
    from dropaudit_client.responses import report_of

    with shown_progress(name) as progress:
        audit = client.wait(name, progress)
    deliver(report_of(audit), form, output, fail_on, title=title_of(audit))


def title_of(audit: Audit) -> str:
    """Return what an audit's report is headed with."""
    return f"{audit.display_name}  {audit.name}" if audit.display_name else audit.name


def _names(name: str, files: list[str], inference: str | None) -> list[str]:
    """Return what the models are called: as the caller says, otherwise as their files."""
    paths = [files[0], inference] if inference else [files[0]]
    names = [path.replace("\\", "/").rpartition("/")[2] for path in paths]
    return [name or names[0], *names[1:]]


def _subject(
    files: list[str],
    recorded: bool,
    role: Role,
    inference: str | None,
    inputs: Path | None,
    keep_prob: float | None,
) -> Subject | SubjectRef:
    from dropaudit_client.resources import is_uri

    if recorded:
        return subjects.recorded(list(map(Path, files)), keep_prob)
    if len(files) != 1:
        raise InvalidArgument("one ONNX file makes an audit; for arrays give --recorded, for a pair --inference")
    if is_uri(files[0]) or is_uri(inference or ""):
        return subjects.by_reference(files[0], role, inference, inputs, keep_prob)
    return subjects.artifact_or_pair(Path(files[0]), role, Path(inference) if inference else None, inputs, keep_prob)


def read_labels(pairs: list[str]) -> dict[str, str]:
    """Read KEY=VALUE. Raises InvalidArgument."""
    split = [pair.partition("=") for pair in pairs]
    if wrong := [key + value for key, equals, value in split if not (equals and key)]:
        raise InvalidArgument(f"a label is KEY=VALUE, not {wrong[0]!r}", field="label")
    return {key: value for key, _, value in split}
