"""Healthy kinds that look like faulty dropout and are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dropaudit.plan import Role
from dropaudit.report import Family
from dropaudit_models.lstm.alterations import above, activation, constant_mask, gaussian_noise, padding_mask, zoneout
from dropaudit_models.lstm.gate_weights import Floats
from dropaudit_models.lstm.model import INPUT
from dropaudit_models.lstm.places import Place, Sites, Spot
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.sites import multiplied, site
from dropaudit_models.specimens.building import RATE_CODES, SCALE_CODES, always, clean, dropped, placed, planted
from dropaudit_models.specimens.healthy import SEQUENCES
from dropaudit_models.specimens.kind import PASS, WARN, Answer, Kind
from dropaudit_models.specimens.setting import Setting, Where

FIXED = (6, 9)
_PADDED = 3
_INNOCENT = frozenset({*SCALE_CODES, *RATE_CODES, "DA103", "DA104", "DA401", "DA407"})


def _quiet(setting: Setting) -> Answer:
    return Answer(verdicts=(PASS,), not_codes=_INNOCENT, no_errors=True)


def _choice(setting: Setting) -> Answer:
    """A choice between two tensors is a site of another family; in two directions it may be drawn alike (DA404)."""
    never = frozenset({"DA105", "DA106", "DA901"})
    return Answer(verdicts=(PASS, WARN), not_codes=_INNOCENT | never, no_errors=True)


def _noisy(setting: Setting) -> Answer:
    """Noise beside dropout is named, and the mean of what depends on it is not judged."""
    never = frozenset({"DA105", "DA305", "DA901"})
    return Answer(verdicts=(WARN,), codes=frozenset({"DA106"}), not_codes=_INNOCENT | never, no_errors=True)


def _besides_dropout(setting: Setting) -> Answer:
    answer = clean(setting)
    return replace(answer, verdicts=tuple({*answer.verdicts, WARN}))


def _padding(setting: Setting) -> Floats:
    """Ones, then zeros along time, the same for the whole batch."""
    steps = np.arange(FIXED[1]) < FIXED[1] - _PADDED
    shape = (1, -1, 1) if setting.batch_first else (-1, 1, 1)
    return steps.astype(np.float64).reshape(shape)


def _zoneout(setting: Setting) -> Sites:
    return {Place(Spot.STATE_H): zoneout(1 - setting.keep_prob)}


LOOKALIKES = (
    Kind(
        name="padded",
        says="a constant mask of ones, then zeros along time",
        train=planted(lambda setting: constant_mask(_padding(setting))),
        answer=_quiet,
        twin="padded",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=SEQUENCES,
        fixed=FIXED,
        placed=False,
    ),
    Kind(
        name="padded-dropped",
        says="healthy dropout on what a padding mask has zeroed",
        train=planted(lambda setting: constant_mask(_padding(setting)), dropped()),
        answer=_besides_dropout,
        twin="padded-dropped",
        family=Family.INVERTED,
        draws=UNIFORM_CHAINS,
        places=(Where.OUTPUT, Where.HEAD),
        fixed=FIXED,
    ),
    Kind(
        name="padding-by-id",
        says="zeros where the model's input holds the padding id",
        train=planted(always(padding_mask(INPUT, 0))),
        answer=_quiet,
        twin="padding-by-id",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=(Where.EMBEDDING,),
        opsets=range(13, 23),
        placed=False,
    ),
    Kind(
        name="rectified",
        says="exact zeros of a ReLU, at inference",
        train=planted(always(activation("Relu"))),
        answer=_quiet,
        twin="rectified",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=SEQUENCES,
        placed=False,
    ),
    Kind(
        name="rectified-dropped",
        says="healthy dropout on the zeros of a ReLU",
        train=planted(always(activation("Relu")), dropped()),
        answer=_besides_dropout,
        twin="rectified-dropped",
        family=Family.INVERTED,
        places=(Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="thresholded",
        says="zeros where the data is small",
        train=planted(always(above(0.05))),
        answer=_quiet,
        twin="thresholded",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=SEQUENCES,
        placed=False,
    ),
    Kind(
        name="constant-factor",
        says="an ordinary factor of the model, before healthy dropout",
        train=planted(always(multiplied(1.7)), dropped()),
        answer=clean,
        twin="constant-factor",
        family=Family.INVERTED,
        places=(Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="zoneout",
        says="zoneout: states keep their old value with a chance, random and no dropout",
        train=placed(_zoneout),
        answer=_choice,
        twin="zoneout",
        role=Role.AUTO,
        draws=(Draw.LESS,),
        places=(Where.STATE,),
        placed=False,
    ),
    Kind(
        name="noisy-training",
        says="healthy dropout, and Gaussian noise added to the input in training",
        train=placed(
            lambda setting: {Place(Spot.INPUT): gaussian_noise(0.1), Place(Spot.OUTPUT): site(setting.recipe())}
        ),
        answer=_noisy,
        twin="noisy-training",
        draws=UNIFORM_CHAINS,
        places=(Where.OUTPUT,),
    ),
)
