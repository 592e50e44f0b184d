"""Claims about situations: what each graph does, measured by plain runs without the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations import SITUATIONS, Difficulty, Situation, situation_named
from dropaudit_models.specimens.situations.__main__ import run as run_command
from dropaudit_models.specimens.situations.words import Q, weights
from dropaudit_models.specimens.situations.writing import write_situations

Floats = NDArray[np.float64]
RUNS, ROWS, STEPS = 300, 24, 5
# ONNX Runtime aborts when it draws with scale 0, and no runtime loads what is invalid.
NEVER_RUN = {"crash-noise-of-scale-zero", "rewritten-invalid-file"}
EACH = pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
MEASURED = [each for each in SITUATIONS if each.factor is not None or each.share is not None]
SERVED = [each for each in SITUATIONS if each.role is Role.INFERENCE and each.name not in NEVER_RUN]


def rectified(x: Floats) -> Floats:
    positive: Floats = np.maximum(x, 0)
    return positive


def summed(x: Floats) -> Floats:
    sums: Floats = x.mean(axis=0) + x.cumsum(axis=0)
    return sums


def recurrent(x: Floats, matrix: Floats) -> Floats:
    """h = tanh(h matrix + x), from the mean over the steps."""
    state, states = x.mean(axis=0), []
    for step in x:
        state = np.tanh(state @ matrix + step)
        states.append(state)
    return np.stack(states)


def blocks(x: Floats) -> Floats:
    first = x + x @ weights()
    return first + first @ weights()


# First outputs without any dropout, by the beginning of the name; that of all others is -x.
PLAIN: dict[str, Callable[[Floats], Floats]] = {
    "unmeasured-live": lambda x: rectified(x) @ weights(),
    "unmeasured-half": lambda x: 0.5 * np.tanh(x) @ weights(),
    "equal-seeds-different": lambda x: np.concatenate([x, -x], axis=1),
    "equal-seeds-side": lambda x: np.concatenate([x, -x], axis=1),
    "contradiction": lambda x: np.tanh(x) @ weights(),
    "one-name-in-two-graphs": summed,
    "divided-before-path": lambda x: x + x @ weights(),
    "divided-before-two": blocks,
    "rewritten-scan": lambda x: recurrent(x, 0.5 * weights()),
    "spelled-in-body": lambda x: recurrent(x, np.eye(16)),
}


def plain_output(name: str, x: Floats) -> Floats:
    found = next((PLAIN[start] for start in PLAIN if name.startswith(start)), np.negative)
    result: Floats = found(x)
    return result


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(),
        options,
        ["CPUExecutionProvider"],
        disabled_optimizers=["EliminateDropout", "CommonSubexpressionElimination"],
    )


def feeds(running: onnxruntime.InferenceSession, flag: bool = False) -> dict[str, NDArray[Any]]:
    """Standard normal floats, small ids, and `flag` for booleans; inputs that have a default are left out."""
    rng, made = np.random.default_rng(0), {}
    for value in running.get_inputs():
        sizes = {"N": ROWS, "T": STEPS}
        shape = [extent if isinstance(extent, int) else sizes[extent] for extent in value.shape]
        if value.type == "tensor(bool)":
            made[value.name] = np.full(shape, flag)
        elif value.type == "tensor(int64)":
            made[value.name] = rng.integers(0, 16, shape)
        else:
            made[value.name] = rng.standard_normal(shape).astype(
                np.float64 if value.type == "tensor(double)" else np.float32
            )
    return made


def runs(model: onnx.ModelProto, fed: dict[str, NDArray[Any]], count: int) -> list[NDArray[Any]]:
    """First outputs of runs with fresh masks; fact: consecutive runs alone would be correlated."""
    running, seeds, found = session(model), np.random.default_rng(5), []
    for _ in range(count):
        onnxruntime.set_seed(int(seeds.integers(2, 2**31 - 2)))
        found.append(running.run(None, fed)[0])
    return found


@pytest.mark.parametrize("situation", MEASURED, ids=lambda situation: situation.name)
def test_share_and_factor_of_plain_train_runs_are_what_the_situation_says(situation: Situation) -> None:
    fed = feeds(session(situation.model))
    x = fed["x"].astype(np.float64)
    found = runs(situation.model, fed, RUNS)
    if situation.share is not None:
        shares = np.array([(each != 0).mean() for each in found])
        assert abs(shares.mean() - situation.share) <= 5 * shares.std() / np.sqrt(RUNS) + 1e-9
    if situation.factor is not None:
        plain = plain_output(situation.name, x)
        factors = np.array([(each * plain).sum() for each in found]) / (plain**2).sum()
        assert abs(factors.mean() - situation.factor) <= 5 * factors.std() / np.sqrt(RUNS) + 1e-5


def leaky(x: Floats) -> Floats:
    """RReLU at its mean slope."""
    slopes: Floats = np.where(x > 0, x, x * (0.125 + 0.3333) / 2)
    return slopes


# Means of train outputs that are more than a factor times the plain output.
MEANS: dict[str, Callable[[Floats], Floats]] = {
    "rate-from-data-unscaled": lambda x: -x * (1 - 0.5 * np.abs(x).mean()),
    "divided-before-and-after": lambda x: x + x @ weights() / Q,
    "divided-before-not-at-all": lambda x: x + Q * x @ weights(),
    "other-randomness-layer-drop": lambda x: x + 0.8 * rectified(x @ weights()),
    "random-reference-leaky": lambda x: -leaky(x),
    "random-reference-leaky-unscaled": lambda x: -Q * leaky(x),
    "random-reference-noisy-weights": lambda x: -x @ weights(),
    "random-reference-noisy-weights-unscaled": lambda x: -Q * x @ weights(),
    "extra-loss": lambda x: x @ weights() @ weights(seed=4),
    "extra-loss-unscaled": lambda x: Q * x @ weights() @ weights(seed=4),
}


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_of_plain_train_runs_is_what_the_situation_says(name: str) -> None:
    """Projections on the mean expected, whose own mean is 1; five standard errors."""
    model = situation_named(name).model
    fed = feeds(session(model))
    expected = MEANS[name](fed["x"].astype(np.float64))
    factors = np.array([(each * expected).sum() for each in runs(model, fed, RUNS)]) / (expected**2).sum()
    assert abs(factors.mean() - 1) <= 5 * factors.std() / np.sqrt(RUNS)


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("switched-by-not", {False: Q, True: 1.0}),
        ("switched-branch", {False: 1.0, True: Q}),
        ("switched-branch-always-served", {False: Q, True: Q}),
        ("switched-never", {False: 1.0, True: 1.0}),
    ],
)
def test_a_switch_turns_the_site_on_for_the_values_that_the_situation_says(
    name: str, shares: dict[bool, float]
) -> None:
    model = situation_named(name).model
    for flag, share in shares.items():
        found = np.array([(each != 0).mean() for each in runs(model, feeds(session(model), flag), RUNS)])
        assert abs(found.mean() - share) <= 5 * found.std() / np.sqrt(RUNS) + 1e-9


@pytest.mark.parametrize("name", ["spelled-frozen-in-body-train", "extra-padding", "extra-padding-always"])
def test_what_is_frozen_repeats_and_only_padding_everywhere_gives_nan(name: str) -> None:
    model = situation_named(name).model
    some, all_padded = (runs(model, feeds(session(model), flag), 3) for flag in (False, True))
    if name.startswith("spelled"):
        assert len({each.tobytes() for each in some}) == 1
        return
    assert np.isnan(some).any() == (name == "extra-padding-always")
    assert np.isnan(all_padded).any()


@pytest.mark.parametrize("situation", SERVED, ids=lambda situation: situation.name)
def test_what_is_served_varies_where_it_is_faulty_and_only_there(situation: Situation) -> None:
    """A switch is fed what a caller who serves would feed it; a frozen mask has another fault."""
    fed = feeds(session(situation.model), flag=situation.name == "switched-by-not-served")
    varies = len({each.tobytes() for each in runs(situation.model, fed, RUNS)}) > 1
    assert varies == (not situation.healthy and "DA401" not in situation.answer.codes)


@EACH
def test_a_session_takes_every_model_but_the_invalid_one(situation: Situation) -> None:
    if situation.error is not None:
        with pytest.raises(onnx.checker.ValidationError):
            onnx.checker.check_model(situation.model)
        return
    for model in (situation.model, situation.inference):
        if model is not None:
            onnx.checker.check_model(model)
            session(model)


@EACH
def test_the_twin_is_healthy_and_of_the_same_difficulty(situation: Situation) -> None:
    twin = situation_named(situation.twin)
    assert twin.healthy
    assert twin.difficulty is situation.difficulty
    assert Verdict.FAIL not in twin.answer.verdicts or twin.name in NEVER_RUN
    assert situation.name.startswith(situation.difficulty)
    assert not situation.answer.codes & situation.answer.not_codes


def test_every_difficulty_has_healthy_and_faulty_graphs_with_names_of_their_own() -> None:
    assert {each.difficulty for each in SITUATIONS if each.healthy} == set(Difficulty)
    assert {each.difficulty for each in SITUATIONS if not each.healthy} == set(Difficulty)
    assert max(Counter(each.name for each in SITUATIONS).values()) == 1
    with pytest.raises(InvalidArgument, match="no situation"):
        situation_named("unheard-of")


def test_an_inference_artifact_of_the_papers_form_is_the_train_artifact_with_q_for_the_mask() -> None:
    """By numpy: three dense layers with biases and ReLU, the second reading q times what the first made."""
    situation = situation_named("paper-pair-middle")
    assert situation.inference is not None
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in situation.model.graph.initializer}
    x = feeds(session(situation.model))["x"]
    first = rectified(x @ constants["w"] + constants["v"])
    second = rectified(np.float32(Q) * first @ constants["z"] + constants["v"])
    (found,) = runs(situation.inference, {"x": x}, 1)
    np.testing.assert_allclose(found, second @ constants["w"], atol=1e-5)


def test_a_folder_of_situations_holds_what_its_labels_name(tmp_path: Path) -> None:
    chosen = (situation_named("paper-pair-middle"), situation_named("tiny-four-cells"))
    labels = write_situations(tmp_path, chosen)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "labels.json",
        "paper-pair-middle.onnx",
        "paper-pair-middle__inference.onnx",
        "tiny-four-cells.onnx",
    ]
    assert labels.name == "labels.json"


def test_the_command_writes_every_situation(tmp_path: Path) -> None:
    assert run_command([str(tmp_path)]) == 0
    pairs = sum(each.inference is not None for each in SITUATIONS)
    assert len(list(tmp_path.glob("*.onnx"))) == len(SITUATIONS) + pairs
