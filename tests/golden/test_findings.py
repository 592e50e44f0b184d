"""Claims about what audits say, word by word: exactly like the golden file of each specimen and situation.

Numbers are cut to two digits: the last ones depend on the processor. That they are right is claimed where they are
measured, and that findings are the right ones in tests/evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dropaudit import ArtifactSubject, PairSubject, Plan, RecordedSubject, Report, Role, Subject, audit
from dropaudit.errors import InvalidModel
from dropaudit.plan import Provider
from dropaudit_models.seed_case import seed_case
from dropaudit_models.specimens import KINDS, Kind, settings_of
from dropaudit_models.specimens.situations import SITUATIONS, Situation
from support.golden import Golden

FOLDER = Path(__file__).parent / "findings"
SITUATIONS_FOLDER = Path(__file__).parent / "situations"
PLAN = Plan(provider=Provider.CPU)
FEW = Plan(provider=Provider.CPU, max_replicates=64)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_REFERENCE = np.linspace(0.1, 1.0, 64).reshape(4, 16)
_MASK = np.random.default_rng(0).random((8, 4, 16)) < 0.75


def recorded(factor: float, keep_prob: float | None, draws: int = 8, shift: float = 0.0) -> RecordedSubject:
    """Return outputs that are kept and multiplied by a factor; keep probability 0.75."""
    train = np.where(_MASK[:draws], _REFERENCE * factor + shift, 0)
    return RecordedSubject(_REFERENCE, tuple(train), keep_prob)


RECORDED = {
    "recorded-seed-case": seed_case(),
    "recorded-inverted": recorded(1 / 0.75, 0.75),
    "recorded-undeclared": recorded(1 / 0.75, None),
    "recorded-unscaled": recorded(1.0, 0.75),
    "recorded-doubled": recorded(1 / 0.75**2, 0.75),
    "recorded-swapped": recorded(1 / 0.25, 0.25),
    "recorded-wrong": recorded(1.7, 0.75),
    "recorded-other-rate": recorded(1 / 0.75, 0.5),
    "recorded-once": recorded(1 / 0.75, 0.75, draws=1),
    "recorded-shifted": recorded(1 / 0.75, 0.75, shift=0.25),
    "recorded-frozen": RecordedSubject(
        _REFERENCE, tuple(np.where(_MASK[0], _REFERENCE / 0.75, 0) for _ in range(8)), 0.75
    ),
    "recorded-inert": RecordedSubject(_REFERENCE, (_REFERENCE, _REFERENCE), 0.75),
    "recorded-broken": RecordedSubject(_REFERENCE, (np.where(_MASK[0], np.nan, 0),), 0.75),
}


def subjects(kind: Kind) -> Iterator[tuple[str, Subject]]:
    """Yield a specimen of a kind in each of its roles, or as a pair."""
    settings = settings_of(kind)
    specimen = kind.specimen(settings[len(settings) // 2])
    train = specimen.model().SerializeToString()
    inference = specimen.inference_model()
    if inference is not None:
        yield "pair", PairSubject(train, inference.SerializeToString(), keep_prob=0.5)
        return
    for role in Role:
        yield role.value, ArtifactSubject(train, role)
    yield "declared", ArtifactSubject(train, Role.TRAIN, keep_prob=0.25)


def told(report: Report) -> str:
    """Return what a report says."""
    lines = [f"{report.verdict}: {report.summary}", *(f"site: {site.placement} {site.family}" for site in report.sites)]
    for finding in report.findings:
        lines += [f"{finding.severity} {finding.code} about {finding.subject}", finding.message, finding.remedy]
        lines += [f"evidence: {', '.join(sorted(finding.evidence)) or 'none'}"]
    return _NUMBER.sub(lambda number: f"{float(number[0]):.2g}", "\n".join(lines))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_audit_of_a_specimen_says_what_its_golden_file_says(kind: Kind, golden: Golden) -> None:
    found = list(subjects(kind))
    parts = [f"== {name}\n{told(audit(subject, PLAN))}\n" for name, subject in found]
    parts.append(f"== {found[0][0]}, 64 replicates\n{told(audit(found[0][1], FEW))}\n")
    golden.check(FOLDER / f"{kind.name}.txt", "\n".join(parts))


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_an_audit_of_a_situation_says_what_its_golden_file_says(situation: Situation, golden: Golden) -> None:
    model, role = situation.model.SerializeToString(), Role(situation.row().get("role", "train"))
    pair = situation.inference
    subject = ArtifactSubject(model, role) if pair is None else PairSubject(model, pair.SerializeToString())
    try:
        text = told(audit(subject, PLAN))
    except InvalidModel as error:
        text = type(error).__name__
    golden.check(SITUATIONS_FOLDER / f"{situation.name}.txt", f"{text}\n")


@pytest.mark.parametrize("name", RECORDED)
def test_an_audit_of_recorded_outputs_says_what_its_golden_file_says(name: str, golden: Golden) -> None:
    golden.check(FOLDER / f"{name}.txt", f"{told(audit(RECORDED[name], PLAN))}\n")


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in SITUATIONS_FOLDER.iterdir()} == {situation.name for situation in SITUATIONS}
    assert {path.stem for path in FOLDER.iterdir()} == {kind.name for kind in KINDS} | set(RECORDED)
