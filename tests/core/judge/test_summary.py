"""Claims about the sentence that sums up an audit."""

from __future__ import annotations

import pytest

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.site import GraphSite, Law
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.summary import summarize
from dropaudit.plan import Role
from dropaudit.report import Finding, Interval, Output, Severity, Verdict
from support.made_evidence import MANY, mask_meter, model, parsed, site

PLAIN = parsed("{ y = Neg(x) }")
KEPT = int(0.8 * MANY)
A, B, DEAD = site("a"), site("b"), site("dead", result="nowhere")
RIGHT = alpha_law(0.8)
ALPHA = site("alpha", law=Law(RIGHT.slope, RIGHT.shift, RIGHT.dropped))


def right(of: GraphSite = A, kept: int = KEPT, factor: float = 1.25) -> MeasuredSite:
    return MeasuredSite(of, mask_meter(kept, (factor,), name=of.name, law=of.law))


def finding(code: FindingCode, subject: str = "a", severity: Severity | None = None) -> Finding:
    return make_finding(code, subject, message="It is so.", remedy="Change it.", severity=severity)


def output(name: str, estimate: float | None) -> Output:
    factor = None if estimate is None else Interval(estimate=estimate, lower=estimate - 0.1, upper=estimate + 0.1)
    return Output(name=name, shape=(1,), scale_factor=factor)


def summary(
    *measured: MeasuredSite,
    verdict: Verdict = Verdict.PASS,
    findings: tuple[Finding, ...] = (),
    outputs: tuple[Output, ...] = (),
    role: Role = Role.TRAIN,
    sites: tuple[GraphSite, ...] | None = None,
) -> str:
    of = model(PLAIN, role, sites=tuple(each.site for each in measured) if sites is None else sites)
    return summarize(verdict, findings, of, list(measured), outputs)


def test_one_site_that_is_right_is_told_with_its_family_and_rate() -> None:
    assert summary(right()) == "Dropout is scaled right: 1 site, inverted, keep probability 0.8."


def test_the_rates_and_families_of_several_sites_are_told_once_each() -> None:
    others = (right(B), right(site("c", 0.5), MANY // 2, 2.0), right(ALPHA, factor=RIGHT.slope))
    assert summary(right(), *others) == (
        "Dropout is scaled right: 4 sites, inverted and alpha, keep probability 0.8, 0.5."
    )


def test_the_output_that_is_farthest_from_its_reference_is_told() -> None:
    outputs = (output("x", 1.01), output("y", 0.9), output("z", 1.05), output("w", None))
    assert summary(right(), outputs=outputs).endswith(
        "keep probability 0.8, and the output keeps 0.900 of its inference-mode size on average."
    )


def test_the_papers_first_form_has_a_sentence_of_its_own() -> None:
    classic = (finding(FindingCode.CLASSIC_SCALING),)
    assert summary(right(factor=1.0), right(B, factor=1.0), findings=classic, outputs=(output("y", 0.8),)) == (
        "Dropout is scaled as in the paper's first form: 2 sites, left as it is at training and multiplied by q at "
        "inference, keep probability 0.8, and the output keeps 0.800 of its inference-mode size on average."
    )


def test_warnings_end_the_sentence_and_notes_do_not() -> None:
    notes = (finding(FindingCode.SEEDED_MASK), finding(FindingCode.MASK_SHARED_OVER_TIME))
    assert summary(right(), verdict=Verdict.WARN, findings=notes) == (
        "Dropout is scaled right: 1 site, inverted, keep probability 0.8; mind DA406 (seeded-mask)."
    )


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.FAIL, FindingCode.SCALE_MISSING), (Verdict.INCONCLUSIVE, FindingCode.INCONCLUSIVE)]
)
def test_what_fails_or_is_undecided_is_told_by_its_finding(verdict: Verdict, code: FindingCode) -> None:
    assert summary(right(), verdict=verdict, findings=(finding(code),)) == (
        f"a: {code.value} ({code.slug}). It is so. Change it."
    )


@pytest.mark.parametrize(
    ("role", "meaning"),
    [
        (Role.INFERENCE, "as an inference artifact should be"),
        (Role.TRAIN, "so nothing was judged"),
        (Role.AUTO, "so nothing was judged"),
    ],
)
def test_without_a_site_nothing_was_judged_and_at_inference_that_is_right(role: Role, meaning: str) -> None:
    assert summary(role=role) == f"No dropout is active in this artifact, {meaning}."


def test_a_site_that_reaches_nothing_is_neither_counted_nor_called_right() -> None:
    assert summary(right(DEAD)) == "No dropout reaches an output of this artifact, so nothing was judged."
    assert summary(right(), right(DEAD)).startswith("Dropout is scaled right: 1 site,")
    assert summary(sites=(A,)) == "No dropout reaches an output of this artifact, so nothing was judged."


def test_a_scale_that_was_not_judged_is_not_called_right() -> None:
    assert summary(right(factor=1.0)) == (
        "Dropout is active, and not every scale was judged: 1 site, unscaled, keep probability 0.8."
    )
