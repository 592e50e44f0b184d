"""Claims about the report as a page."""

from __future__ import annotations

import json
from functools import cache
from html.parser import HTMLParser

import msgspec
import pytest

from dropaudit.report import Attribution, Attributions, Report, Trajectory, from_json
from dropaudit_formats.escape import is_unsafe
from dropaudit_formats.html import to_html
from support.pictured import NAMES, pictured_report
from support.reports import finding, report_with

HOSTILE = "<b>&\"'\x1b[2J\x9b\u202e\ud800\uffff]]>--></style></script><script>"
VOID = frozenset({"meta", "br"})


class Page(HTMLParser):
    """The references of a page, its open tags, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.words = ""
        self.document = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [tag] if tag not in VOID else []
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data", "xlink:href", "style") or name.startswith("on"):
                self.references.append(f"{name}={value}")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if "script" in self.open:
            self.document += data
        elif "style" not in self.open:
            self.words += data + " "


@cache
def page_of(name: str) -> str:
    if name == "hostile":
        return to_html(report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE), HOSTILE)
    return to_html(*pictured_report(name))


@pytest.mark.parametrize("name", [*NAMES, "hostile"])
def test_a_page_needs_nothing_from_elsewhere_and_is_well_formed(name: str) -> None:
    text = page_of(name)
    page = Page(text)
    assert page.open == []
    assert set(page.references) <= {f"href=#{place}" for place in page.ids}
    assert len(set(page.ids)) == len(page.ids)
    assert not {"link", "img", "iframe", "object", "b"} & set(page.tags)
    # The one script is no program, but the report's data.
    assert page.tags.count("script") == text.count('<script type="application/json"') == 1
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_hostile_names_are_spelled_out_wherever_they_stand() -> None:
    page = page_of("hostile")
    assert not {char for char in page if is_unsafe(char)} - {"\n"}
    assert "\\x1b[2J" in Page(page).words
    assert page.encode()


@pytest.mark.parametrize("name", NAMES)
def test_the_report_itself_is_in_the_page(name: str) -> None:
    assert from_json(json.loads(Page(page_of(name)).document)) == pictured_report(name)[0]


def test_ten_thousand_characters_of_a_name_are_cut_in_the_middle() -> None:
    name = "first/" + "n" * 10_000 + "/last"
    words = Page(to_html(report_with(finding("DA301", name), site=name, output=name), name)).words
    assert "n" * 200 not in words
    assert "first/nnn" in words
    assert "nnn/last" in words


def test_the_verdict_and_its_sentence_come_before_all_else() -> None:
    words = " ".join(Page(page_of("three-faults")).words.split())
    report, title = pictured_report("three-faults")
    assert words.startswith(f"FAIL {title} FAIL something is wrong {title} {' '.join(report.summary.split())}")


def test_a_finding_stands_once_with_all_it_is_about_and_its_long_form() -> None:
    findings = [finding("DA102", f"site{number}") for number in range(3)]
    words = " ".join(Page(to_html(report_with(*findings))).words.split())
    assert words.count("Cure DA102.") == 1
    assert words.count("DA102 was measured.") == 1
    assert "site0 site1 site2 DA102 was measured." in words
    for part in ("What it means, and why it happens", "How to confirm it by hand", "How to change it"):
        assert words.count(part) == 1
    assert "onnxruntime" in words


def test_a_code_of_a_newer_server_stands_without_a_long_form() -> None:
    unknown = msgspec.structs.replace(finding("DA301", "drop"), code="DA999", slug="of-tomorrow")
    words = Page(to_html(report_with(unknown))).words
    assert "of-tomorrow" in words
    assert "How to confirm" not in words


def test_the_page_shows_what_a_person_needs() -> None:
    page = Page(to_html(report_with(finding("DA301", "drop"), title="Kept values are not scaled."), "model.onnx"))
    for words in (
        "FAIL",
        "model.onnx",
        "Kept values are not scaled.",
        "DA301 was measured.",
        "Cure DA301.",
        "0.4997 [0.4964, 0.5031]",
        "declared 0.5",
        "1.001 [0.99, 1.01]",
        "50.0%",
        "8x16x10",
        "on what becomes a model output",
        "one mask for all time steps",
        "TIME",
        "onnxruntime 1.31.1",
        "float32 8x16x2, made from the signature",
    ):
        assert words in page.words
    assert page.tags.count("svg") == page.tags.count("figure") == page.tags.count("figcaption") == 4


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("seed-case", ["How much is kept", "Element by element", "Train output over inference output"]),
        (
            "healthy",
            [
                "How much is kept",
                "What survivors are multiplied by",
                "Where it is in the graph",
                "Does the output keep its mean",
                "Over the time steps",
                "Which site moves the mean",
                "Which site makes it scatter",
            ],
        ),
    ],
)
def test_every_figure_that_there_are_numbers_for_is_drawn(name: str, titles: list[str]) -> None:
    words = Page(page_of(name)).words
    assert [title for title in titles if title not in words] == []


def test_the_seed_case_shows_both_its_arrays_and_that_survivors_are_doubled() -> None:
    page = Page(page_of("seed-case"))
    assert "at inference" in page.words
    assert "in train mode" in page.words
    assert page.words.split("train ÷ inference")[1].split()[:50].count("2") == 23


def large_report() -> Report:
    """A report about 200 sites, with all that a site may have."""
    report, _ = pictured_report("three-faults")
    narrow = [0.1234567 / (look + 1) for look in range(32)]
    curve = Trajectory(
        replicates=tuple(int(96 * 1.25**look) for look in range(32)),
        lower=tuple(0.8 - width for width in narrow),
        estimate=tuple(0.8 + width / 10 for width in narrow),
        upper=tuple(0.8 + width for width in narrow),
    )
    sites = tuple(
        msgspec.structs.replace(
            report.sites[number % 3], name=f"encoder/layers.{number}/attention/dropout", keep_prob_trajectory=curve
        )
        for number in range(200)
    )
    effects = [
        Attribution(site=site.name, mean_gap_alone=0.1, mean_gap_without=0.2, variance_alone=1, variance_without=2)
        for site in sites
    ]
    (output,) = report.outputs
    outputs = (msgspec.structs.replace(output, attributions=Attributions(sites=tuple(effects))),)
    findings = tuple(msgspec.structs.replace(report.findings[0], subject=site.name) for site in sites)
    return msgspec.structs.replace(report, sites=sites, outputs=outputs, findings=findings)


def test_a_page_of_200_sites_stays_under_3_megabytes_and_unfolds_only_what_matters() -> None:
    report = large_report()
    page = to_html(report, "large.onnx")
    assert len(page.encode()) < 3_000_000
    assert page.count('<details class="view" open>') == 13
    calm = to_html(msgspec.structs.replace(report, findings=()), "large.onnx")
    assert calm.count('<details class="view" open>') == 4
    assert calm.count('<details class="view">') == 197
