"""The report for people."""

from __future__ import annotations

import msgspec

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
    Verdict,
)
from dropaudit_client.formats.escape import safe
from dropaudit_client.formats.html import to_html
from dropaudit_client.terminal.render import render_report, to_text


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
        findings=(make_finding("DA301", name, message="Kept values are left alone.", remedy="Divide by 0.5."),),
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


def test_long_names_fold_instead_of_leaving_80_columns() -> None:
    lines = to_text(render_report(report_about("layer/" * 40))).splitlines()
    assert max(map(len, lines)) <= 80


def test_ordinary_names_stay_as_they_are() -> None:
    assert safe("encoder/Größe_1:0") == "encoder/Größe_1:0"
