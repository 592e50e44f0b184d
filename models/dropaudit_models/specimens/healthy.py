"""Healthy kinds: dropout as it should be, in every spelling and at every place."""

from __future__ import annotations

from dataclasses import replace

from dropaudit.plan import Role
from dropaudit.report import Axis, Family
from dropaudit_models.lstm.alterations import channels_first
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.sites import site
from dropaudit_models.lstm.spec import FloatType
from dropaudit_models.specimens.building import (
    bare,
    clean,
    dropped,
    placed,
    planted,
    scaled_output,
    scaled_weights,
)
from dropaudit_models.specimens.kind import PASS, WARN, Answer, Kind
from dropaudit_models.specimens.setting import Setting, Where

SEQUENCES = (Where.INPUT, Where.OUTPUT, Where.BETWEEN, Where.HEAD, Where.EMBEDDING)
READ_BY_WEIGHTS = (Where.INPUT, Where.BETWEEN, Where.HEAD)


def _quiet(setting: Setting) -> Answer:
    return Answer(verdicts=(PASS,), not_codes=frozenset({"DA103", "DA104", "DA105", "DA401"}), no_errors=True)


def operator_mask_codes(setting: Setting) -> frozenset[str]:
    """DA102 where the operator makes a mask of ones whose shape is known at run time only: it is deleted there."""
    return frozenset({"DA102"}) if setting.draw is Draw.OPERATOR else frozenset()


def _locked(setting: Setting) -> Answer:
    removed = operator_mask_codes(setting)
    answer = clean(setting)
    return replace(
        answer,
        verdicts=(WARN,) if removed else answer.verdicts,
        codes=removed | {"DA403"},
        not_codes=answer.not_codes - removed,
    )


def _classic(setting: Setting) -> Answer:
    return Answer(
        verdicts=(PASS,),
        codes=frozenset({"DA304"}),
        not_codes=frozenset({"DA301", "DA302", "DA303", "DA504"}),
        no_errors=True,
    )


def _rows(setting: Setting) -> Answer:
    return Answer(verdicts=(PASS,), not_codes=clean(setting).not_codes - {"DA102"}, no_errors=True)


HEALTHY = (
    Kind(
        name="inverted",
        says="inverted dropout: kept values divided by the keep probability",
        train=planted(dropped()),
        answer=clean,
        twin="inverted",
        family=Family.INVERTED,
        dtypes=tuple(FloatType),
    ),
    Kind(
        name="inverted-bernoulli",
        says="inverted dropout whose mask is a Bernoulli draw at .5, where the runtime's inversion does not show",
        train=planted(dropped()),
        answer=clean,
        twin="inverted-bernoulli",
        family=Family.INVERTED,
        draws=(Draw.BERNOULLI,),
        places=(Where.INPUT, Where.OUTPUT, Where.HEAD),
        keep_probs=(0.5,),
    ),
    Kind(
        name="plain",
        says="no dropout, as inference should be",
        train=bare,
        answer=_quiet,
        twin="plain",
        role=Role.INFERENCE,
        dtypes=tuple(FloatType),
        placed=False,
    ),
    Kind(
        name="pair",
        says="inverted dropout at training, none at inference",
        train=planted(dropped()),
        inference=bare,
        answer=clean,
        twin="pair",
        family=Family.INVERTED,
    ),
    Kind(
        name="classic-outputs",
        says="the paper's first form: unscaled at training, outputs times q at inference",
        train=planted(dropped(factor=1.0)),
        inference=scaled_output(lambda q: q),
        answer=_classic,
        twin="classic-outputs",
        draws=UNIFORM_CHAINS,
        places=(Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="classic-weights",
        says="the paper's first form: unscaled at training, W·q at inference",
        train=planted(dropped(factor=1.0)),
        inference=scaled_weights,
        answer=_classic,
        twin="classic-weights",
        draws=UNIFORM_CHAINS,
        places=READ_BY_WEIGHTS,
    ),
    Kind(
        name="locked",
        says="one mask for all time steps",
        train=planted(dropped(shared=frozenset({Axis.TIME}))),
        answer=_locked,
        twin="locked",
        family=Family.INVERTED,
        places=(Where.INPUT, Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="spatial",
        says="whole channels dropped, as Dropout1d and SpatialDropout1D do",
        train=planted(lambda setting: channels_first(site(setting.recipe(shared=frozenset({Axis.TIME}))))),
        answer=_locked,
        twin="spatial",
        family=Family.INVERTED,
        draws=UNIFORM_CHAINS,
        places=(Where.INPUT, Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="alpha",
        says="alpha dropout: dropped units take a value, variance kept",
        train=planted(dropped(draw=Draw.ALPHA)),
        answer=clean,
        twin="alpha",
        family=Family.ALPHA,
        draws=(Draw.ALPHA,),
        places=SEQUENCES,
    ),
    Kind(
        name="gaussian",
        says="Gaussian dropout: values times N(1, p/q)",
        train=planted(dropped(draw=Draw.GAUSSIAN)),
        answer=clean,
        twin="gaussian",
        family=Family.GAUSSIAN,
        draws=(Draw.GAUSSIAN,),
        places=SEQUENCES,
    ),
    Kind(
        name="embedding-rows",
        says="whole rows of the embedding table dropped, one mask a run",
        train=placed(lambda setting: {Place(Spot.TABLE): site(setting.recipe(shared=frozenset({Axis.FEATURE})))}),
        answer=_rows,
        twin="embedding-rows",
        places=(Where.EMBEDDING,),
        placed=False,
    ),
)
