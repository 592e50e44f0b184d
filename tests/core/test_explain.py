"""Claims about the long form of the findings."""

from __future__ import annotations

import contextlib
import io
from importlib.resources import files
from pathlib import Path

import pytest

from dropaudit.errors import InvalidArgument
from dropaudit.explain import SECTIONS, UnknownCode, as_document, explain, explain_all, sections_of
from dropaudit.findings import CATALOGUE
from support.confirmations import CONFIRMATIONS, Files, two_draws
from support.graphs import dense

EVERY = explain_all()
BY_CODE = pytest.mark.parametrize("code", CATALOGUE)


def confirmed(code: str, written: Files, folder: Path) -> bool:
    """Run a code's snippets in a folder with files, and return what the last one concludes."""
    for name, content in written.items():
        (folder / name).write_bytes(content)
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        for snippet in explain(code).snippets:
            exec(compile(snippet, f"{code}.md", "exec"), {})
    return {"confirmed: True": True, "confirmed: False": False}[printed.getvalue().splitlines()[-1]]


def test_every_code_has_a_text_and_no_text_is_left_over() -> None:
    texts = {entry.name.removesuffix(".md") for entry in files("dropaudit").joinpath("explanations").iterdir()}
    assert texts == set(CATALOGUE)


@BY_CODE
def test_every_text_is_titled_by_code_and_slug_and_has_all_sections_in_order(code: str) -> None:
    found = explain(code)
    assert found.markdown.startswith(f"# {code} {CATALOGUE[code].slug}\n")
    assert tuple(sections_of(found.markdown)) == SECTIONS
    assert all(sections_of(found.markdown).values())


@BY_CODE
def test_every_fix_names_a_framework_and_every_source_is_a_list(code: str) -> None:
    found = explain(code)
    assert found.fix.startswith("- ")
    assert any(f"**{name}" in found.fix for name in ("PyTorch", "TensorFlow", "ONNX", "Any"))
    assert found.sources.startswith("- ")


@BY_CODE
def test_texts_fit_80_columns(code: str) -> None:
    assert max(map(len, explain(code).markdown.splitlines())) <= 80


@BY_CODE
def test_every_code_can_be_confirmed_by_a_program_that_compiles(code: str) -> None:
    snippets = explain(code).snippets
    assert snippets
    for snippet in snippets:
        compile(snippet, f"{code}.md", "exec")


@pytest.mark.parametrize("code", CONFIRMATIONS)
def test_the_program_tells_a_faulty_file_from_its_healthy_twin(code: str, tmp_path: Path) -> None:
    assert confirmed(code, CONFIRMATIONS[code].faulty, tmp_path)
    assert not confirmed(code, CONFIRMATIONS[code].healthy, tmp_path)


def test_a_mask_that_decides_another_is_confirmed_as_identical_ones_are(tmp_path: Path) -> None:
    nested = two_draws("<seed = 5.0>", "<seed = 5.0>", second_threshold="half")
    assert confirmed("DA404", nested, tmp_path)


def test_one_provider_agrees_with_itself(tmp_path: Path) -> None:
    assert set(CATALOGUE) - set(CONFIRMATIONS) == {"DA503"}
    assert not confirmed("DA503", {"model.onnx": dense("y = Relu(x)")}, tmp_path)


def test_small_letters_will_do() -> None:
    assert explain("da102") == explain("DA102")


def test_an_unknown_code_lists_the_known_ones() -> None:
    with pytest.raises(UnknownCode, match="DA101, DA102") as caught:
        explain("DA999")
    assert isinstance(caught.value, InvalidArgument)


def test_the_gist_is_one_sentence() -> None:
    gists = [each.gist for each in EVERY]
    assert len(set(gists)) == len(CATALOGUE)
    assert all(gist.endswith(".") and "\n" not in gist for gist in gists)


def test_the_document_holds_every_section_once() -> None:
    assert set(as_document(explain("DA301"))) == {"code", "slug", "severity", *map(str.lower, SECTIONS)}
