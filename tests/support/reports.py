"""Hand-written reports."""

from __future__ import annotations

from dropaudit.findings import CATALOGUE, gravest_first, make_finding, verdict_of
from dropaudit.report import (
    Artifact,
    Axis,
    Execution,
    Family,
    Finding,
    Histogram,
    Implementation,
    InputTensor,
    Interval,
    Output,
    Placement,
    Report,
    Scale,
    Site,
    Spread,
)


def finding(code: str, subject: str) -> Finding:
    """Return a finding with a message and a remedy that name its code."""
    return make_finding(CATALOGUE[code], subject, message=f"{code} was measured.", remedy=f"Cure {code}.", number=1.5)


def report_with(*findings: Finding, site: str = "drop", output: str = "y", title: str = "Summary.") -> Report:
    """Return a report about one site and one output, with the verdict that its findings make."""
    ordered = gravest_first(list(findings))
    return Report(
        verdict=verdict_of(ordered),
        summary=title,
        findings=ordered,
        sites=(
            Site(
                name=site,
                path="loop/body",
                placement=Placement.OUTPUT,
                implementation=Implementation.DROPOUT_OP,
                family=Family.INVERTED,
                declared_keep_prob=0.5,
                keep_prob=Interval(estimate=0.4997, lower=0.4964, upper=0.5031),
                scale=Scale(min=2, median=2, max=2, expected=2),
                active_in_default_session=True,
                shared_over=(Axis.TIME,),
            ),
        ),
        outputs=(
            Output(
                name=output,
                shape=(8, 16, 10),
                scale_factor=Interval(estimate=1.0012, lower=0.99, upper=1.01),
                zero_fraction=0.5,
                survivor_ratio=Spread(min=2, median=2, max=2),
                histogram=Histogram(edges=(0.0, 1.0, 2.0, 3.0), counts=(50, 0, 50)),
            ),
        ),
        execution=Execution(
            provider="cpu",
            runtime_version="onnxruntime 1.31.1",
            replicates=512,
            inputs=(InputTensor(name="x", dtype="float32", shape=(8, 16, 2), synthesized=True),),
            artifacts=(Artifact(sha256="ab" * 32, bytes=1234),),
        ),
    )
