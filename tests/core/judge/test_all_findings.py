"""Claims about which judgements a report holds together, from evidence made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.graph.site import GraphSite
from dropaudit.judge.all_findings import findings_of
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.measure.case import Model
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.comparing.left_out import LeftOut
from dropaudit.measure.evidence import Health
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.plan import Plan, Provider, Role
from dropaudit.report import Implementation
from support.made_evidence import (
    MANY,
    evidence,
    mask_meter,
    measured,
    model,
    operators,
    output_meter,
    parsed,
    prepared,
    reference,
    site,
)

PLAIN = parsed("{ y = Neg(x) }")
MASK = "float[16] m = {" + ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2)) + "}"
FROZEN = parsed(f"<{MASK}> {{ y = Mul(x, m) }}")
DROPS = parsed("<float r = {0.2}, bool t = {1}> { d = Dropout(x, r, t)  y = Neg(d) }")
A, B, DEAD = site("a"), site("b"), site("dead", result="nowhere")
KEPT = int(0.8 * MANY)
X = np.array([[3.0, -4.0]])
SAME, OTHERWISE = reference({"y": X}, {"y": X}), reference({"y": X}, {"y": X + 1})
MOVED = output_meter((1.2, 1.4))


def told(
    *sites: MeasuredSite,
    of: Model | None = None,
    known: Reference = SAME,
    pair: PairStudy | None = None,
    outputs: tuple[OutputMeter, ...] = (),
    inference: Model | None = None,
    health: Health | None = None,
    left_out: LeftOut | None = None,
    plan: Plan | None = None,
    decided: tuple[tuple[GraphSite, GraphSite], ...] = (),
) -> list[tuple[str, str]]:
    ready = prepared(*(each.site for each in sites), known=known, pair=pair, left_out=left_out, decided=decided)
    case = of or model(PLAIN, sites=tuple(each.site for each in sites))
    found = evidence(
        case, ready, *(each.meter for each in sites), outputs=outputs, inference=inference, health=health, plan=plan
    )
    return [(finding.code, finding.subject) for finding in findings_of(found, list(sites))]


def right(of: GraphSite = A, factor: float = 1.25) -> MeasuredSite:
    return measured(KEPT, factor, of=of)


def pair(factors: dict[GraphSite, float] | None, *of_weights: float) -> PairStudy:
    return PairStudy(WeightComparison(3, (), (), of_weights), factors)


def test_of_a_right_model_nothing_is_said() -> None:
    assert told(right()) == []


def test_every_site_is_judged_but_those_that_reach_nothing() -> None:
    sites = (right(A, 1.0), right(DEAD, 1.0), right(B, 1.0))
    assert told(*sites) == [("DA107", "dead"), ("DA301", "a"), ("DA301", "b")]


def test_at_inference_the_modes_alone_are_judged() -> None:
    served = model(PLAIN, Role.INFERENCE, sites=(A,))
    assert told(right(A, 1.0), of=served, outputs=(MOVED,)) == [("DA103", "a")]


def test_what_a_pair_serves_is_judged_too() -> None:
    inference = model(DROPS, Role.INFERENCE)
    frozen = model(FROZEN, Role.INFERENCE)
    assert told(right(), pair=pair({}), inference=inference) == [("DA103", "Dropout_0")]
    assert told(right(), pair=pair({}), inference=frozen) == [("DA401", "Mul_0")]
    assert told(right(), pair=pair({}), inference=model(PLAIN, Role.INFERENCE)) == []


@pytest.mark.parametrize(
    ("weights", "codes"),
    [
        ((), ["DA304"]),
        ((0.8,), ["DA304"]),
        ((1.25,), ["DA304"]),
        ((0.2,), ["DA304"]),
        ((5.0,), ["DA304"]),
        ((0.8, 0.5), ["DA504", "DA301"]),
        ((0.5,), ["DA504", "DA301"]),
    ],
)
def test_weights_times_a_factor_of_no_site_are_other_weights(weights: tuple[float, ...], codes: list[str]) -> None:
    """Half is neither q or p of the site nor one over them: nothing can be said of what makes up for what."""
    study = pair({A: 0.8}, *weights)
    assert [code for code, _ in told(right(A, 1.0), known=OTHERWISE, pair=study)] == codes


def test_a_factor_of_any_site_is_not_foreign() -> None:
    study = pair({A: 0.8, B: 1.0}, 0.5)
    other = measured(MANY // 2, 2.0, of=site("b", 0.5))
    assert told(right(A, 1.0), other, known=OTHERWISE, pair=study) == [("DA304", "a")]


def test_each_site_of_a_pair_has_the_factor_that_was_found_for_it() -> None:
    study = pair({A: 0.8, B: 0.5})
    assert told(right(A, 1.0), right(B, 1.0), pair=study) == [("DA304", "a"), ("DA303", "b")]


def test_modes_that_differ_are_told_unless_a_mask_is_frozen_in_one_of_them() -> None:
    assert told(right(), known=OTHERWISE) == [("DA502", "y")]
    of = model(FROZEN, plain=PLAIN)
    assert told(of=of, known=OTHERWISE) == [("DA401", "Mul_0")]
    assert told(of=of, known=OTHERWISE, pair=pair(None)) == [("DA401", "Mul_0"), ("DA502", "y")]


def test_the_mean_of_outputs_is_judged_where_no_mask_is_frozen_and_the_papers_form_is_not_taken() -> None:
    assert told(right(), outputs=(MOVED,)) == [("DA305", "y")]
    assert told(of=model(FROZEN), outputs=(MOVED,)) == [("DA401", "Mul_0")]
    assert told(right(A, 1.0), pair=pair({A: 0.8}), outputs=(MOVED,)) == [("DA304", "a")]


def test_sites_that_are_not_measured_are_named_with_the_reason_if_there_is_one() -> None:
    of = model(PLAIN, sites=(A, B, DEAD, site("still", implementation=Implementation.CONSTANT_MASK)))
    found = evidence(of, prepared(A, known=SAME, left_out=LeftOut(sites={B: "it is so"})), mask_meter(KEPT))
    unmeasured = [each for each in findings_of(found, [right()]) if each.code == "DA901"]
    assert [(each.subject, "it is so" in each.message) for each in unmeasured] == [("b", True)]


def test_outputs_that_are_left_out_are_named_where_a_site_reaches_them() -> None:
    left_out = LeftOut(outputs={"y": "it has no elements", "z": "nobody reaches it"})
    of = model(PLAIN, sites=(A,))
    (found,) = findings_of(evidence(of, prepared(A, known=SAME, left_out=left_out), mask_meter(KEPT)), [right()])
    assert (found.code, found.subject) == ("DA901", "y")
    assert found.message.endswith("was not measured: it has no elements.")


def test_another_provider_is_compared_with_the_train_mode_without_its_sites() -> None:
    plan = Plan(compare_provider=Provider.CUDA)
    known = reference({"y": X * 0.5}, {"y": X})
    assert ("DA503", "y") not in told(right(), known=known, health=Health(None, {"y": X}), plan=plan)
    assert ("DA503", "y") in told(right(), known=known, health=Health(None, {"y": X * 0.5}), plan=plan)


def test_correlated_runs_and_other_randomness_are_told() -> None:
    operator = site("o", implementation=Implementation.DROPOUT_OP, maker="o")
    of = model(PLAIN, sites=(operator,), surviving=("o",))
    assert told(right(operator), of=of, health=Health(3.0, None)) == [("DA405", "o")]
    noisy = replace(SAME, other=operators("noise"))
    assert told(right(), known=noisy) == [("DA106", "noise")]


def test_of_a_site_that_other_randomness_draws_the_factor_says_nothing() -> None:
    noisy = replace(SAME, other=operators("a.draw"))
    assert told(right(A, 1.7), known=noisy) == [("DA106", "a.draw")]


def test_batch_statistics_are_told_by_output_and_by_node() -> None:
    known = replace(SAME, batch_gaps={"y": 0.25})
    assert told(right(), known=known) == [("DA502", "y")]


def test_stacked_sites_are_told_what_they_keep_as_measured() -> None:
    body = "d = Dropout(x, r, t)  y = Dropout(d, r, t)"
    of = model(parsed(f"<float r = {{0.2}}, bool t = {{1}}> {{ {body} }}"), surviving=("Dropout_0", "Dropout_1"))
    one, other = of.sites
    sites = (measured(KEPT, 1.25, of=one), MeasuredSite(other, mask_meter(MANY, (1.25,), name=other.name), True))
    ready = prepared(one, other, known=SAME, decided=((one, other),))
    found = findings_of(evidence(of, ready, *(each.meter for each in sites)), list(sites))
    (stacked,) = (each for each in found if each.code == "DA203")
    assert stacked.evidence["keepProbOfBoth"] == pytest.approx(0.8, abs=1e-3)
    assert [each.code for each in found] == ["DA203", "DA302", "DA404"]
