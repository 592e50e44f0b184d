"""Claims about the summary that a CI system shows."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from dropaudit.report import Report
from dropaudit_formats.markdown import code, plain, to_markdown
from support.pictured import NAMES, pictured_report
from support.reports import finding, report_with

NASTY = [
    "<script>alert(1)</script>",
    "[a](javascript:alert(1))",
    "![x](http://x/y.png)",
    "**bold** _x_ ~~y~~",
    "a | b | c",
    "`tick` ``two``",
    "# head",
    "@everyone &lt;b&gt;",
    "back\\slash \\`",
    "two\nlines\r\n\n- item",
    "\x1b[2J\u202e\ud800",
]


class Seen(HTMLParser):
    """Tags and words of what Markdown makes, as GitHub would: raw HTML goes through."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("words", NASTY)
def test_no_mark_in_a_name_or_a_sentence_means_anything(words: str) -> None:
    for text in (plain(words), code(words), f"| a |\n| --- |\n| {plain(words)} {code(words)} |"):
        assert not {"script", "a", "img", "strong", "em", "s", "h1", "li", "b"} & set(Seen(text).tags)
    table = Seen(f"| a |\n| --- |\n| {plain(words)} {code(words)} |")
    assert table.tags.count("td") == 1
    assert "\n" not in plain(words) + code(words)


@pytest.mark.parametrize("words", ["a | b", "`tick`", "<b>", "[x](y)", "plain_name/0"])
def test_a_name_is_shown_as_it_is(words: str) -> None:
    assert words in Seen(plain(words)).words
    assert words.replace("|", "\\|") in Seen(code(words)).words


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_the_findings_and_the_numbers_are_there(name: str) -> None:
    report, title = pictured_report(name)
    seen = Seen(to_markdown(report, title))
    assert seen.words.startswith(f"{report.verdict}: {title}")
    assert report.summary in seen.words
    for each in report.findings:
        assert each.code in seen.words
        assert each.remedy in seen.words
    assert seen.tags.count("table") == 2
    assert f"{report.outputs[0].zero_fraction:.1%}" in seen.words


def test_however_many_sites_there_are_it_stays_short_enough_for_github() -> None:
    report = report_with(*(finding("DA301", f"s{number}") for number in range(5_000)))
    many: Report = msgspec.structs.replace(report, sites=report.sites * 5_000, outputs=report.outputs * 5_000)
    text = to_markdown(many, "m.onnx")
    assert len(text.encode()) < 100_000
    assert "and 4950 more." in text


def test_ten_thousand_characters_of_a_name_are_cut() -> None:
    name = "n" * 10_000
    text = to_markdown(report_with(finding("DA301", name), site=name, output=name, title=name), name)
    assert len(text) < 4_000


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("drop", "`drop`"),
        ("", ""),
        ("a|b", r"`a\|b`"),
        ("a`b", "`` a`b ``"),
        ("a``b", "``` a``b ```"),
        (" a", "`  a `"),
        ("a ", "` a  `"),
    ],
)
def test_a_name_is_code_whatever_it_holds(name: str, told: str) -> None:
    assert code(name) == told


def test_marks_mean_nothing_in_a_sentence() -> None:
    assert plain("a *b* <c> [d]") == r"a \*b\* \<c\> \[d\]"


def test_a_word_of_240_letters_loses_its_middle_and_a_shorter_one_does_not() -> None:
    assert plain("a" * 239) == "a" * 239
    cut = plain("a" * 240)
    assert len(cut) < 240
    assert "…" in cut
