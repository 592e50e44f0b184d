"""Claims about the words of findings about one site, from measurements made by hand: exactly like their golden file.

That audits measure so is claimed by specimens and situations in test_findings.
"""

from __future__ import annotations

from pathlib import Path

from dropaudit.graph.site import GraphSite, Law
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.compensation import Compensation
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.site_findings import judge_site
from dropaudit.measure.meters.site_meters import SiteMeter
from dropaudit.report import Implementation
from support.golden import Golden
from support.judgements import said
from support.made_evidence import MANY, mask_meter, noise_meter, rates_meter, site

FILE = Path(__file__).parent / "site_judgements.txt"
Q = 0.8
KEPT = int(Q * MANY)
NOTHING_DONE, HALF, TIMES_Q, NO_FACTOR = Compensation(), Compensation(0.5), Compensation(Q), Compensation(None)
TURNED = site(declared=0.2, implementation=Implementation.BERNOULLI)
# Alpha dropout at .8 but for its shift, its slope, or what it makes of dropped elements.
RIGHT = alpha_law(Q)
ALPHA = Law(RIGHT.slope, RIGHT.shift, RIGHT.dropped)
SHIFTED = Law(RIGHT.slope, 0.5, RIGHT.dropped)
RATES = (0.5, 0.6, 0.7, 0.8)


def told(meter: SiteMeter, compensation: Compensation = NOTHING_DONE, of: GraphSite | None = None) -> str:
    """Return what is said of a site, by default one that declares .8."""
    return said(judge_site(MeasuredSite(of or site(), meter), compensation))


def judgements() -> dict[str, str]:
    """Return what is said, by what was measured."""
    return {
        "unscaled": told(mask_meter(KEPT, (1.0,))),
        "unscaled, in a pair that differs otherwise": told(mask_meter(KEPT, (1.0,)), NO_FACTOR),
        "unscaled, and half at inference": told(mask_meter(KEPT, (1.0,)), HALF),
        "unscaled, and q at inference": told(mask_meter(KEPT, (1.0,)), TIMES_Q),
        "doubled": told(mask_meter(KEPT, (1 / Q**2,))),
        "swapped": told(mask_meter(KEPT, (5.0,))),
        "another factor": told(mask_meter(KEPT, (1.7,))),
        "varying": told(mask_meter(KEPT, (1.0, 2.0))),
        "right, and q at inference": told(mask_meter(KEPT), TIMES_Q),
        "right, and 1/q at inference": told(mask_meter(KEPT), Compensation(1 / Q)),
        "right, and half at inference": told(mask_meter(KEPT), HALF),
        "alpha dropout with another shift": told(mask_meter(KEPT, (RIGHT.slope,), law=SHIFTED), of=site(law=SHIFTED)),
        "alpha dropout with another slope": told(mask_meter(KEPT, (1.25,), law=ALPHA), of=site(law=ALPHA)),
        "another rate": told(mask_meter(KEPT, declared=0.5)),
        "the drop rate": told(mask_meter(KEPT, declared=0.2)),
        "nothing dropped, declared": told(mask_meter(MANY, (1.0,), declared=Q)),
        "nothing dropped, scaled": told(mask_meter(MANY)),
        "an open rate": told(mask_meter(80, cells=100, declared=Q)),
        "an open rate, undeclared": told(mask_meter(80, cells=100), of=site(declared=None)),
        "nothing but zeros": told(mask_meter(0, (), cells=0)),
        "Bernoulli by the standard": told(mask_meter(KEPT, (5.0,)), of=TURNED),
        "Bernoulli turned round": told(mask_meter(KEPT), of=TURNED),
        "noise of another mean": told(noise_meter(0.8, 0.5)),
        "noise of an open mean": told(noise_meter(1.0, 0.5, values=1000)),
        "noise of another rate": told(noise_meter(1.0, 0.5, declared=0.5)),
        "noise, and half at inference": told(noise_meter(1.0, 0.5), HALF),
        "rates by feature, unscaled": told(rates_meter(RATES, 1.0, 0.0)),
        "rates by feature, doubled": told(rates_meter(RATES, 1.0, -2.0)),
        "rates by feature, another factor": told(rates_meter(RATES, 1.1, -1.0)),
        "rates by feature, and half at inference": told(rates_meter(RATES, 1.0, -1.0), HALF),
    }


def test_findings_about_a_site_are_worded_like_their_golden_file(golden: Golden) -> None:
    golden.check(FILE, "\n\n".join(f"# {name}\n{text}" for name, text in judgements().items()) + "\n")


def test_what_is_right_is_said_nothing_of() -> None:
    assert told(mask_meter(KEPT)) == ""
    assert told(mask_meter(KEPT, (RIGHT.slope,), law=ALPHA), of=site(law=ALPHA)) == ""
    assert told(noise_meter(1.0, 0.5, declared=Q)) == ""
    assert told(rates_meter(RATES, 1.0, -1.0)) == ""
