"""Kinds of DA3xx: kept values scaled wrongly, at training, at inference, or by what follows."""

from __future__ import annotations

from dropaudit.report import Family
from dropaudit_models.lstm.alterations import squared
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.sites import site
from dropaudit_models.specimens.building import (
    always,
    bare,
    clean,
    dropped,
    planted,
    scaled_output,
    scaled_weights,
)
from dropaudit_models.specimens.healthy import READ_BY_WEIGHTS
from dropaudit_models.specimens.kind import Answer, Kind, fails
from dropaudit_models.specimens.setting import Setting, Where

LINEAR = (Where.OUTPUT, Where.HEAD)
# A factor on the data beside the mask may be the model's own; one on the mask itself can only be the dropout's.
SCALED_MASKS = (Draw.LESS,)


def _missing(setting: Setting) -> Answer:
    """Behind linear operators the output's mean is q times what it should be."""
    answer = fails("DA301", never=("DA302", "DA303"))(setting)
    return answer.besides("DA305") if setting.linear else answer


def _shifted(setting: Setting) -> Answer:
    """The squared output's mean is 1/q times what it is at inference, and no scale is wrong."""
    return clean(setting).besides("DA305")


SCALES = (
    Kind(
        name="scale-missing",
        says="a mask of zeros and ones, and nothing that makes up for it",
        train=planted(dropped(factor=1.0)),
        answer=_missing,
        twin="inverted",
        family=Family.UNSCALED,
        draws=UNIFORM_CHAINS,
    ),
    Kind(
        name="pair-scale-missing",
        says="unscaled at training, and left alone at inference",
        train=planted(dropped(factor=1.0)),
        inference=bare,
        answer=fails("DA301", never=("DA304",)),
        twin="classic-outputs",
        family=Family.UNSCALED,
        draws=UNIFORM_CHAINS,
        places=LINEAR,
    ),
    Kind(
        name="scale-doubled",
        says="kept values divided by the keep probability twice",
        train=planted(lambda setting: site(setting.recipe(factor=setting.keep_prob**-2))),
        answer=fails("DA302", never=("DA301", "DA202")),
        twin="inverted",
        draws=UNIFORM_CHAINS,
        keep_probs=(0.3, 0.5, 0.7, 0.8, 0.9),
        # There 1/q² is 1/(1 - q).
        apart_from=(0.618,),
    ),
    Kind(
        name="pair-outputs-times-q",
        says="scaled at training, and outputs times q at inference too",
        train=planted(dropped()),
        inference=scaled_output(lambda q: q),
        answer=fails("DA302", never=("DA304",)),
        twin="pair",
        places=LINEAR,
    ),
    Kind(
        name="pair-outputs-over-q",
        says="scaled at training, and divided by q at inference too",
        train=planted(dropped()),
        inference=scaled_output(lambda q: 1 / q),
        answer=fails("DA302", never=("DA304",)),
        twin="pair",
        places=LINEAR,
    ),
    Kind(
        name="pair-weights-times-q",
        says="scaled at training, and W·q at inference too",
        train=planted(dropped()),
        inference=scaled_weights,
        answer=fails("DA302", never=("DA304",)),
        twin="pair",
        places=READ_BY_WEIGHTS,
    ),
    Kind(
        name="scale-wrong",
        says="kept values multiplied by 1.17 / q",
        train=planted(lambda setting: site(setting.recipe(factor=1.17 / setting.keep_prob))),
        answer=fails("DA303", never=("DA301", "DA302", "DA202")),
        twin="inverted",
        draws=SCALED_MASKS,
        # There it is 1/(1 - q), and there 1/q².
        apart_from=(0.539, 0.855),
    ),
    Kind(
        name="scale-little-wrong",
        says="kept values multiplied by 1.05 / q",
        train=planted(lambda setting: site(setting.recipe(factor=1.05 / setting.keep_prob))),
        answer=fails("DA303", never=("DA301", "DA302", "DA202")),
        twin="inverted",
        draws=SCALED_MASKS,
        apart_from=(0.512, 0.952),
    ),
    Kind(
        name="pair-scale-wrong",
        says="kept values multiplied by 1.17 / q, and nothing of it at inference",
        train=planted(lambda setting: site(setting.recipe(factor=1.17 / setting.keep_prob))),
        inference=bare,
        answer=fails("DA303", never=("DA301", "DA302")),
        twin="pair",
        # There it is 1/(1 - q), and there 1/q².
        apart_from=(0.539, 0.855),
        places=LINEAR,
        placed=False,
    ),
    Kind(
        name="pair-inference-scaled",
        says="scaled at training, and times 1.31 at inference",
        train=planted(dropped()),
        inference=scaled_output(lambda q: 1.31),
        answer=fails("DA303", never=("DA302",)),
        twin="pair",
        places=LINEAR,
        keep_probs=(0.3, 0.5, 0.6, 0.9),
        # There 1.31 is 1/q.
        apart_from=(0.763,),
    ),
    Kind(
        name="mean-shifted",
        says="healthy dropout whose result is squared, which shifts the mean by 1/q",
        train=planted(dropped(), always(squared)),
        answer=_shifted,
        twin="inverted",
        family=Family.INVERTED,
        draws=UNIFORM_CHAINS,
        places=(Where.OUTPUT,),
        placed=False,
    ),
)
