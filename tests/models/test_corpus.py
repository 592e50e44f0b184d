"""Claims about labelled folders of specimens."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.findings import CATALOGUE
from dropaudit.plan import Role
from dropaudit.report import Family, Placement, Verdict
from dropaudit_models.corpus import write_corpus
from dropaudit_models.specimens import KINDS

COUNT = 2 * len(KINDS)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two specimens of each kind."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), COUNT, seed=3).parent


def test_one_seed_gives_the_same_bytes_and_another_does_not(corpus: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "same", COUNT, seed=3)
    write_corpus(tmp_path / "other", COUNT, seed=4)

    def content(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    assert content(tmp_path / "same") == content(corpus)
    assert content(tmp_path / "other").keys() != content(corpus).keys()


def test_labels_name_every_file_and_every_file_is_a_model(corpus: Path) -> None:
    rows = json.loads((corpus / "labels.json").read_text())
    named = {row["file"] for row in rows} | {row["inference"] for row in rows if "inference" in row}
    assert named == {path.name for path in corpus.glob("*.onnx")}
    assert len(rows) == COUNT
    for path in corpus.glob("*.onnx"):
        onnx.checker.check_model(onnx.load(path))


def test_labels_speak_the_words_of_the_report(corpus: Path) -> None:
    for row in json.loads((corpus / "labels.json").read_text()):
        assert {Verdict(verdict) for verdict in row["verdict"]}
        groups = row.get("codes_any", [])
        assert set().union(row["codes"], row["not_codes"], *groups) <= set(CATALOGUE)
        assert Role(row["role"])
        assert row.get("placement", "INPUT") in set(Placement)
        assert row.get("family", "OTHER") in set(Family)
        assert 0 < row.get("keep_prob_in", 0.5) < 1


def test_a_corpus_of_no_size_and_a_folder_that_is_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument):
        write_corpus(tmp_path, -1, seed=0)
    with pytest.raises(UnreadableFile, match="cannot write"):
        write_corpus(tmp_path / "file", 1, seed=0)
