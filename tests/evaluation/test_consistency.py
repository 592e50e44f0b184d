"""Claims about reports of every specimen: no part contradicts another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dropaudit import Plan, Report, audit
from dropaudit.acceptance import AcceptedFinding, accept
from dropaudit.findings import open_ones, verdict_of
from dropaudit.plan import Provider, Role
from dropaudit.report import Family, Verdict
from dropaudit_client.terminal.outcome import exit_status
from dropaudit_evaluation.corpus import Row, evaluate
from dropaudit_models.files import write_json, write_model
from dropaudit_models.seed_case import seed_case
from dropaudit_models.specimens import KINDS, Specimen, settings_of
from dropaudit_models.specimens.situations import SITUATIONS
from support.consistency import contradictions
from support.reports import finding, report_with

PLAN = Plan(provider=Provider.CPU)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def middles() -> list[Specimen]:
    """One specimen of each kind, away from the edges of its settings; healthy twins are kinds too."""
    return [kind.specimen(settings_of(kind)[len(settings_of(kind)) // 2]) for kind in KINDS]


NAMES = [*(kind.name for kind in KINDS), *(situation.name for situation in SITUATIONS)]


def unseen(row: Row) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def row_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Row]:
    """Return every audit by the name of its kind or situation; processes of their own outlive what ends a runtime."""
    folder = tmp_path_factory.mktemp("specimens")
    rows = []
    for each in middles():
        rows.append(each.row())
        write_model(each.model(), folder / rows[-1]["file"])
        inference = each.inference_model()
        if inference is not None:
            write_model(inference, folder / rows[-1]["inference"])
    for situation in SITUATIONS:
        rows.append(situation.row())
        write_model(situation.model, folder / rows[-1]["file"])
        if situation.inference is not None:
            write_model(situation.inference, folder / rows[-1]["inference"])
    write_json(rows, folder / "labels.json")
    evaluated = evaluate(folder, PLAN, processes=2, progress=unseen).rows
    by_name = dict(zip(NAMES, evaluated, strict=True))
    return lambda name: by_name[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_never_contradicts_itself(name: str, row_of: Callable[[str], Row]) -> None:
    row = row_of(name)
    if row.outcome.report is None:
        assert row.label.error is not None, row.outcome.message
        return
    role = row.label.role if row.label.inference is None else Role.TRAIN
    assert contradictions(row.outcome.report, role) == ()
    assert row.outcome.status == exit_status(row.outcome.report.verdict)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_never_contradicts_itself_whatever_is_accepted(name: str, row_of: Callable[[str], Row]) -> None:
    row = row_of(name)
    if row.outcome.report is None:
        return
    role = row.label.role if row.label.inference is None else Role.TRAIN
    report = row.outcome.report
    codes = list(dict.fromkeys(finding.code for finding in report.findings))
    for chosen in (codes, codes[:1], codes[1:], [each.code for each in report.findings if each.severity != "INFO"]):
        accepted = [AcceptedFinding(code=code, reason="known") for code in chosen]
        found = accept(report, accepted, NOW)
        assert contradictions(found, role) == ()
        assert {each.code for each in found.findings if each.acceptance} == set(chosen)
        assert exit_status(found.verdict) == exit_status(verdict_of(open_ones(found.findings)))
        assert found.verdict is verdict_of(tuple(each for each in report.findings if each.code not in chosen))
        assert accept(found, accepted, NOW + timedelta(days=400)) == found
        assert accept(found, [], NOW) == report


def test_the_seed_case_does_not_either() -> None:
    assert contradictions(audit(seed_case()), Role.TRAIN) == ()


ACCEPTED = accept(report_with(finding("DA301", "drop")), [AcceptedFinding(code="DA301", reason="known")], NOW)
GOOD = report_with(title="Dropout is scaled right: 1 site, inverted.")
GOOD = msgspec.structs.replace(GOOD, outputs=(msgspec.structs.replace(GOOD.outputs[0], linear=True),))


def with_site(report: Report, **changed: object) -> Report:
    return msgspec.structs.replace(report, sites=(msgspec.structs.replace(report.sites[0], **changed),))


def test_a_right_report_contradicts_itself_nowhere() -> None:
    assert contradictions(GOOD, Role.TRAIN) == ()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (msgspec.structs.replace(GOOD, verdict=Verdict.WARN), "verdict WARN beside findings that make PASS"),
        (with_site(GOOD, keep_prob=None), "keep rate of drop was not measured"),
        (with_site(GOOD, scale=None), "scale of drop was not measured"),
        (with_site(GOOD, family=Family.UNSCALED), "scaled right, and unscaled"),
        (
            msgspec.structs.replace(GOOD, outputs=(msgspec.structs.replace(GOOD.outputs[0], scale_factor=None),)),
            "factor of output y was not measured",
        ),
        (report_with(finding("DA401", "drop"), title="No dropout is active. DA401"), "nothing is dropped"),
        (report_with(finding("DA103", "a"), finding("DA103", "b"), title="DA103"), "DA103 stands 2 times"),
        (report_with(finding("DA105", "g"), finding("DA106", "n")), "nothing random reaches an output"),
        (report_with(finding("DA105", "g")), "no sites, and drop drops"),
        (report_with(finding("DA101", "drop"), title="DA101"), "drop never drops"),
        (report_with(finding("DA301", "drop"), finding("DA303", "drop"), title="DA301"), "drop: ['DA301', 'DA303']"),
        (report_with(finding("DA301", "drop"), title="Something."), "the summary names none of ['DA301']"),
        (msgspec.structs.replace(ACCEPTED, verdict=Verdict.FAIL), "verdict FAIL beside findings that make PASS"),
        (msgspec.structs.replace(ACCEPTED, summary="All is well."), "is accepted, and the summary does not say so"),
        (msgspec.structs.replace(GOOD, summary="Well. Accepted: DA301."), "speaks of what is accepted, and nothing is"),
        (
            msgspec.structs.replace(ACCEPTED, summary=f"DA301 is bad.{ACCEPTED.summary}"),
            "complains of ['DA301'], which are accepted",
        ),
    ],
)
def test_each_contradiction_is_told(report: Report, words: str) -> None:
    assert any(words in sentence for sentence in contradictions(report, Role.TRAIN))
