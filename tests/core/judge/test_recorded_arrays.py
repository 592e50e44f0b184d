"""Claims about what recorded numbers mean."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.findings import CATALOGUE
from dropaudit.graph.site import GraphSite
from dropaudit.judge.recorded_arrays import RecordedEvidence, judge_recorded, keep_prob_that_fits
from dropaudit.judge.site_findings import unmeasured_site
from dropaudit.report import Family, Implementation, Interval, Placement
from dropaudit.stats.ratios import Ratios


def evidence(
    factor: float, kept: int, cells: int, *, declared: float | None = None, runs: int = 1, margin: float = 0.05
) -> RecordedEvidence:
    share = kept / cells
    interval = Interval(estimate=share, lower=share - margin, upper=share + margin)
    return RecordedEvidence("y", Ratios(kept, cells, np.full(kept, factor)), interval, declared, runs, frozen=False)


def around(estimate: float, margin: float = 0.05) -> Interval:
    return Interval(estimate=estimate, lower=estimate - margin, upper=estimate + margin)


@pytest.mark.parametrize(
    ("factor", "share", "fit"),
    [
        (2.0, 0.5, 0.5),
        (1.25, 0.8, 0.8),
        (4.0, 0.5, 0.5),
        (1.5625, 0.8, 0.8),
        (5.0, 0.8, 0.8),
        (1.25, 0.2, 0.2),
        (1.0, 0.7, 0.7),
        (1.0, 1.0, None),
        (1.25, 0.5, None),
        (0.5, 0.5, None),
        (0.0, 0.5, None),
    ],
    ids=[
        "1/q at half",
        "1/q",
        "1/q^2 at half",
        "1/q^2",
        "1/p",
        "1/p of a fifth",
        "1",
        "1 of all",
        "nothing",
        "q",
        "zero",
    ],
)
def test_the_keep_probability_is_read_by_the_first_convention_that_the_share_allows(
    factor: float, share: float, fit: float | None
) -> None:
    found = keep_prob_that_fits(factor, around(share))
    assert found == (None if fit is None else pytest.approx(fit))


def test_a_recording_without_a_declaration_passes_by_its_own_share() -> None:
    judged = judge_recorded(evidence(1.25, 80, 100))
    assert judged.findings == []
    assert judged.sites[0].family is Family.INVERTED
    assert "1.250 times" in judged.summary
    assert "keep probability 0.8" in judged.summary
    assert "80 of 100 elements kept (80%) in one train output" in judged.summary
    assert "[0.75, 0.85] contains 0.8" in judged.summary


@pytest.mark.parametrize(
    ("factor", "kept", "declared", "codes"),
    [
        (1.25, 80, 0.8, []),
        (1.0, 80, 0.8, ["DA301"]),
        (1.5625, 80, 0.8, ["DA302"]),
        (1.7, 80, 0.8, ["DA303"]),
        (1.25, 80, 0.5, ["DA201", "DA303"]),
        (1.25, 80, 0.2, ["DA202", "DA202"]),
        (5.0, 80, 0.8, ["DA202"]),
    ],
)
def test_rate_and_scale_are_compared_with_what_is_declared(
    factor: float, kept: int, declared: float, codes: list[str]
) -> None:
    judged = judge_recorded(evidence(factor, kept, 100, declared=declared, runs=3))
    assert [finding.code for finding in judged.findings] == codes
    assert all(finding.slug == CATALOGUE[finding.code].slug for finding in judged.findings)
    if codes:
        assert "in 3 train outputs" in judged.summary
        times = "equal" if factor == 1 else f"are {factor:.4g} times"
        assert judged.summary.startswith(f"Survivors {times} the inference value")
        assert all(f"{code} ({CATALOGUE[code].slug})" in judged.summary for code in codes)


def test_what_the_numbers_do_fit_is_said_only_where_it_is_not_what_is_declared() -> None:
    assert (
        "do fit inverted dropout with keep probability 0.8"
        in judge_recorded(evidence(1.25, 80, 100, declared=0.5)).summary
    )
    assert "do fit" not in judge_recorded(evidence(1.5625, 80, 100, declared=0.8)).summary
    assert "do fit" not in judge_recorded(evidence(1.0, 80, 100, declared=0.8)).summary


def test_no_dropout_is_not_offered_as_what_the_numbers_fit() -> None:
    """97 of 100 are kept unscaled: a keep probability of 1 is not excluded, and is no dropout."""
    assert "do fit" not in judge_recorded(evidence(1.0, 97, 100, declared=0.9)).summary


@pytest.mark.parametrize(("declared", "code"), [(0.8, "DA101"), (1.0, "DA105"), (None, "DA105")])
def test_a_train_output_that_equals_inference_never_dropped(declared: float | None, code: str) -> None:
    judged = judge_recorded(evidence(1.0, 100, 100, declared=declared))
    (finding,) = judged.findings
    assert (finding.code, finding.evidence) == (code, {"kept": 100, "cells": 100})
    assert judged.summary.startswith("Nothing was dropped: ")


def test_where_nothing_was_kept_the_scale_cannot_be_read() -> None:
    judged = judge_recorded(evidence(1.0, 0, 100))
    (finding,) = judged.findings
    assert (finding.code, finding.evidence) == ("DA901", {"kept": 0, "cells": 100})
    assert "0 of 100 elements kept (0%)" in judged.summary


def test_a_site_in_a_branch_is_named_with_its_body() -> None:
    site = GraphSite("drop", ("if:then_branch",), Implementation.DROPOUT_OP, Placement.UNKNOWN, 0.5, "x", "y")
    finding = unmeasured_site(site)
    assert (finding.code, finding.subject) == ("DA901", "drop")
    assert repr(site.path_text) in finding.message
    assert finding.evidence == {"path": site.path_text}
