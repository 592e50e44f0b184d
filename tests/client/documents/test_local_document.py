"""Claims about dropaudit.yaml: what it says is taken, and all that is wrong with it is told at once, by line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dropaudit.acceptance import AcceptedFinding, Range
from dropaudit.errors import UnreadableFile
from dropaudit_client.documents.local import LocalDocument, read_local
from dropaudit_client.documents.located import MOST_BYTES, parse_located
from dropaudit_client.documents.problems import InvalidDocument

GOOD = """\
files: [models/*.onnx, extra]
pairs:
  - {train: "{name}-train.onnx", inference: "{name}-inference.onnx"}
role: TRAIN
options:
  alpha: 1e-4
  provider: cpu
overrides:
  - member: "lstm-*"
    role: inference
    keep_prob: 0.5
    inputs: x.npz
    options: {max_replicates: 128}
accepted_findings:
  - code: DA304
    member: "classic-*.onnx"
    subject: drop
    reason: The paper's first form is meant.
    accepted_by: anna
    expire_time: 2027-03-31
    range: {lower: 0.4, upper: 0.6}
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "dropaudit.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems(folder: Path, text: str | bytes) -> list[str]:
    """Return what is wrong, each with its line."""
    with pytest.raises(InvalidDocument) as caught:
        read_local(written(folder, text))
    return [f"{each.line} {each}" for each in caught.value.problems]


def test_a_document_is_read_as_it_is_meant(tmp_path: Path) -> None:
    found = read_local(written(tmp_path, GOOD))
    assert (found.role, found.options.alpha, found.options.provider) == ("train", 1e-4, "cpu")
    assert found.overrides[0].options.max_replicates == 128
    assert found.accepted_findings[0].plain() == AcceptedFinding(
        code="DA304",
        member="classic-*.onnx",
        subject="drop",
        reason="The paper's first form is meant.",
        accepted_by="anna",
        expire_time=datetime(2027, 4, 1, tzinfo=UTC),
        range=Range(lower=0.4, upper=0.6),
    )


def test_an_empty_document_says_nothing(tmp_path: Path) -> None:
    assert read_local(written(tmp_path, "")) == LocalDocument()
    assert read_local(written(tmp_path, "# nothing yet\n")) == LocalDocument()


def test_everything_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
files: models
rolle: train
options:
  alpha: 2
  provider: gpu
overrides:
  - role: train
  - member: ""
    keep_prob: 1.5
accepted_findings:
  - code: DA999
    reason: ""
  - code: DA304
    reason: r
    expire_time: 2027-01-31T12:00:00
    range: {lower: 2, upper: 1}
"""
    assert problems(tmp_path, text) == [
        "1 files: must be a list",
        "2 rolle: is not a key here; did you mean 'role'?",
        "4 options.alpha: must be less than or equal to 0.5",
        "5 options.provider: must be 'auto', 'cpu' or 'cuda'",
        "7 overrides[0]: needs 'member'",
        "8 overrides[1].member: must not be empty",
        "9 overrides[1].keep_prob: must be less than or equal to 1",
        "11 accepted_findings[0].code: there is no finding 'DA999'; `dropaudit explain` lists them",
        "12 accepted_findings[0].reason: must not be empty",
        "15 accepted_findings[1].expire_time: needs a time zone, such as 2027-01-31T12:00:00+01:00",
        "16 accepted_findings[1].range: lower 2 is above upper 1",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("files: [a\nrole: b", "2 is not YAML: "),
        ("role: train\n  files: x", "2 is not YAML: mapping values are not allowed here"),
        ("files: *.onnx", "1 is not YAML: "),
        ("a: 1\n---\nb: 2", "2 is not YAML: but found another document"),
        ("role: train\nrole: auto", "2 role: stands twice, in line 1 too"),
        ("overrides:\n  - member: a\n    member: b", "3 overrides[0].member: stands twice, in line 2 too"),
        ("role: !!python/object/apply:os.system [echo]", "1 role: "),
        ("role: !Shell rm", "1 role: cannot be read: could not determine a constructor"),
        ("accepted_findings:\n  - {code: DA304, reason: r, expire_time: 2027-13-45}", "2 accepted_findings[0].expire"),
        ("- a\n- b", "1 must be a mapping of keys to values"),
        ("just words", "1 must be a mapping of keys to values"),
        ("? [a, b]\n: c", "1 a key is a word"),
        (b"role: \xff\xfe", "1 is not YAML: "),
        ("[" * 5000, "1 is "),
        ("role: \x00", "1 is not YAML: "),
    ],
)
def test_what_is_not_a_document_is_told_by_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    found = problems(tmp_path, text)
    assert found[0].startswith(told), found


def test_a_value_that_begins_with_a_star_is_told_to_need_quotes(tmp_path: Path) -> None:
    assert "a value that begins with * needs quotes" in problems(tmp_path, "role: x\nfiles:\n  - *all\n")[0]


def test_aliases_that_stand_for_billions_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 10)]
    assert "stands for too many values" in problems(tmp_path, "\n".join(lines))[0]


def test_aliases_and_merges_work_and_problems_in_them_are_told_where_they_stand(tmp_path: Path) -> None:
    text = """\
overrides:
  - &base {member: a, role: train}
  - <<: *base
    member: b
  - {<<: *base, keep_prob: 7}
"""
    assert problems(tmp_path, text) == ["5 overrides[2].keep_prob: must be less than or equal to 1"]
    found = read_local(written(tmp_path, text.replace("7", "0.7")))
    assert [(each.member, each.role) for each in found.overrides] == [("a", "train"), ("b", "train"), ("a", "train")]


def test_a_file_that_is_not_there_or_too_large_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        read_local(tmp_path / "missing.yaml")
    with pytest.raises(UnreadableFile, match="larger than"):
        read_local(written(tmp_path, "#" * (MOST_BYTES + 1)))


def test_places_count_from_1() -> None:
    found = parse_located("a:\n  - b: 1\n", "d")
    assert (found.places["a", 0, "b"].line, found.places["a", 0, "b"].column) == (2, 5)


def test_the_document_in_the_readme_is_right(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "overrides" in each]
    found = read_local(written(tmp_path, block))
    assert (len(found.pairs), len(found.overrides), len(found.accepted_findings)) == (1, 1, 1)
