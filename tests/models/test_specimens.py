"""Claims about specimens: what each does, measured without the audit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from dropaudit.errors import InvalidArgument
from dropaudit.findings import CATALOGUE
from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_models.lstm.alterations import zoneout
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import parameters
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw
from dropaudit_models.specimens import (
    KINDS,
    Kind,
    Setting,
    Specimen,
    Where,
    first_specimens,
    healthy_twin,
    kind_named,
    random_specimens,
    settings_of,
)
from dropaudit_models.specimens.building import scaled_output
from dropaudit_models.specimens.situations import SITUATIONS
from support.lstm_by_hand import ByHand, Masks, run, synthesized

# DA503 needs a second provider, DA901 a replicate limit: no file can carry them.
WITHOUT_SPECIMEN = {"DA503", "DA901"}


def claimed(kind: Kind) -> set[str]:
    """Every code that some specimen of a kind must raise."""
    answers = [kind.answer(setting) for setting in settings_of(kind)]
    return {code for answer in answers for code in answer.codes | frozenset().union(*answer.codes_any)}


def test_every_finding_that_a_file_can_carry_has_a_kind_that_raises_it() -> None:
    raised = set().union(*(claimed(kind) for kind in KINDS), *(each.answer.codes for each in SITUATIONS))
    assert raised >= set(CATALOGUE) - WITHOUT_SPECIMEN


def test_kinds_and_specimens_have_names_of_their_own() -> None:
    assert max(Counter(kind.name for kind in KINDS).values()) == 1
    names = [specimen.name for specimen in first_specimens()]
    assert len(set(names)) == len(names) >= 1_000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_twin_of_a_kind_is_healthy_and_shares_weights_and_sizes(kind: Kind) -> None:
    twin = kind_named(kind.twin)
    assert twin.healthy
    assert all(twin.answer(setting).no_errors for setting in settings_of(twin))
    for setting in settings_of(kind):
        other = healthy_twin(kind.specimen(setting))
        assert other.kind.exists_in(other.setting)
        assert (other.setting.seed, other.setting.units) == (setting.seed, setting.units)


def test_an_answer_contradicts_itself_nowhere() -> None:
    for specimen in first_specimens():
        answer = specimen.answer
        assert not answer.codes & answer.not_codes, specimen.name
        assert answer.verdicts, specimen.name
        assert not (answer.no_errors and Verdict.FAIL in answer.verdicts), specimen.name


def test_the_first_specimens_load_in_a_default_session_and_run() -> None:
    """One keep probability of each kind, place and spelling: more than a thousand models."""
    for specimen in first_specimens():
        for model in (specimen.model(), specimen.inference_model()):
            if model is not None:
                run(model, synthesized(model), disabled=())


def test_specimens_of_any_size_type_and_opset_run() -> None:
    for specimen in random_specimens(3 * len(KINDS), seed=1):
        model = specimen.model()
        finite = bool(np.isfinite(run(model, synthesized(model))).all())
        assert finite == ("DA501" not in specimen.answer.codes), specimen.name


def dropouts(graph: onnx.GraphProto) -> int:
    """Number of Dropout operators, bodies included."""
    inner = [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    return sum(node.op_type == "Dropout" for node in graph.node) + sum(dropouts(body) for body in inner)


def left_by_default(model: onnx.ModelProto, folder: Path) -> int:
    """Number of Dropout operators that a default session runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return dropouts(onnx.load(options.optimized_model_filepath).graph)


def test_da102_is_claimed_where_a_default_session_does_delete_operators(tmp_path: Path) -> None:
    checked = 0
    for specimen in first_specimens():
        answer, model = specimen.answer, specimen.model()
        if specimen.setting.draw is Draw.OPERATOR and answer.no_errors:
            deletes = left_by_default(model, tmp_path) < dropouts(model.graph)
            assert deletes == ("DA102" in answer.codes), specimen.name
            assert not (deletes and "DA102" in answer.not_codes), specimen.name
            checked += 1
    assert checked >= 40


def at(name: str, where: Where = Where.OUTPUT, keep_prob: float = 0.7) -> Specimen:
    """A specimen of a kind, 24 units, its mask a uniform chain."""
    kind = kind_named(name)
    batch, steps = kind.fixed or (None, None)
    return kind.specimen(Setting(units=24, keep_prob=keep_prob, draw=Draw.LESS, where=where, batch=batch, steps=steps))


FACTORS = {
    "inverted": 1 / 0.7,
    "scale-missing": 1.0,
    "scale-doubled": 0.7**-2,
    "scale-wrong": 1.17 / 0.7,
    "scale-little-wrong": 1.05 / 0.7,
    "scale-swapped": 1 / 0.3,
    "rate-swapped": 1 / 0.7,
    "frozen-mask": 1 / 0.7,
    "frozen-mask-unscaled": 1.0,
    "locked": 1 / 0.7,
    "variational": 1 / 0.7,
    "shared-over-batch": 1 / 0.7,
    "seeded": 1 / 0.7,
    "stacked": 0.7**-2,
}
SHARES = {"rate-swapped": 0.3, "stacked": 0.49}


@pytest.mark.parametrize("name", FACTORS)
def test_survivors_over_plain_outputs_are_what_the_kind_says(name: str) -> None:
    specimen = at(name)
    model = specimen.model()
    x = synthesized(model, batch=64)
    plain = run(kind_named("plain").specimen(specimen.setting).model(), x)
    dropped = run(model, x)
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept] / plain[kept], FACTORS[name], rtol=1e-5)
    if "DA4" not in "".join(claimed(specimen.kind)):
        assert kept.mean() == pytest.approx(SHARES.get(name, 0.7), abs=0.015)


