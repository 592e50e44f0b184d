"""Claims about whether there is dropout, on graphs whose sites are known: no model is run."""

from __future__ import annotations

import onnx
import pytest

from dropaudit.judge.presence_findings import drop_rate, judge_presence, named
from dropaudit.measure.branches.taken import UnseenBranch
from dropaudit.measure.cases.reference import Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Severity
from support.made_evidence import model, operators, parsed, pruned_product, reference, site

RATES = "float r = {0.25}, float zero = {0.0}, bool t = {1}, bool off = {0}"
MASK = "float[16] m = {" + ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2)) + "}"
NOTHING = reference()
NOISE = reference(other=operators("noise"))


def of(nodes: str) -> onnx.ModelProto:
    return parsed(f"<{RATES}, {MASK}> {{ {nodes} }}")


RIGHT, PLAIN = of("d = Dropout(x, r, t)  y = Neg(d)"), of("y = Neg(x)")
INERT, DEAD = of("d = Dropout(x, r, off)  y = Neg(d)"), of("d = Dropout(x, r, t)  y = Neg(x)")
FROZEN_DEAD = of("d = Mul(x, m)  y = Neg(x)")
UNSEEN = (UnseenBranch("if", "then_branch", ("noise",)),)


def told(
    proto: onnx.ModelProto, role: Role = Role.TRAIN, known: Reference = NOTHING, unseen: tuple[UnseenBranch, ...] = ()
) -> list[tuple[str, Severity]]:
    return [(each.code, each.severity) for each in findings(proto, role, known, unseen)]


def findings(
    proto: onnx.ModelProto, role: Role = Role.TRAIN, known: Reference = NOTHING, unseen: tuple[UnseenBranch, ...] = ()
) -> list[Finding]:
    return judge_presence(model(proto, role, unseen=unseen), known)


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def test_a_site_that_drops_is_enough() -> None:
    for role in Role:
        assert told(RIGHT, role) == []


def test_a_site_that_cannot_drop_is_a_fault_of_what_trains_alone() -> None:
    assert told(INERT) == [("DA101", ERROR)]
    assert told(INERT, Role.AUTO) == [("DA105", WARNING)]
    assert told(INERT, Role.INFERENCE) == []


def test_a_site_that_keeps_everything_is_not_inert() -> None:
    assert told(of("y = Dropout(x, zero, off)")) == [("DA105", ERROR)]


def test_dead_sites_are_told_and_are_no_dropout() -> None:
    assert told(DEAD) == [("DA107", INFO), ("DA105", ERROR)]
    assert told(of("d = Dropout(x, r, t)  h = Neg(x)  y = Dropout(h, r, t)")) == [("DA107", INFO)]


def test_a_dead_mask_that_is_a_constant_is_not_called_dead() -> None:
    assert "DA107" not in [code for code, _ in told(FROZEN_DEAD)]


def test_other_randomness_stands_in_place_of_nothing() -> None:
    assert told(PLAIN, known=NOISE) == [("DA106", WARNING)]
    assert told(RIGHT, known=NOISE) == [("DA106", WARNING)]
    assert told(PLAIN) == [("DA105", ERROR)]


def test_a_branch_that_was_not_seen_is_told_in_every_role_and_stands_in_place_of_nothing() -> None:
    for role in Role:
        assert told(PLAIN, role, unseen=UNSEEN) == [("DA901", INFO)]


def test_dropout_without_effect_is_named_with_the_reason() -> None:
    nodes = "a = Dropout(x, zero, t)  b = Dropout(a, r, off)  c = Dropout(b, r, t)  y = Neg(b)"
    found = findings(of(nodes), Role.AUTO)[-1]
    assert found.code == "DA105"
    assert found.evidence == {
        "sites": 0,
        "idle": ["'Dropout_0' has drop rate 0", "'Dropout_1' has no train mode", "'Dropout_2' reaches no output"],
    }
    assert found.subject == "g"


def test_a_graph_without_dropout_names_none() -> None:
    (found,) = findings(PLAIN)
    assert found.evidence == {"sites": 0}
    assert found.message == "Nothing random reaches any output: 0 active sites, at least 1 expected."


def test_a_graph_without_a_name_is_the_model() -> None:
    nameless = onnx.ModelProto()
    nameless.CopyFrom(PLAIN)
    nameless.graph.name = ""
    assert findings(nameless)[0].subject == "model"


@pytest.mark.parametrize(
    ("count", "tail"), [(4, "'Dropout_3' has drop rate 0."), (5, "'Dropout_3' has drop rate 0; ….")]
)
def test_four_reasons_are_listed_and_more_are_hinted_at(count: int, tail: str) -> None:
    steps = "  ".join(f"d{i} = Dropout(x, zero, t)" for i in range(count))
    (found,) = findings(of(f"{steps}  y = Neg(x)"))
    assert found.message.endswith(tail)
    assert len(found.evidence["idle"]) == count


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "'n1'"), (4, "'n1', 'n2', 'n3', 'n4'"), (6, "'n1', 'n2', 'n3', 'n4' and 2 more")]
)
def test_names_are_listed_up_to_four(count: int, text: str) -> None:
    assert named([f"n{i + 1}" for i in range(count)]) == text


def test_a_drop_rate_is_told_to_four_digits_or_unknown() -> None:
    assert drop_rate(site(declared=0.7)) == "0.3"
    assert drop_rate(site(declared=1 / 3)) == "0.6667"
    assert drop_rate(site(declared=None)) == "unknown"


def test_frozen_weights_count_where_a_model_trains() -> None:
    """Weights with exact zeros all over stand for dropout in role train; a pruned weight looks the same."""
    proto = pruned_product()
    (found,) = model(proto, Role.TRAIN).frozen_weights
    assert found.mask == "w"
    assert model(proto, Role.AUTO).frozen_weights == ()
    assert told(proto) == []
    assert told(proto, Role.AUTO) == [("DA105", WARNING)]
