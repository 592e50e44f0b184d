"""Claims about findings from masks that were compared, on evidence made by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dropaudit.graph.site import GraphSite, Law, RemoteScale
from dropaudit.judge.mask_findings import judge_correlation, judge_masks, judge_stacked
from dropaudit.measure.finding.linked_masks import INDEPENDENT, LinkedMasks
from dropaudit.measure.prepare import Prepared
from dropaudit.report import Axis, Finding, Implementation, Placement
from support.made_evidence import model, parsed, prepared, site

PLAIN = parsed("<float[16] w = {" + ", ".join(["1.0"] * 16) + "}> { y = Neg(x) }")
A, B, C, DEAD = site("a"), site("b"), site("c"), site("dead", result="nowhere")
BOTH_AXES = (Axis.BATCH, Axis.TIME)


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in findings]


def one_decides(first: GraphSite, second: GraphSite) -> LinkedMasks:
    return LinkedMasks(decided=((first, second),), dependent=((first, second),))


def of_masks(ready: Prepared, *sites: GraphSite) -> list[Finding]:
    return judge_masks(model(PLAIN, sites=sites or (A, B, C, DEAD)), ready)


def test_masks_that_differ_are_not_worth_a_word() -> None:
    assert of_masks(prepared(A, B)) == []


def test_a_site_that_reaches_nothing_is_not_judged_by_its_mask() -> None:
    ready = prepared(
        A,
        DEAD,
        frozen=(DEAD,),
        replayed=(DEAD,),
        shared={DEAD: (0, 1)},
        labels={"dead.after": BOTH_AXES},
        identical=((A, DEAD), (DEAD, A)),
    )
    assert of_masks(ready) == []


@pytest.mark.parametrize(
    ("labels", "codes"),
    [((Axis.BATCH,), ["DA402"]), ((Axis.TIME,), ["DA403"]), (BOTH_AXES, ["DA402", "DA403"]), ((Axis.FEATURE,), [])],
)
def test_a_mask_is_said_to_be_shared_over_batch_and_time_alone(labels: tuple[Axis, ...], codes: list[str]) -> None:
    ready = prepared(A, shared={A: tuple(range(len(labels)))}, labels={"a.after": labels})
    found = of_masks(ready)
    assert told(found) == [(code, "a") for code in codes]
    assert all(each.evidence == {"sharedOver": [axis.value for axis in labels]} for each in found)


@pytest.mark.parametrize("on", [site("a", placement=Placement.WEIGHT), site("a", source="w")], ids=["placed", "read"])
def test_a_mask_on_weights_is_meant_to_serve_the_whole_batch(on: GraphSite) -> None:
    assert of_masks(prepared(on, shared={on: (0, 1)}, labels={"a.after": BOTH_AXES}), on) == []


def test_a_frozen_mask_is_said_once_and_neither_seeded_nor_equal_to_another() -> None:
    ready = prepared(A, B, frozen=(A,), replayed=(A,), identical=((A, B),))
    assert told(of_masks(ready)) == [("DA401", "a")]


def test_a_seeded_mask_is_told_by_site() -> None:
    assert told(of_masks(prepared(A, B, C, replayed=(C, A)))) == [("DA406", "a"), ("DA406", "c")]


def test_pairs_of_equal_masks_are_one_finding_that_names_each_site_once() -> None:
    (found,) = of_masks(prepared(A, B, C, decided=((A, B),), identical=((A, B), (B, C), (A, DEAD))))
    assert (found.code, found.subject) == ("DA404", "b")
    assert found.evidence == {"first": "a", "sites": ["a", "b", "c"]}
    assert "1 more pair of sites" in found.message


def test_a_single_pair_of_equal_masks_is_named_without_others() -> None:
    (found,) = of_masks(prepared(A, B, identical=((A, B),)))
    assert found.message.endswith("keeps none that the other drops.")
    assert found.evidence == {"first": "a", "sites": ["a", "b"]}


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (site("c", placement=Placement.STATE_C), [("DA407", "c")]),
        (site("c", None, placement=Placement.STATE_C), [("DA407", "c")]),
        (site("c", 1.0, placement=Placement.STATE_C), []),
        (site("c", placement=Placement.STATE_C, result="nowhere"), []),
        (site("c", placement=Placement.STATE_H), []),
    ],
    ids=["dropped", "rate unknown", "rate zero", "dead", "hidden state"],
)
def test_dropping_the_memory_is_told_where_it_drops(memory: GraphSite, expected: list[tuple[str, str]]) -> None:
    assert told(of_masks(prepared(), memory)) == expected


def test_correlated_runs_concern_dropout_operators_alone() -> None:
    operator = site("o", implementation=Implementation.DROPOUT_OP)
    (found,) = judge_correlation(model(PLAIN, sites=(A, operator)), 3.14)
    assert (found.subject, found.evidence) == ("o", {"dispersion": 3.14, "sites": ["o"]})
    assert judge_correlation(model(PLAIN, sites=(A,)), 3.14) == []
    assert judge_correlation(model(PLAIN, sites=(A, operator)), None) == []


CONSTANTS = "float r = {0.2}, float p = {0.4}, bool t = {1}"


def stacked(
    between: str, *, decided: bool = False, kept: float = 1.0, rates: tuple[str, str] = ("r", "p")
) -> list[str]:
    """Return codes for two Dropout operators; where the first decides the second, that keeps so much of the rest."""
    nodes = f"d = Dropout(x, {rates[0]}, t)  e = {between}  y = Dropout(e, {rates[1]}, t)"
    of = model(parsed(f"<{CONSTANTS}> {{ {nodes} }}"))
    one, other = of.sites
    found = judge_stacked(of, one_decides(one, other) if decided else INDEPENDENT, {one: 0.8, other: kept})
    assert all(finding.subject == other.name for finding in found)
    return [finding.code for finding in found]


@pytest.mark.parametrize("move", ["Identity(d)", "Transpose<perm = [1, 0]>(d)", "Cast<to = 11>(d)"])
def test_sites_are_stacked_over_moves(move: str) -> None:
    assert stacked(move) == ["DA203"]


@pytest.mark.parametrize("operator", ["Neg(d)", "Relu(d)", "Mul(d, x)", "Neg(x)"])
def test_an_operator_that_computes_parts_sites(operator: str) -> None:
    assert stacked(operator) == []


def test_one_mask_that_is_scaled_twice_is_compensated_twice() -> None:
    """The second mask keeps all that the first has kept, and scales it again."""
    assert stacked("Identity(d)", decided=True) == ["DA203", "DA302"]
    assert stacked("Identity(d)", decided=False) == ["DA203"]


def test_masks_that_drop_more_together_than_the_smaller_one_drop_twice() -> None:
    """The smaller mask keeps .6; of .8 the second keeps .6 more where 0.8 * kept is at most .48."""
    assert stacked("Identity(d)", decided=True, kept=0.59) == ["DA203"]
    assert stacked("Identity(d)", decided=True, kept=0.61) == ["DA203", "DA302"]


def test_what_both_keep_is_declared_or_measured_where_one_decides_the_other() -> None:
    of = model(parsed(f"<{CONSTANTS}> {{ d = Dropout(x, r, t)  y = Dropout(d, p, t) }}"))
    one, other = of.sites
    measured = {one: 0.79, other: 0.99}
    assert judge_stacked(of)[0].evidence["keepProbOfBoth"] == pytest.approx(0.8 * 0.6)
    assert judge_stacked(of, INDEPENDENT, measured)[0].evidence["keepProbOfBoth"] == pytest.approx(0.8 * 0.6)
    for linked in (one_decides(one, other), LinkedMasks(dependent=((one, other),))):
        assert judge_stacked(of, linked, measured)[0].evidence["keepProbOfBoth"] == pytest.approx(0.79 * 0.99)
        assert judge_stacked(of, linked, {one: 0.79})[0].evidence["keepProbOfBoth"] == pytest.approx(0.79 * 0.6)
        assert judge_stacked(of, linked, {other: 0.99})[0].evidence["keepProbOfBoth"] == pytest.approx(0.8 * 0.99)


def test_only_a_mask_that_another_decides_is_compensated_twice() -> None:
    of = model(parsed(f"<{CONSTANTS}> {{ d = Dropout(x, r, t)  y = Dropout(d, p, t) }}"))
    first, second = of.sites
    linked = LinkedMasks(dependent=((first, second),))
    assert [finding.code for finding in judge_stacked(of, linked, {first: 0.8, second: 1.0})] == ["DA203"]


def test_a_second_mask_that_does_not_scale_compensates_nothing_unless_its_scale_lies_elsewhere() -> None:
    """A chain without a scale behind an operator, of which the operator's draw decides all."""
    body = "d = Dropout(x, r, t)  u = RandomUniformLike(d)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(d, m)"
    of = model(parsed(f"<float r = {{0.2}}, float q = {{0.6}}, bool t = {{1}}> {{ {body} }}"))
    first, second = sorted(of.sites, key=lambda each: each.implementation is not Implementation.DROPOUT_OP)
    both = one_decides(first, second)
    assert told(judge_stacked(of, both, {first: 0.8, second: 1.0})) == [("DA203", second.name)]
    scaled = replace(second, remote=REMOTE)
    of = model(of.proto, sites=(first, scaled))
    assert [code for code, _ in told(judge_stacked(of, one_decides(first, scaled), {first: 0.8, scaled: 1.0}))] == [
        "DA203",
        "DA302",
    ]


def test_of_rates_that_are_not_declared_what_both_keep_is_compared_with_all() -> None:
    of = model(
        parsed(f"<{CONSTANTS}> {{ k = ReduceMean<keepdims = 0>(x)  d = Dropout(x, k, t)  y = Dropout(d, k, t) }}")
    )
    first, other = of.sites
    second = replace(other, law=Law(1.25))
    of = model(of.proto, sites=(first, second))
    for share, codes in ((0.81, ["DA203", "DA302"]), (0.79, ["DA203"])):
        found = judge_stacked(of, one_decides(first, second), {first: share, second: 1.0})
        assert [finding.code for finding in found] == codes


REMOTE = RemoteScale("x", "y", 1 / 0.6)


def test_frozen_masks_are_not_stacked() -> None:
    mask = ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2))
    constants = f"<float[16] m = {{{mask}}}, {CONSTANTS}>"
    assert judge_stacked(model(parsed(f"{constants} {{ d = Mul(x, m)  y = Dropout(d, r, t) }}"))) == []
    assert judge_stacked(model(parsed(f"{constants} {{ d = Dropout(x, r, t)  y = Mul(d, m) }}"))) == []
