"""The audits that documents show, and browsers look at: the seed case, a healthy model, a faulty one, a pair."""

from __future__ import annotations

from functools import cache

from dropaudit import ArtifactSubject, PairSubject, Plan, Provider, Report, Role, Subject, audit
from dropaudit.report import Axis
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.lstm.sites import site
from dropaudit_models.lstm.spec import Head, Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import Form, build
from dropaudit_models.seed_case import seed_case
from dropaudit_models.writing import Transform

NAMES = ("seed-case", "healthy", "three-faults", "paper-pair")
_PLAN = Plan(provider=Provider.CPU)
_THREE_LAYERS = LSTMSpec(input_size=4, layers=(Layer(16), Layer(16), Layer(16)), head=Head.LINEAR, classes=5, seed=3)
_PAPER = LSTMSpec(input_size=2, layers=(Layer(10, Wrapper(output_keep_prob=0.7)),), draw=Draw.LESS, seed=0)


def pictured_subjects() -> dict[str, tuple[Subject, str]]:
    """Return subjects by the name of their picture, each with the title of its report."""
    return {
        "seed-case": (seed_case(), "inference.npy"),
        "healthy": (_layered(_usual(0.8), _usual(0.7), _usual(0.5)), "three-layers.onnx"),
        "three-faults": (
            _layered(
                _usual(0.8, factor=1.0),
                # Keeps what it should drop, and scales for what it should keep.
                _usual(0.3, factor=1 / 0.7),
                _usual(0.5, shared=frozenset({Axis.BATCH})),
            ),
            "three-faults.onnx",
        ),
        "paper-pair": (
            PairSubject(
                train=build(_PAPER, Form.PAPER_TRAIN).SerializeToString(),
                inference=build(_PAPER, Form.PAPER_OUTPUTS).SerializeToString(),
            ),
            "paper-train.onnx",
        ),
    }


@cache
def pictured_report(name: str) -> tuple[Report, str]:
    """Return the report of a subject, and its title."""
    subject, title = pictured_subjects()[name]
    return audit(subject, _PLAN), title


def _usual(keep_prob: float, factor: float | None = None, shared: frozenset[Axis] = frozenset()) -> Transform:
    return site(Recipe(keep_prob=keep_prob, draw=Draw.LESS, factor=factor, shared=shared))


def _layered(*transforms: Transform) -> ArtifactSubject:
    sites = {Place(Spot.OUTPUT, layer): each for layer, each in enumerate(transforms)}
    return ArtifactSubject(lstm_model(_THREE_LAYERS, sites).SerializeToString(), Role.TRAIN)