PAIR_FACTORS = {
    "pair": 1 / 0.7,
    "classic-outputs": 1 / 0.7,
    "pair-scale-missing": 1.0,
    "pair-outputs-times-q": 0.7**-2,
    "pair-outputs-over-q": 1.0,
    "pair-inference-scaled": 1 / 0.6 / 1.31,
}


@pytest.mark.parametrize("name", PAIR_FACTORS)
def test_survivors_over_a_pairs_inference_outputs_are_what_the_kind_says(name: str) -> None:
    specimen = at(name, keep_prob=0.6 if name == "pair-inference-scaled" else 0.7)
    train, inference = specimen.model(), specimen.inference_model()
    assert inference is not None
    x = synthesized(train)
    dropped, reference = run(train, x), run(inference, x)
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept] / reference[kept], PAIR_FACTORS[name], rtol=1e-5)


@pytest.mark.parametrize("where", [Where.INPUT, Where.BETWEEN, Where.HEAD])
def test_scaled_weights_are_scaled_inputs_of_their_layer(where: Where) -> None:
    specimen = at("classic-weights", where=where)
    scaled, outputs = specimen.inference_model(), scaled_output(lambda q: q)(specimen.setting)
    assert scaled is not None
    x = synthesized(scaled)
    np.testing.assert_allclose(run(scaled, x), run(outputs, x), atol=1e-6)


def test_a_frozen_mask_repeats_and_random_ones_do_not() -> None:
    for name, repeats in (("frozen-mask", True), ("scale-missing", False), ("locked", False), ("variational", False)):
        model = at(name).model()
        x = synthesized(model)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        first, second = (session.run(None, {"x": x})[0] for _ in range(2))
        assert np.array_equal(first, second) == repeats, name


def test_one_seed_and_one_mask_drop_the_same_cells_at_both_places() -> None:
    for name in ("one-seed-twice", "one-mask-twice"):
        model = at(name, where=Where.BETWEEN).model()
        applied = [node.output[0] for node in model.graph.node if node.name.endswith("output_dropout")]
        applied += [node.output[0] for node in model.graph.node if node.name.endswith("output_1_dropout")]
        for output in applied:
            if output != "y":
                model.graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
        session = onnxruntime.InferenceSession(
            model.SerializeToString(),
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["CommonSubexpressionElimination"],
        )
        y, first = session.run(None, {"x": synthesized(model)})
        assert np.array_equal(first == 0, y == 0), name


@pytest.mark.parametrize(("chance", "h"), [(1 - 1e-7, 0.0), (1e-7, 1.0)])
def test_zoneout_leaves_states_at_their_old_value_or_lets_them_move(chance: float, h: float) -> None:
    """A state that never moves stays at zero, as one that is always dropped; one that always moves is plain."""
    spec = Setting(where=Where.STATE).spec
    x = np.random.default_rng(0).standard_normal((2, 5, 8)).astype(np.float32)
    found = run(lstm_model(spec, {Place(Spot.STATE_H): zoneout(chance)}), x)
    np.testing.assert_allclose(found, ByHand(parameters(spec), {0: Masks(h=h)})(x), atol=2e-6)


def test_a_random_choice_of_specimens_is_the_same_for_a_seed() -> None:
    names = [specimen.name for specimen in random_specimens(200, seed=4)]
    assert names == [specimen.name for specimen in random_specimens(200, seed=4)]
    assert names != [specimen.name for specimen in random_specimens(200, seed=5)]
    assert len(set(names)) == 200
    assert {name.partition("__")[0] for name in names} == {kind.name for kind in KINDS}


def test_thousands_of_specimens_can_be_drawn() -> None:
    assert len(random_specimens(5_000, seed=0)) == 5_000


def test_any_rate_will_do_but_those_where_the_fault_is_another_one() -> None:
    kind = kind_named("scale-swapped")
    model = kind.specimen(Setting(draw=Draw.LESS, keep_prob=0.95)).model()
    assert (run(model, synthesized(model)) != 0).mean() == pytest.approx(0.95, abs=0.03)
    for wrong in (0.5, 0.505, 0.0, 1.0):
        with pytest.raises(InvalidArgument, match="no scale-swapped"):
            kind.specimen(Setting(draw=Draw.LESS, keep_prob=wrong))
    with pytest.raises(InvalidArgument, match="no inverted-bernoulli"):
        kind_named("inverted-bernoulli").specimen(Setting(draw=Draw.BERNOULLI, keep_prob=0.6))
    assert all(kind.exists_in(setting) for kind in KINDS for setting in settings_of(kind))


def test_a_kind_that_does_not_exist_and_a_negative_count_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="no kind"):
        kind_named("dropkick")
    with pytest.raises(InvalidArgument, match="-1"):
        random_specimens(-1, seed=0)


def test_a_row_has_the_fields_of_a_corpus_and_the_pairs_other_file() -> None:
    row = at("pair-outputs-times-q").row()
    assert row == {
        "file": "pair-outputs-times-q__output-less-q70-u24-o17-s0.onnx",
        "inference": "pair-outputs-times-q__output-less-q70-u24-o17-s0__inference.onnx",
        "framework": "native",
        "exporter": "dropaudit_models",
        "dropout": "scaled at training, and outputs times q at inference too",
        "rate": 0.3,
        "role": "train",
        "placement": "OUTPUT",
        "verdict": ["FAIL"],
        "codes": ["DA302"],
        "not_codes": ["DA304"],
    }


def test_a_declared_keep_probability_is_wrong_in_every_specimen_that_declares_one() -> None:
    for specimen in first_specimens():
        if specimen.keep_prob is not None:
            assert abs(specimen.keep_prob - specimen.setting.keep_prob) > 0.05
            assert specimen.role is Role.TRAIN
