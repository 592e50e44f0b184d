"""How an audit was made, as the page tells it."""

from __future__ import annotations

from dropaudit.report import Execution, Report, Seconds
from dropaudit_formats import wording

Fact = tuple[str, str]


def execution_facts(report: Report) -> list[Fact]:
    """Return names and facts; what is not known is left out."""
    execution = report.execution
    found = [*_made(execution), *_plan(execution), *_inputs(execution), *_files(execution)]
    return [(name, fact) for name, fact in found if fact]


def _made(execution: Execution) -> list[Fact]:
    return [
        ("dropaudit", execution.version),
        ("Runtime", execution.runtime_version),
        ("Ran on", "" if _is_recorded(execution) else " ".join(filter(None, (execution.provider, execution.device)))),
        ("Why there", execution.placement),
        ("Replicates", f"{execution.replicates:,}; {_stop(execution)}"),
        ("Drawn", wording.SAMPLINGS.get(execution.sampling, execution.sampling)),
        ("One by one because", execution.sampling_reason),
        ("For want of memory", "; ".join(execution.fallbacks)),
        ("Time", _time(execution.seconds)),
    ]


def _is_recorded(execution: Execution) -> bool:
    return execution.sampling == "recorded"


def _stop(execution: Execution) -> str:
    words = "all that were recorded" if _is_recorded(execution) else wording.STOPS[execution.stopped]
    return f"{words} ({execution.stopped})"


def _time(seconds: Seconds) -> str:
    if not seconds.prepare:
        return _duration(seconds.total)
    parts = f"{_duration(seconds.prepare)} to prepare, {_duration(seconds.run)} to draw and measure"
    return f"{_duration(seconds.total)}: {parts}"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def _plan(execution: Execution) -> list[Fact]:
    settings = execution.settings
    seed = ("Seed", str(execution.seed))
    if settings is None:
        return [seed]
    declared = "" if settings.keep_prob is None else f"{settings.keep_prob:g}"
    stated = [("Declared by the caller", declared and f"keep probability {declared}")]
    alpha = ("Chance of a false finding", f"at most {settings.alpha:g} (alpha)")
    if _is_recorded(execution):
        return [*stated, alpha]
    return [
        seed,
        ("Asked for", ", ".join(filter(None, (settings.role and f"role {settings.role}", settings.provider)))),
        *stated,
        alpha,
        ("Tolerance", f"scale factor within {settings.tolerance:g} of 1"),
        ("Replicate limit", f"{settings.max_replicates:,}"),
    ]


def _inputs(execution: Execution) -> list[Fact]:
    def told(dtype: str, shape: tuple[int, ...], synthesized: bool) -> str:
        made = ", made from the signature" if synthesized else ""
        return f"{dtype} {'x'.join(map(str, shape)) or 'scalar'}{made}"

    return [(f"Input {each.name}", told(each.dtype, each.shape, each.synthesized)) for each in execution.inputs]


def _files(execution: Execution) -> list[Fact]:
    names = ["Audited file", "Inference file"] if len(execution.artifacts) > 1 else ["Audited file"]
    return [
        (name, f"{each.bytes:,} bytes, sha256 {each.sha256}")
        for name, each in zip(names, execution.artifacts, strict=False)
    ]
