"""Models of specimens: a setting's LSTM with something at the setting's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx

from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import parameters
from dropaudit_models.lstm.places import Sites
from dropaudit_models.lstm.sites import multiplied, site
from dropaudit_models.specimens.kind import PASS, WARN, Answer, Build
from dropaudit_models.specimens.setting import Setting, Where
from dropaudit_models.writing import Transform, chain

Make = Callable[[Setting], Transform]
SCALE_CODES = ("DA301", "DA302", "DA303")
RATE_CODES = ("DA201", "DA202")


def bare(setting: Setting) -> onnx.ModelProto:
    """Build the model without dropout."""
    return lstm_model(setting.spec)


def planted(*makes: Make) -> Build:
    """Return the builder that puts transforms at the setting's place, one after the other."""
    return lambda setting: lstm_model(setting.spec, {setting.place: chain(*(make(setting) for make in makes))})


def placed(make: Callable[[Setting], Sites]) -> Build:
    """Return the builder that puts transforms at places of its own."""
    return lambda setting: lstm_model(setting.spec, make(setting))


def dropped(**changes: Any) -> Make:
    """Return the healthy site, or one whose recipe differs from it."""
    return lambda setting: site(setting.recipe(**changes))


def always(transform: Transform) -> Make:
    """Return a transform that no setting changes."""
    return lambda setting: transform


def scaled_output(factor: Callable[[float], float]) -> Build:
    """Return the builder of an inference artifact that multiplies what was dropped by a function of q."""
    return planted(lambda setting: multiplied(factor(setting.keep_prob)))


def scaled_weights(setting: Setting) -> onnx.ModelProto:
    """Build an inference artifact whose weights are q times the train artifact's, where they read what was dropped."""
    spec, given, q = setting.spec, parameters(setting.spec), setting.keep_prob
    if setting.where is Where.HEAD:
        assert given.head is not None
        return lstm_model(spec, weights=given.with_head(given.head * q))
    reader = 1 if setting.where is Where.BETWEEN else 0
    return lstm_model(spec, weights=given.with_scaled(reader, inputs=q))


def clean(setting: Setting) -> Answer:
    """Say what the audit of healthy dropout in train mode must find.

    A default session may remove it (DA102): WARN. Behind nonlinear operators the mean may shift (DA305), which is a
    number and no fault. In two bodies of Scan ONNX Runtime draws the same masks where a random operator has one place
    among the nodes of both, for its seed is counted from there (DA404).
    """
    removed = frozenset({"DA102"}) if setting.removed else frozenset()
    never = {*SCALE_CODES, *RATE_CODES, "DA102", "DA401", "DA402", "DA404"} - removed
    alike = setting.bidirectional and setting.where in (Where.STATE, Where.MEMORY)
    if alike:
        never -= {"DA404"}
    return Answer(
        verdicts=(WARN,) if removed else (PASS, WARN) if alike else (PASS,),
        codes=removed,
        not_codes=frozenset(never),
        no_errors=True,
    )
