"""Kinds of DA5xx: values that are not finite, batch statistics, and pairs that are not one model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from dropaudit.plan import Role
from dropaudit.report import Family
from dropaudit_models.lstm.alterations import activation, batch_statistics
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import parameters
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.sites import multiplied, site
from dropaudit_models.specimens.building import always, bare, dropped, placed, planted
from dropaudit_models.specimens.healthy import SEQUENCES
from dropaudit_models.specimens.kind import FAIL, WARN, Answer, Kind, fails
from dropaudit_models.specimens.setting import Setting, Where

_OTHER_SEED = 1_000_003


def _nan_head(setting: Setting) -> onnx.ModelProto:
    given = parameters(setting.spec)
    assert given.head is not None
    broken = given.head.copy()
    broken[0, 0] = np.nan
    return lstm_model(setting.spec, weights=given.with_head(broken))


def _other_weights(setting: Setting) -> onnx.ModelProto:
    return bare(replace(setting, seed=setting.seed + _OTHER_SEED))


def _tuned_weights(setting: Setting) -> onnx.ModelProto:
    """A little later in training: each weight of the first layer has moved by some hundredths of its size."""
    given = parameters(setting.spec)
    rng = np.random.default_rng((setting.seed, 8))
    moved = tuple(
        replace(weights, kernel=weights.kernel * rng.normal(1, 0.03, weights.kernel.shape))
        for weights in given.layers[0]
    )
    return lstm_model(setting.spec, weights=replace(given, layers=(moved, *given.layers[1:])))


def _baked_weights(setting: Setting) -> onnx.ModelProto:
    """Dropout on the recurrent weights that the exporter computed once: a share p of zeros, the rest times 1/q."""
    given = parameters(setting.spec)
    (weights,) = given.layers[0]
    rows = weights.kernel[weights.input_size :]
    kept = np.random.default_rng((setting.seed, 9)).random(rows.shape) < setting.keep_prob
    kernel = np.concatenate([weights.kernel[: weights.input_size], rows * kept / setting.keep_prob])
    return lstm_model(setting.spec, weights=replace(given, layers=((replace(weights, kernel=kernel),),)))


def _baked(setting: Setting) -> Answer:
    return Answer(verdicts=(FAIL,), codes_any=(frozenset({"DA105", "DA401", "DA502", "DA504"}),))


def _batch_gap(setting: Setting) -> Answer:
    return Answer(
        verdicts=(WARN,),
        codes=frozenset({"DA502"}),
        not_codes=frozenset({"DA301", "DA302", "DA303", "DA305"}),
        no_errors=True,
    )


NUMBERS = (
    Kind(
        name="log-of-dropped",
        says="the logarithm of what was dropped, which is -infinity at every zero",
        train=planted(always(activation("Sigmoid")), dropped(), always(activation("Log"))),
        answer=fails("DA501"),
        twin="inverted",
        places=(Where.OUTPUT,),
        placed=False,
    ),
    Kind(
        name="infinity-dropped",
        says="dropout on infinite values: 0 times infinity is not a number",
        train=planted(always(multiplied(1e38)), always(multiplied(1e38)), dropped()),
        answer=fails("DA501"),
        twin="inverted",
        draws=(Draw.LESS, Draw.NOT, Draw.GREATER_EQUAL, Draw.FLOOR),
        places=(Where.OUTPUT,),
        placed=False,
    ),
    Kind(
        name="weight-not-finite",
        says="a head with one weight that is not a number",
        train=_nan_head,
        answer=fails("DA501"),
        twin="plain",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=(Where.HEAD,),
        placed=False,
    ),
    Kind(
        name="batch-statistics",
        says="BatchNormalization in training mode before healthy dropout",
        train=placed(lambda setting: {Place(Spot.LAST): batch_statistics, Place(Spot.RESULT): site(setting.recipe())}),
        answer=_batch_gap,
        twin="inverted",
        family=Family.INVERTED,
        draws=(Draw.OPERATOR, *UNIFORM_CHAINS),
        places=(Where.OUTPUT,),
        opsets=range(15, 22),
    ),
    Kind(
        name="pair-other-weights",
        says="two models that only have one shape",
        train=planted(dropped()),
        inference=_other_weights,
        answer=fails("DA504"),
        twin="pair",
    ),
    Kind(
        name="pair-tuned-weights",
        says="an inference artifact exported a little later in training",
        train=planted(dropped()),
        inference=_tuned_weights,
        answer=fails("DA504"),
        twin="pair",
        places=SEQUENCES,
    ),
    Kind(
        name="pair-baked-weights",
        says="dropout on weights that the exporter computed once",
        train=_baked_weights,
        inference=bare,
        answer=_baked,
        twin="pair",
        draws=(Draw.LESS,),
        places=(Where.WEIGHT,),
        placed=False,
    ),
)
