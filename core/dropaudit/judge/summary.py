"""The one sentence that a person can act on."""

from __future__ import annotations

from dropaudit.finding_code import FindingCode
from dropaudit.findings import gravest_sentence, mind
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.measure.case import Model
from dropaudit.plan import Role
from dropaudit.report import Family, Finding, Output, Verdict


def summarize(
    verdict: Verdict,
    findings: tuple[Finding, ...],
    model: Model,
    measured: list[MeasuredSite],
    outputs: tuple[Output, ...],
) -> str:
    """Say what was found: the gravest finding, or why all is well."""
    if verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        return gravest_sentence(verdict, findings)
    alive = [site for site in measured if site.site not in model.dead]
    classic = any(finding.code == FindingCode.CLASSIC_SCALING for finding in findings)
    healthy = _healthy(model, alive, outputs, classic=classic)
    return healthy[:-1] + mind(findings)


def _healthy(model: Model, measured: list[MeasuredSite], outputs: tuple[Output, ...], *, classic: bool) -> str:
    if not model.active:
        meaning = "as an inference artifact should be" if model.role is Role.INFERENCE else "so nothing was judged"
        return f"No dropout is active in this artifact, {meaning}."
    if not measured:
        return "No dropout reaches an output of this artifact, so nothing was judged."
    sites = "1 site" if len(measured) == 1 else f"{len(measured)} sites"
    rates = ", ".join(dict.fromkeys(f"{site.keep_prob:.4g}" for site in measured))
    factors = [output.scale_factor for output in outputs if output.scale_factor is not None]
    worst = max(factors, key=lambda factor: abs(factor.estimate - 1), default=None)
    mean = "" if worst is None else f", and the output keeps {worst.estimate:.3f} of its inference-mode size on average"
    if classic:
        return (
            f"Dropout is scaled as in the paper's first form: {sites}, left as it is at training and multiplied by q "
            f"at inference, keep probability {rates}{mean}."
        )
    families = " and ".join(dict.fromkeys(site.family.value.lower() for site in measured))
    free = any(site.is_scale_free and site.family is not Family.INVERTED for site in measured)
    if free or any(site.family is Family.UNSCALED for site in measured):
        # What is rescaled by what its mask has kept, as in DropBlock, is not judged by its factor.
        return (
            f"Dropout is active, and not every scale was judged: {sites}, {families}, keep probability {rates}{mean}."
        )
    return f"Dropout is scaled right: {sites}, {families}, keep probability {rates}{mean}."
