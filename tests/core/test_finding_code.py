from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from dropaudit.explain import explain_all
from dropaudit.finding_code import About, FindingCode
from dropaudit.findings import CATALOGUE, make_finding
from dropaudit.report import Severity

ROOT = Path(__file__).parents[2]
# The rows of the README's table begin with the codes: DA101, DA102, DA105 to DA107.
ROW = re.compile(r"^\| (DA[^|]*) \|", re.MULTILINE)
RANGE = re.compile(r"DA(\d{3})(?: to DA(\d{3}))?")


def test_a_code_knows_its_text_slug_severity_and_what_it_is_about() -> None:
    code = FindingCode.SCALE_MISSING
    assert (code, code.slug) == ("DA301", "scale-missing")
    assert (code.severity, code.about) == (Severity.ERROR, About.SITE)
    assert f"{code} ({code.slug})" == "DA301 (scale-missing)"


def test_codes_and_slugs_are_told_apart_and_keep_their_order() -> None:
    assert [code.value for code in FindingCode] == sorted(code.value for code in FindingCode)
    assert len({code.slug for code in FindingCode}) == len(FindingCode) == 28
    assert all(re.fullmatch(r"DA\d{3}", code.value) for code in FindingCode)


def test_a_code_is_found_by_its_text() -> None:
    assert CATALOGUE["DA504"] is FindingCode.DIFFERENT_WEIGHTS
    assert "DA999" not in CATALOGUE


def test_only_the_weights_of_two_artifacts_are_about_a_pair() -> None:
    assert [code for code in FindingCode if code.about is About.PAIR] == [FindingCode.DIFFERENT_WEIGHTS]


def test_what_a_finding_is_about_goes_with_its_hundred() -> None:
    by_hundred = {code.value[2]: set[About]() for code in FindingCode}
    for code in FindingCode:
        by_hundred[code.value[2]].add(code.about)
    assert by_hundred["2"] == by_hundred["4"] == {About.SITE}
    assert by_hundred["5"] == {About.OUTPUT, About.PAIR}
    assert by_hundred["9"] == {About.AUDIT}


def test_a_finding_has_the_severity_of_its_code_unless_told_otherwise() -> None:
    usual = make_finding(FindingCode.MEAN_SHIFT, "y", message="m", remedy="r")
    other = make_finding(FindingCode.MEAN_SHIFT, "y", message="m", remedy="r", severity=Severity.INFO)
    assert (usual.code, usual.slug, usual.severity) == ("DA305", "mean-shift", Severity.ERROR)
    assert (type(usual.code), other.severity) == (str, Severity.INFO)


def test_every_code_is_explained_once() -> None:
    assert [each.code for each in explain_all()] == [code.value for code in FindingCode]
    texts = [each.name for each in files("dropaudit").joinpath("explanations").iterdir()]
    assert sorted(texts) == [f"{code.value}.md" for code in FindingCode]


def test_every_code_stands_in_one_row_of_the_readme() -> None:
    rows = ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    ranges = [RANGE.findall(row) for row in rows]
    found = [f"DA{n}" for row in ranges for low, high in row for n in range(int(low), int(high or low) + 1)]
    assert sorted(found) == [code.value for code in FindingCode]


def test_judges_name_codes_and_write_none_as_text() -> None:
    rooms = [ROOT / "core/dropaudit", ROOT / "formats/dropaudit_formats", ROOT / "server", ROOT / "worker"]
    written = [
        str(path.relative_to(ROOT))
        for room in rooms
        for path in room.rglob("*.py")
        if path.name != "finding_code.py" and re.search(r"""["']DA\d{3}["']""", path.read_text(encoding="utf-8"))
    ]
    assert written == []
