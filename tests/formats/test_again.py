from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropaudit.report import Artifact, Execution, InputTensor, Report, Settings, Verdict
from dropaudit_formats.again import command_of

DEFAULTS = Settings(alpha=0.001, tolerance=0.02, max_replicates=65536, role="train")
MADE = Execution(provider="cpu", seed=7, settings=DEFAULTS)


def command(execution: Execution = MADE, title: str = "m.onnx", **settings: Any) -> str:
    assert execution.settings is not None
    asked = msgspec.structs.replace(execution.settings, **settings)
    made = msgspec.structs.replace(execution, settings=asked)
    return command_of(Report(verdict=Verdict.PASS, summary="", execution=made), title)


def test_defaults_are_left_out() -> None:
    assert command() == "dropaudit run m.onnx --role train --provider cpu --seed 7"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("keep_prob", 0.5, " --keep-prob 0.5"),
        ("alpha", 0.01, " --alpha 0.01"),
        ("tolerance", 0.05, " --tolerance 0.05"),
        ("max_replicates", 128, " --replicates 128"),
        ("compare_provider", "cuda", " --compare-provider cuda"),
    ],
)
def test_a_setting_that_is_no_default_is_an_option(setting: str, value: object, words: str) -> None:
    options: Any = {setting: value}
    assert command(**options) == f"{command()}{words}"


def test_all_options_stand_beside_each_other() -> None:
    everything = command(keep_prob=0.5, alpha=0.01, tolerance=0.05, max_replicates=128, compare_provider="cuda")
    assert everything == (
        "dropaudit run m.onnx --role train --provider cpu --seed 7 --compare-provider cuda --replicates 128 "
        "--keep-prob 0.5 --alpha 0.01 --tolerance 0.05"
    )


def test_a_pair_with_inputs_of_ones_own_names_files_in_capitals() -> None:
    artifacts = (Artifact(sha256="ab", bytes=1), Artifact(sha256="cd", bytes=1))
    inputs = (InputTensor(name="x", dtype="float32", shape=(1,)),)
    pair = msgspec.structs.replace(MADE, artifacts=artifacts, inputs=inputs)
    assert command(pair, "audits/1", role="") == (
        "dropaudit run MODEL.onnx --inference INFERENCE.onnx --inputs INPUTS.npz --provider cpu --seed 7"
    )


def test_made_up_inputs_and_one_artifact_need_no_file() -> None:
    inputs = (InputTensor(name="x", dtype="float32", shape=(1,), synthesized=True),)
    one = msgspec.structs.replace(MADE, artifacts=(Artifact(sha256="ab", bytes=1),), inputs=inputs)
    assert command(one) == command()


def test_recorded_outputs_are_compared_one_or_several() -> None:
    one = msgspec.structs.replace(MADE, sampling="recorded", replicates=1)
    several = msgspec.structs.replace(one, replicates=2)
    assert command(one, "y.npy") == "dropaudit compare y.npy TRAIN.npy"
    assert command(several, "audits/1") == "dropaudit compare INFERENCE.npy TRAIN-1.npy TRAIN-2.npy"


def test_a_long_path_loses_its_middle_and_a_shell_takes_any_as_one_word() -> None:
    told = command(title="a" * 300 + ".onnx").split()[2]
    assert (len(told), told[:3], told[-5:]) == (202, "'aa", "onnx'")
    assert command(title="a b.onnx").startswith("dropaudit run 'a b.onnx' --role")


def test_a_report_without_settings_has_no_command() -> None:
    assert command_of(Report(verdict=Verdict.PASS, summary="", execution=Execution(provider="cpu")), "m.onnx") == ""
