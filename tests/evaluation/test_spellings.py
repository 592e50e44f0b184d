"""Claims about the generator of spellings: what it draws, that graphs are valid, and that its truth holds."""

from __future__ import annotations

from collections import Counter
from functools import cache

import onnx
import onnxruntime
import pytest

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_evaluation.spellings.generate import Spelling, spelling
from dropaudit_evaluation.spellings.grammar.applications import APPLICATIONS
from dropaudit_evaluation.spellings.grammar.detours import DETOURS
from dropaudit_evaluation.spellings.grammar.thresholds import ONE_DRAW
from dropaudit_evaluation.spellings.intention import Extent, Law
from dropaudit_evaluation.spellings.network.build import ALONE, ANYWHERE, IN_TIME
from dropaudit_evaluation.spellings.network.plan import Pairing
from dropaudit_evaluation.spellings.pairs import factor_of

SEED, COUNT = 11, 500
# What a way of spelling is made of.
WAY = ("draw", "threshold", "application", "scale", "site")


@cache
def drawn() -> tuple[Spelling, ...]:
    return tuple(spelling(SEED, number) for number in range(COUNT))


def features() -> Counter[str]:
    return Counter(feature for each in drawn() for feature in each.features)


def way(each: Spelling) -> tuple[str, ...]:
    return tuple(feature for feature in each.features if feature.split(":")[0] in WAY)


def test_graphs_of_one_site_alone_spell_it_in_more_than_sixty_ways() -> None:
    ways = {way(each) for each in drawn() if "sites:1" in each.features}
    assert len(ways) >= 60


@pytest.mark.parametrize(
    "wanted",
    [
        *(f"threshold:{name}" for name in ONE_DRAW),
        *(f"threshold:{name}" for name in ("bernoulli", "dropout of ones", "max pool", "both", "either", "quantized")),
        *(f"threshold:{name}" for name in ("max pool 2d", "multinomial", "gumbel", "concrete", "digits")),
        *(f"recurrence:{name}" for name in ("LSTM", "GRU", "RNN")),
        *(f"application:{name}" for name in APPLICATIONS),
        *(f"detour:{name}" for name in DETOURS),
        *(f"place:{name}" for name in (*IN_TIME, *ANYWHERE, *ALONE, "table", "ids")),
        *(f"law:{law}" for law in Law),
        *(f"extent:{extent}" for extent in Extent),
        *(f"sites:{count}" for count in range(1, 6)),
        *(f"seeds:{kind}" for kind in ("absent", "different", "equal")),
        *(f"role:{role}" for role in Role),
        *(f"pair:{pairing}" for pairing in Pairing),
        "declared:apart",
        *(f"scale:{place}" for place in ("before", "mask", "after", "before+mask", "after+mask")),
        *(f"range:{name}" for name in ("unit", "symmetric", "bytes", "below zero", "small", "shifted")),
        *(f"function:{name}" for name in ("neg", "sigmoid", "exp", "log", "sqrt", "line")),
        *(f"constant:{name}" for name in ("reciprocal", "from the complement", "root", "power", "sum")),
        "draw:RandomNormal like",
        "draw:RandomUniform of a shape",
        "site:operator",
        "rate:by feature",
        # float16 and float64 beside float32.
        "type:10",
        "type:11",
    ],
)
def test_the_grammar_draws(wanted: str) -> None:
    assert features()[wanted] > 0


def test_the_checker_and_the_runtime_accept_what_is_drawn() -> None:
    onnxruntime.set_default_logger_severity(3)
    for content in [content for each in drawn()[:150] for content in (each.model, each.inference) if content]:
        onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_the_same_seed_and_number_draw_the_same_graph_and_label() -> None:
    assert [spelling(SEED, number) for number in range(8)] == [*drawn()[:8]]


def test_half_of_the_graphs_are_healthy_and_half_are_not() -> None:
    faulty = sum(Verdict.FAIL in each.label.verdict for each in drawn()) / COUNT
    assert 0.3 < faulty < 0.7


def test_a_wrong_factor_at_inference_is_far_from_the_right_ones_at_every_rate() -> None:
    rates = [thousandths / 1000 for thousandths in range(50, 951)]
    away = [abs(factor_of(Pairing.WRONG, q) / right - 1) for q in rates for right in (1.0, q)]
    assert min(away) > 0.04


def test_a_doubled_scale_of_a_small_rate_in_half_precision_is_told_from_a_wrong_one() -> None:
    """1 - .92 in float16 is off by half a percent, and its square by twice that."""
    assert "law:scale doubled" in spelling(141421, 4581).features
