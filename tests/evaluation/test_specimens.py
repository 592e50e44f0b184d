"""Claims about every kind of specimen: what is wrong is found, and its healthy twin is left in peace."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dropaudit import Plan
from dropaudit.findings import CATALOGUE
from dropaudit.plan import Provider
from dropaudit_evaluation.labels import Label, parse_labels
from dropaudit_evaluation.outcome import audit_row, disagreements
from dropaudit_models.specimens import KINDS, Kind, Specimen, healthy_twin, settings_of
from dropaudit_models.specimens.situations import SITUATIONS

PLAN = Plan(provider=Provider.CPU)
# Found where they are tested by themselves: a second provider is a machine's matter, and DA901 says that nothing is.
ELSEWHERE = {"DA503", "DA901"}


def middle(kind: Kind) -> Specimen:
    """One specimen of a kind, away from the edges of its settings."""
    settings = settings_of(kind)
    return kind.specimen(settings[len(settings) // 2])


def label_of(specimen: Specimen) -> Label:
    (label,) = parse_labels(msgspec.json.encode([specimen.row()]), specimen.name)
    return label


def audited(specimen: Specimen, folder: Path) -> tuple[str, ...]:
    """Audit a specimen as a file of a corpus; returns what disagrees with its answer."""
    label = label_of(specimen)
    (folder / label.file).write_bytes(specimen.model().SerializeToString())
    inference = specimen.inference_model()
    if inference is not None and label.inference is not None:
        (folder / label.inference).write_bytes(inference.SerializeToString())
    return disagreements(label, audit_row(folder, label, PLAN))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_specimen_gets_its_answer_and_so_does_its_healthy_twin(kind: Kind, tmp_path: Path) -> None:
    specimen = middle(kind)
    assert audited(specimen, tmp_path) == ()
    assert audited(healthy_twin(specimen), tmp_path) == ()


def test_every_finding_has_a_specimen_that_raises_it_and_a_twin_that_does_not() -> None:
    raised = {code for kind in KINDS for code in middle(kind).answer.codes}
    planted = {code for situation in SITUATIONS for code in situation.answer.codes}
    assert raised | planted | ELSEWHERE >= set(CATALOGUE)
    for code in raised:
        faulty = next(middle(kind) for kind in KINDS if code in middle(kind).answer.codes)
        assert code not in healthy_twin(faulty).answer.codes or faulty.kind.healthy


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    specimen = middle(next(kind for kind in KINDS if kind.name == "inverted"))
    label = label_of(specimen)
    (tmp_path / label.file).write_bytes(specimen.model().SerializeToString())
    first, second = (audit_row(tmp_path, label, PLAN).report for _ in range(2))
    assert first is not None
    assert second is not None
    timeless = [msgspec.structs.replace(each.execution, seconds=first.execution.seconds) for each in (first, second)]
    assert msgspec.structs.replace(first, execution=timeless[0]) == msgspec.structs.replace(
        second, execution=timeless[1]
    )
