"""Commands that need no service: compare, run, inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropaudit.audit import audit
from dropaudit.plan import DEFAULT_ALPHA, DEFAULT_MAX_REPLICATES, DEFAULT_TOLERANCE, Plan, Provider, Role
from dropaudit_client.cli import options
from dropaudit_client.cli import subject_arguments as subjects
from dropaudit_client.terminal.outcome import (
    FailOn,
    Format,
    PlainFormat,
    check_destination,
    deliver,
    guarded,
    write_document,
    write_text,
)
from dropaudit_client.terminal.progress import shown_count, shown_progress

if TYPE_CHECKING:
    from dropaudit.changes import Outcome
    from dropaudit_formats.results import Result

# Options that have another name than the field of the plan.
_OPTIONS = {"max_replicates": "replicates"}


def compare(
    inference: Annotated[Path, typer.Argument(metavar="INFERENCE.npy", help="The inference-mode output.")],
    train: Annotated[list[Path], typer.Argument(metavar="TRAIN.npy", help="Train-mode outputs on the same input.")],
    keep_prob: options.KeepProb = None,
    alpha: options.Alpha = DEFAULT_ALPHA,
    tolerance: options.Tolerance = DEFAULT_TOLERANCE,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
) -> None:
    """Audit recorded outputs of any framework: train mode against inference mode."""
    check_destination(output)
    subject = subjects.recorded([inference, *train], keep_prob)
    report = audit(subject, Plan(alpha=alpha, tolerance=tolerance))
    deliver(report, form, output, fail_on, title=inference.name)


def run(
    context: typer.Context,
    artifacts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARTIFACT.onnx]...",
            help="An ONNX file, or several, folders of them and patterns such as 'models/**/*.onnx'; where there are "
            "none, what dropaudit.yaml names.",
        ),
    ] = None,
    role: options.RoleOption = Role.AUTO,
    inference: options.Inference = None,
    inputs: options.InputsFile = None,
    provider: options.ProviderOption = Provider.AUTO,
    compare_provider: options.CompareProvider = None,
    replicates: options.Replicates = DEFAULT_MAX_REPLICATES,
    alpha: options.Alpha = DEFAULT_ALPHA,
    tolerance: options.Tolerance = DEFAULT_TOLERANCE,
    seed: options.Seed = 0,
    keep_prob: options.KeepProb = None,
    accept: options.Accept = None,
    config: options.Config = None,
    since: options.Since = None,
    jobs: options.Jobs = 0,
    form: options.FormatOption = Format.TEXT,
    output: options.OutputFile = None,
    fail_on: options.FailOnOption = FailOn.FAIL,
) -> None:
    """Audit an ONNX file, or a train and an inference artifact of the same model, on this machine.

    Several files, folders and patterns are audited side by side and give one report. Its exit status is 2 if any audit
    could not be made, else 1 if any verdict is FAIL, else 3 if any is INCONCLUSIVE, else 0.
    """
    # Imported here: other commands start sooner without them.
    from dropaudit_client.batch.audits import report_of
    from dropaudit_client.batch.order import work_order
    from dropaudit_client.batch.settings import Given, read_accepted

    check_destination(output)
    plan = {
        "alpha": alpha,
        "tolerance": tolerance,
        "max_replicates": replicates,
        "seed": seed,
        "provider": provider,
        "compare_provider": compare_provider,
    }
    given = Given(
        role=options.if_given(context, "role", role),
        keep_prob=keep_prob,
        inputs=inputs,
        plan={key: value for key, value in plan.items() if options.is_given(context, _OPTIONS.get(key, key))},
        accepted=read_accepted(accept or []),
    )
    before = None if since is None else _outcomes_of(since)
    order = work_order(artifacts or [], inference, given, config)
    if order.is_single and before is None:
        path = order.tasks[0].member.path
        with shown_progress(path.name) as progress:
            report = report_of(order.tasks[0], progress)
        # Code scanning finds a file by its path within the repository.
        deliver(report, form, output, fail_on, title=path.name if path.is_absolute() else str(path))
    with shown_count(len(order.tasks)) as count:
        results = order.results(jobs, count)
    _deliver_all(results, before, order.alpha, form, output, fail_on)


def _outcomes_of(since: Path) -> dict[str, Outcome]:
    from dropaudit_client.batch.since import read_outcomes

    return read_outcomes(since)


def _deliver_all(
    results: list[Result],
    before: dict[str, Outcome] | None,
    alpha: float,
    form: Format,
    output: Path | None,
    fail_on: FailOn,
) -> None:
    from dropaudit_client.batch.delivery import deliver_batch
    from dropaudit_client.batch.results import Batch
    from dropaudit_client.batch.since import changed

    change = None if before is None else changed(before, results, alpha)
    deliver_batch(Batch(tuple(results), change), form, output, fail_on)


def inspect(
    artifact: Annotated[Path, typer.Argument(metavar="ARTIFACT.onnx", help="The ONNX file to look at.")],
    form: options.PlainFormatOption = PlainFormat.TEXT,
    output: options.OutputFile = None,
) -> None:
    """List the dropout sites that a graph declares, without running anything."""
    check_destination(output)
    from dropaudit.graph.reading.load import read_artifact
    from dropaudit.measure.cases.inspect import inspect_model
    from dropaudit.report import to_json

    sites = inspect_model(read_artifact(artifact))
    if form is PlainFormat.JSON:
        write_document({"sites": [to_json(site) for site in sites]}, output)
        return
    if not sites:
        write_text(f"{artifact.name} declares no dropout site.\n", output)
        return
    import sys

    from dropaudit_client.terminal.render import render_sites, show, to_text

    table = render_sites(sites)
    if output is None:
        guarded(lambda: show(table, sys.stdout))
    else:
        write_text(to_text(table), output)
