"""The report for people."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console, RenderableType

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.report import (
    Attribution,
    Attributions,
    Execution,
    Implementation,
    Interval,
    Output,
    Placement,
    Report,
    Scale,
    Site,
    Spread,
    Trajectory,
    Verdict,
)
from dropaudit_client.terminal.render import render_report, render_sites, to_text
from dropaudit_formats.escape import safe
from dropaudit_formats.html import to_html
from support.pictured import NAMES, pictured_report


def test_what_moves_an_output_is_shown_where_there_are_several_sites() -> None:
    effect = Attribution(
        site="d1", mean_gap_alone=-0.3, mean_gap_without=0.01, variance_alone=0.4, variance_without=0.2
    )
    report = report_about("y")
    (output,) = report.outputs
    several = msgspec.structs.replace(
        report, outputs=(msgspec.structs.replace(output, attributions=Attributions(sites=(effect,))),)
    )
    assert "What moves an output" not in to_text(render_report(report))
    shown = to_text(render_report(several))
    assert all(word in shown for word in ("What moves an output", "d1", "-30.00%", "+1.00%", "0.4"))
    assert "alone -30.0%" in to_html(several)


def report_about(name: str) -> Report:
    """A failed report that names one site and one output."""
    site = Site(
        name=name,
        placement=Placement.OUTPUT,
        implementation=Implementation.UNIFORM_CHAIN,
        declared_keep_prob=0.5,
        keep_prob=Interval(estimate=0.4997, lower=0.4964, upper=0.5031),
        scale=Scale(min=1, median=1, max=1, expected=2),
        active_in_default_session=False,
    )
    output = Output(
        name="y",
        shape=(8, 16, 10),
        scale_factor=Interval(estimate=0.5012, lower=0.49, upper=0.51),
        zero_fraction=0.5,
        survivor_ratio=Spread(min=0.9, median=1, max=1.1),
    )
    return Report(
        verdict=Verdict.FAIL,
        summary="Kept values are not scaled.",
        findings=(
            make_finding(
                FindingCode.SCALE_MISSING, name, message="Kept values are left alone.", remedy="Divide by 0.5."
            ),
        ),
        sites=(site,),
        outputs=(output,),
        execution=Execution(provider="cpu", runtime_version="onnxruntime 1.22", seed=7, replicates=512),
    )


def test_verdict_and_summary_come_first_then_the_findings() -> None:
    lines = to_text(render_report(report_about("dropout"), "model.onnx")).splitlines()
    assert lines[:2] == ["FAIL  model.onnx", "Kept values are not scaled."]
    assert lines[3] == "ERROR DA301 scale-missing  dropout"


def test_module_and_line_of_the_code_stand_below_the_name_of_the_node() -> None:
    report = report_about("node_dropout_3")
    known = msgspec.structs.replace(report.sites[0], module="encoder.layers.1.dropout", location="model.py:42")
    found = msgspec.structs.replace(report, sites=(known,))
    words = " ".join(to_text(render_report(found)).split())
    assert "encoder.layers.1" in words
    assert "model.py:42" in words
    assert "encoder.layers.1.dropout at model.py:42" in to_html(found)


def test_the_numbers_a_person_needs_are_there() -> None:
    words = " ".join(to_text(render_report(report_about("dropout"))).split())
    for number in ("declared 0.5", "0.4997", "expected 2", "removed", "0.5012", "50.0%", "0.9 / 1 / 1.1", "8x16x10"):
        assert number in words
    assert "cpu · onnxruntime 1.22 · seed 7 · 512 replicates" in words


def test_names_from_a_model_are_data_and_steer_neither_markup_nor_terminal() -> None:
    text = to_text(render_report(report_about("[red]a[/red]\x1b[2J\u202e")))
    assert "[red]a[/red]\\x1b[2J\\u202e" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_leaves_a_terminal_and_long_names_lose_their_middle(width: int) -> None:
    name = "first/" + "layer/" * 2000 + "last"
    shown = at_width(render_report(report_about(name), name), width)
    assert max(map(len, shown.splitlines())) <= width
    assert "first/layer" in shown
    assert "layer/last" in shown
    assert len(shown) < 5_000


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_torn_apart_at_any_width(name: str, width: int) -> None:
    report, title = pictured_report(name)
    shown = at_width(render_report(report, title), width)
    assert max(map(len, shown.splitlines())) <= width
    for site in report.sites:
        assert site.keep_prob is not None
        assert f"{site.keep_prob.estimate:.4g}" in shown
        assert f"[{site.keep_prob.lower:.4g}, {site.keep_prob.upper:.4g}]" in shown


def test_findings_of_one_kind_are_told_once() -> None:
    findings = tuple(
        make_finding(FindingCode.REMOVED_BY_RUNTIME, f"s{n}", message="It is removed.", remedy="Keep it.")
        for n in range(5)
    )
    shown = to_text(render_report(msgspec.structs.replace(report_about("s0"), findings=findings)))
    assert shown.count("It is removed.") == shown.count("Remedy: Keep it.") == 1
    assert "WARNING DA102 removed-by-runtime  s0, s1, s2 and 2 more" in shown


def test_messages_that_differ_say_what_they_are_about() -> None:
    findings = tuple(
        make_finding(FindingCode.REMOVED_BY_RUNTIME, f"s{n}", message=f"Number {n}.", remedy="Keep it.")
        for n in range(2)
    )
    shown = to_text(render_report(msgspec.structs.replace(report_about("s0"), findings=findings)))
    assert "  s0: Number 0.\n  s1: Number 1.\n  Remedy: Keep it." in shown


def test_sites_that_were_not_measured_have_only_the_columns_that_they_have() -> None:
    shown = to_text(render_sites([Site(name="d", declared_keep_prob=0.5)]))
    assert shown.split() == ["Site", "Keep", "probability", *shown.split()[3:4], "d", "declared", "0.5"]
    assert to_text(render_sites([Site(name="d")])).split()[0] == "Site"
    assert "probability" not in to_text(render_sites([Site(name="d")]))


def test_an_interval_that_narrowed_is_drawn_beside_its_numbers() -> None:
    (site,) = report_about("d").sites
    looks = Trajectory(replicates=(1, 2, 3), lower=(0.1, 0.3, 0.4), estimate=(0.5, 0.5, 0.5), upper=(0.9, 0.7, 0.6))
    assert "narrowed █▄▂" in to_text(render_sites([msgspec.structs.replace(site, keep_prob_trajectory=looks)]))


def at_width(renderable: RenderableType, width: int) -> str:
    """Return what a terminal of a width shows, without colour."""
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, legacy_windows=False).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_ordinary_names_stay_as_they_are() -> None:
    assert safe("encoder/Größe_1:0") == "encoder/Größe_1:0"
