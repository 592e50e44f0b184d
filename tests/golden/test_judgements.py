"""Claims about the words of findings that no specimen has, from evidence made by hand: exactly like their golden file.

That the codes and numbers are right is claimed in tests/core/judge.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.graph.site import GraphSite
from dropaudit.judge.non_finite import non_finite
from dropaudit.judge.output_findings import judge_batch_statistics, judge_pair, judge_providers, unmeasured_output
from dropaudit.judge.recorded_arrays import RecordedEvidence, judge_recorded
from dropaudit.judge.site_findings import unmeasured_site
from dropaudit.judge.undecided import undecided
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.plan import Provider
from dropaudit.report import Implementation, Interval, Placement, to_json
from dropaudit.stats.ratios import Ratios
from dropaudit.stats.sequential.tests import Width
from support.golden import Golden
from support.judgements import said

FILE = Path(__file__).parent / "judgements.txt"
X = np.array([[3.0, -4.0]])
MODES = Reference({"y": np.array([[3.0, -4.5]])}, {"y": X}, frozenset(), {}, (), ())
BATCH = Reference({}, {}, frozenset(), {"y": 0.125}, (), ())
SITE = GraphSite("drop", ("if:then_branch",), Implementation.DROPOUT_OP, Placement.UNKNOWN, 0.5, "x", "z")


def recorded(
    factors: list[float], kept: int, *, declared: float | None = None, runs: int = 1, frozen: bool = False
) -> str:
    """Return what is said of so many of 100 elements that are kept and multiplied by these factors in turn."""
    values = np.resize(np.array(factors), kept)
    interval = Interval(estimate=kept / 100, lower=kept / 100 - 0.05, upper=kept / 100 + 0.05)
    evidence = RecordedEvidence("rec", Ratios(kept, 100, values), interval, declared, runs, frozen=frozen)
    judged = judge_recorded(evidence)
    return "\n".join([said(judged.findings), *(str(to_json(site)) for site in judged.sites), judged.summary])


def judgements() -> dict[str, str]:
    """Return what is said, by what it is about."""
    same, other = WeightComparison(5, (), (), ()), WeightComparison(3, ("a", "b"), (), (0.5, 0.25))
    interval = Interval(estimate=1.0, lower=0.97, upper=1.03)
    return {
        "recorded: inverted": recorded([1.25], 80),
        "recorded: inverted, declared, in three": recorded([1.25], 80, declared=0.8, runs=3),
        "recorded: unscaled": recorded([1.0], 80, declared=0.8),
        "recorded: unscaled, undeclared": recorded([1.0], 70),
        "recorded: doubled": recorded([1.5625], 80, declared=0.8),
        "recorded: swapped": recorded([5.0], 80, declared=0.8),
        "recorded: another factor": recorded([1.7], 80, declared=0.8),
        "recorded: no factor": recorded([0.5], 50),
        "recorded: another rate": recorded([1.25], 80, declared=0.5),
        "recorded: the drop rate": recorded([1.25], 80, declared=0.2),
        "recorded: a small factor, declared": recorded([0.5], 80, declared=0.8),
        "recorded: nothing dropped": recorded([1.0], 100),
        "recorded: nothing dropped, declared": recorded([1.0], 100, declared=0.8),
        "recorded: nothing dropped, scaled": recorded([1.25], 100, declared=0.8),
        "recorded: nothing kept": recorded([1.0], 0),
        "recorded: several factors": recorded([1.0, 2.0], 80, declared=0.8),
        "recorded: several factors, nothing dropped": recorded([1.0, 2.0], 100),
        "recorded: one mask": recorded([1.25], 80, declared=0.8, runs=2, frozen=True),
        "pair: a gap": said(judge_pair(MODES, PairStudy(same, None), alike=False)),
        "pair: other weights": said(judge_pair(MODES, PairStudy(other, None), alike=False)),
        "providers": said(judge_providers({"y": X}, {"y": X + np.array([[0.0, 1.0]])}, Provider.CUDA)),
        "batch statistics": said(judge_batch_statistics(BATCH, ("norm",))),
        "an output without elements": said([unmeasured_output("y", "it has no elements")]),
        "a site in a branch": said([unmeasured_site(SITE)]),
        "a site whose shape varies": said([unmeasured_site(SITE, "its shape differs from run to run")]),
        "an open test": said([undecided("y", "scale factor", interval, Width(0.0375))]),
        "a test that no sample decides": said([undecided("y", "scale factor", interval, Width(1e-9))]),
        "numbers that are not finite": said([non_finite("y", "train", 3)]),
    }


def test_findings_are_worded_like_their_golden_file(golden: Golden) -> None:
    golden.check(FILE, "\n\n".join(f"# {name}\n{text}" for name, text in judgements().items()) + "\n")
