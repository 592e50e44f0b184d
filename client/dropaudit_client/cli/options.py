"""Options that several subcommands share. Each is declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dropaudit.plan import Provider, Role
from dropaudit_client.channel import DEFAULT_ADDRESS, Security
from dropaudit_client.terminal.outcome import FailOn, Format, PlainFormat

if TYPE_CHECKING:
    from dropaudit_client.client import AuditClient

T = TypeVar("T")

KeepProb = Annotated[
    float | None, typer.Option("--keep-prob", metavar="Q", help="Keep probability that the training code declares.")
]
RoleOption = Annotated[Role, typer.Option("--role", help="How the artifact is meant to be used.")]
Inference = Annotated[
    Path | None, typer.Option("--inference", metavar="OTHER.onnx", help="The inference artifact of the same model.")
]
InputsFile = Annotated[
    Path | None, typer.Option("--inputs", metavar="X.npz", help="What to run on; made from the signature if absent.")
]
ProviderOption = Annotated[Provider, typer.Option("--provider", help="Where to run.")]
CompareProvider = Annotated[
    Provider | None,
    typer.Option("--compare-provider", help="Run inference there as well, and compare the outputs."),
]
Replicates = Annotated[int, typer.Option("--replicates", metavar="MAX", help="Most replicates to draw.")]
Alpha = Annotated[float, typer.Option("--alpha", metavar="A", help="Chance of any false finding.")]
Tolerance = Annotated[
    float, typer.Option("--tolerance", metavar="T", help="How far an output's scale factor may leave 1.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of inputs and masks.")]
FormatOption = Annotated[Format, typer.Option("--format", help="Form of the report.")]
PlainFormatOption = Annotated[PlainFormat, typer.Option("--format", help="Form of what is printed.")]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report there instead of to stdout.")
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="CODE[@SUBJECT]=REASON",
        help="A finding that is known and meant: it stays in the report and does not count; may be repeated.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Read it in place of the dropaudit.yaml in the working folder."),
]
Since = Annotated[
    Path | None,
    typer.Option(
        "--since", metavar="FILE.json", help="An earlier report of `run --format json`: show what changed since then."
    ),
]
Jobs = Annotated[
    int, typer.Option("--jobs", metavar="N", min=0, help="Most audits at a time; 0: as cores and memory allow.")
]
FailOnOption = Annotated[FailOn, typer.Option("--fail-on", help="Mildest verdict that exits with 1.")]
Address = Annotated[
    str, typer.Option("--address", envvar="DROPAUDIT_ADDRESS", metavar="HOST:PORT", help="Where the service listens.")
]
DEFAULT_SERVICE = DEFAULT_ADDRESS
# Hidden: what stands on a command line, every user of the machine can read.
Token = Annotated[
    str, typer.Option("--token", envvar="DROPAUDIT_TOKEN", hidden=True, help="Bearer token; better in the environment.")
]
Tls = Annotated[bool, typer.Option("--tls", envvar="DROPAUDIT_TLS", help="Speak TLS to the service.")]
Authorities = Annotated[
    Path | None,
    typer.Option("--ca", envvar="DROPAUDIT_CA", metavar="FILE", help="Authorities to trust; implies --tls."),
]
Certificate = Annotated[
    Path | None,
    typer.Option("--certificate", envvar="DROPAUDIT_CERTIFICATE", metavar="FILE", help="Own certificate, in PEM."),
]
Key = Annotated[
    Path | None, typer.Option("--key", envvar="DROPAUDIT_KEY", metavar="FILE", help="Key of the own certificate.")
]

_SECURITY = "dropaudit.security"


def use_security(context: typer.Context, security: Security) -> None:
    """Note how the command that follows calls the service."""
    context.meta[_SECURITY] = security


def connected(context: typer.Context, address: str) -> AuditClient:
    """Return a client of the service at an address."""
    # Imported here: a local command never pays for gRPC.
    from dropaudit_client.client import AuditClient

    # As the runners of CI jobs hand a trace on.
    trace = (context.obj or {}).get("TRACEPARENT", "")
    return AuditClient(address, security=context.meta[_SECURITY], trace=trace)


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def if_given(context: typer.Context, name: str, value: T) -> T | None:
    """Return a parameter's value where it stands on the command line, and None where it is a default."""
    return value if is_given(context, name) else None
