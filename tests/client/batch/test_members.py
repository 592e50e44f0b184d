"""Claims about which files arguments name, and how each of them is audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit.acceptance import AcceptedFinding
from dropaudit.errors import InvalidArgument
from dropaudit.explain import UnknownCode
from dropaudit.plan import Plan, Provider, Role
from dropaudit_client.batch.members import Member, Missing, is_one_file, members_of, pairs_of
from dropaudit_client.batch.settings import Given, read_accepted, settings_for
from dropaudit_client.documents.local import LocalDocument


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.onnx", "a.onnx", "notes.txt", "deep/c.onnx", "deep/er/d.onnx", "odd[1].onnx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(found: list[Member | Missing]) -> list[str]:
    return [each.name if isinstance(each, Member) else f"missing {each.name}" for each in found]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["a.onnx"], ["a.onnx"]),
        (["b.onnx", "a.onnx", "b.onnx"], ["b.onnx", "a.onnx"]),
        (["./a.onnx", "a.onnx"], ["a.onnx"]),
        (["."], ["a.onnx", "b.onnx", "odd[1].onnx"]),
        (["deep", "*.onnx"], ["deep/c.onnx", "a.onnx", "b.onnx", "odd[1].onnx"]),
        (["deep/**/*.onnx"], ["deep/c.onnx", "deep/er/d.onnx"]),
        (["odd[1].onnx"], ["odd[1].onnx"]),
        (["notes.txt"], ["notes.txt"]),
        (["none-*.onnx", "a.onnx"], ["missing none-*.onnx", "a.onnx"]),
        (["gone.onnx"], ["gone.onnx"]),
    ],
)
def test_files_folders_and_patterns_name_each_file_once(folder: Path, arguments: list[str], found: list[str]) -> None:
    assert names(members_of(arguments, folder)) == found


def test_a_folder_without_models_names_nothing(folder: Path) -> None:
    (folder / "empty").mkdir()
    (missing,) = members_of(["empty"], folder)
    assert isinstance(missing, Missing)
    assert (missing.why.reason, missing.why.message) == ("NO_MATCH", "no .onnx file lies in empty")


@pytest.mark.parametrize(
    ("arguments", "one"),
    [(["a.onnx"], True), (["gone.onnx"], True), (["a.onnx", "b.onnx"], False), (["*.onnx"], False), (["deep"], False)],
)
def test_one_file_is_neither_a_folder_nor_a_pattern(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], one: bool
) -> None:
    monkeypatch.chdir(folder)
    assert is_one_file(arguments) is one


def test_pairs_have_one_name_in_both_patterns(tmp_path: Path) -> None:
    for name in ("x-train.onnx", "x-inference.onnx", "y-train.onnx", "z.onnx"):
        (tmp_path / name).touch()
    found = pairs_of("{name}-train.onnx", "{name}-inference.onnx", tmp_path)
    assert found == [
        Member("x-train.onnx", tmp_path / "x-train.onnx", tmp_path / "x-inference.onnx"),
        Member("y-train.onnx", tmp_path / "y-train.onnx", tmp_path / "y-inference.onnx"),
    ]
    assert names(pairs_of("{name}.tflite", "{name}", tmp_path)) == ["missing {name}.tflite"]


def test_a_name_may_be_a_folder_of_the_path(tmp_path: Path) -> None:
    for name in ("m1/train.onnx", "m1/inference.onnx", "m2/train.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = pairs_of("{name}/train.onnx", "{name}/inference.onnx", tmp_path)
    assert names(found) == ["m1/train.onnx", "m2/train.onnx"]


DOCUMENT = LocalDocument.model_validate(
    {
        "role": "train",
        "options": {"alpha": 0.01, "seed": 7},
        "overrides": [
            {"member": "*.onnx", "keep_prob": 0.9, "options": {"provider": "cpu"}},
            {"member": "lstm-*", "role": "inference", "keep_prob": 0.5, "inputs": "x.npz", "options": {"seed": 8}},
        ],
        "accepted_findings": [
            {"code": "DA304", "reason": "meant", "member": "lstm-*"},
            {"code": "DA102", "reason": "all"},
        ],
    }
)


def test_the_command_line_comes_before_overrides_and_these_before_the_document() -> None:
    found = settings_for("models/lstm-1.onnx", Given(plan={"alpha": 0.2}), DOCUMENT, Path("conf"))
    assert (found.role, found.keep_prob, found.inputs) == (Role.INFERENCE, 0.5, Path("conf/x.npz"))
    assert found.plan == Plan(alpha=0.2, seed=8, provider=Provider.CPU)
    assert [each.code for each in found.accepted] == ["DA304", "DA102"]
    given = Given(role=Role.AUTO, keep_prob=0.1, plan={"seed": 0})
    found = settings_for("models/lstm-1.onnx", given, DOCUMENT, Path())
    assert (found.role, found.keep_prob, found.plan.seed) == (Role.AUTO, 0.1, 0)


def test_what_no_override_matches_is_as_the_document_says() -> None:
    found = settings_for("gru.tflite", Given(), DOCUMENT, Path())
    assert (found.role, found.keep_prob, found.plan) == (Role.TRAIN, None, Plan(alpha=0.01, seed=7))
    assert [each.code for each in found.accepted] == ["DA102"]


def test_without_a_document_the_defaults_hold() -> None:
    found = settings_for("a.onnx", Given(), None, Path())
    assert (found.role, found.plan, found.accepted) == (Role.AUTO, Plan(), ())


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("DA304=meant", AcceptedFinding(code="DA304", reason="meant")),
        ("DA304@drop = as in 2 = 2", AcceptedFinding(code="DA304", reason="as in 2 = 2", subject="drop")),
        ("DA304@=meant", AcceptedFinding(code="DA304", reason="meant")),
        ("DA304@lstm/*=meant", AcceptedFinding(code="DA304", reason="meant", subject="lstm/*")),
    ],
)
def test_accept_names_a_code_a_subject_and_a_reason(text: str, accepted: AcceptedFinding) -> None:
    assert read_accepted([text]) == (accepted,)


@pytest.mark.parametrize("text", ["DA304", "DA304=", "DA304@x", "", "="])
def test_accept_without_a_reason_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"CODE\[@SUBJECT\]=REASON"):
        read_accepted([text])


def test_accept_of_an_unknown_code_is_refused() -> None:
    with pytest.raises(UnknownCode):
        read_accepted(["DA999=x"])
