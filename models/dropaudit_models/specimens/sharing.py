"""Kinds of DA4xx: masks that are frozen, shared, identical or replayed, or that hit the cell's memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dropaudit.plan import Role
from dropaudit.report import Axis, Family
from dropaudit_models.lstm.alterations import constant_mask, one_mask
from dropaudit_models.lstm.gate_weights import Floats
from dropaudit_models.lstm.places import Place, Sites, Spot
from dropaudit_models.lstm.recipe import Draw
from dropaudit_models.lstm.sites import site
from dropaudit_models.lstm.spec import VARIATIONAL
from dropaudit_models.specimens.building import dropped, placed, planted
from dropaudit_models.specimens.healthy import SEQUENCES, operator_mask_codes
from dropaudit_models.specimens.kind import PASS, WARN, Answer, Kind, fails
from dropaudit_models.specimens.setting import Setting, Where

FIXED = (5, 7)
# A constant mask is drawn in no way; the draw is that of the twin.
CONSTANT = (Draw.LESS,)


def frozen(setting: Setting, kept: float) -> Floats:
    """Draw one mask over (batch, time, features) or, in the state, (batch, features)."""
    batch, steps = FIXED
    features = setting.input_size if setting.where in (Where.INPUT, Where.EMBEDDING) else setting.units
    if setting.bidirectional and setting.where in (Where.OUTPUT, Where.BETWEEN, Where.HEAD):
        features *= 2
    leading = (batch, steps) if setting.batch_first else (steps, batch)
    shape = (batch, features) if setting.where is Where.STATE else (*leading, features)
    drawn = np.random.default_rng((setting.seed, 7)).random(shape) < setting.keep_prob
    return np.where(drawn, kept, 0.0)


def _warns(*codes: str) -> Callable[[Setting], Answer]:
    def answer(setting: Setting) -> Answer:
        return Answer(
            verdicts=(WARN,),
            codes=frozenset(codes) | ({"DA102"} if setting.removed else set()),
            not_codes=frozenset({"DA301", "DA302", "DA303", "DA401"}),
            no_errors=True,
        )

    return answer


def _over_batch(setting: Setting) -> Answer:
    # An operator that makes a mask reads ones of a shape known at run time only, and a default session deletes it.
    return replace(_warns("DA402")(setting), codes=frozenset({"DA402"} | operator_mask_codes(setting)))


def _one_mask(setting: Setting) -> Sites:
    mask = one_mask(setting.recipe())
    return {Place(Spot.OUTPUT): mask, Place(Spot.OUTPUT, 1): mask}


def _one_seed(setting: Setting) -> Sites:
    drawn = site(setting.recipe(seed=_seed(setting)))
    return {Place(Spot.OUTPUT): drawn, Place(Spot.OUTPUT, 1): drawn}


def _seed(setting: Setting) -> float:
    return float(11 + setting.seed)


SHARING = (
    Kind(
        name="frozen-mask",
        says="a random mask that the exporter made a constant",
        train=planted(lambda setting: constant_mask(frozen(setting, 1 / setting.keep_prob))),
        answer=fails("DA401"),
        twin="inverted",
        draws=CONSTANT,
        places=(*SEQUENCES, Where.STATE),
        fixed=FIXED,
    ),
    Kind(
        name="frozen-mask-unscaled",
        says="a constant mask of zeros and ones in no order",
        train=planted(lambda setting: constant_mask(frozen(setting, 1.0))),
        answer=fails("DA401"),
        twin="inverted",
        draws=CONSTANT,
        places=SEQUENCES,
        fixed=FIXED,
    ),
    Kind(
        name="frozen-mask-at-inference",
        says="a constant mask left in an artifact for inference",
        train=planted(lambda setting: constant_mask(frozen(setting, 1 / setting.keep_prob))),
        answer=fails("DA401"),
        twin="plain",
        role=Role.INFERENCE,
        draws=CONSTANT,
        places=SEQUENCES,
        fixed=FIXED,
    ),
    Kind(
        name="shared-over-batch",
        says="one mask for all examples of a batch",
        train=planted(dropped(shared=frozenset({Axis.BATCH}))),
        answer=_over_batch,
        twin="inverted",
        family=Family.INVERTED,
        places=SEQUENCES,
    ),
    Kind(
        name="variational",
        says="TensorFlow's variational_recurrent: one mask of shape (1, features)",
        train=planted(dropped(shared=VARIATIONAL)),
        answer=lambda setting: replace(_warns("DA402")(setting), codes=frozenset({"DA402", "DA403"})),
        twin="locked",
        family=Family.INVERTED,
        places=(Where.INPUT, Where.OUTPUT, Where.HEAD, Where.STATE),
    ),
    Kind(
        name="one-mask-twice",
        says="one mask for the outputs of both layers",
        train=placed(_one_mask),
        answer=_warns("DA404"),
        twin="inverted",
        draws=(Draw.LESS, Draw.GREATER_EQUAL, Draw.NOT),
        places=(Where.BETWEEN,),
        placed=False,
    ),
    Kind(
        name="one-seed-twice",
        says="two sites with one seed, which draw the same masks",
        train=placed(_one_seed),
        answer=_warns("DA404"),
        twin="inverted",
        places=(Where.BETWEEN,),
        placed=False,
    ),
    Kind(
        name="correlated-by-runtime",
        says="the operator, whose consecutive runs draw correlated masks on the CPU",
        train=planted(dropped()),
        answer=lambda setting: Answer(verdicts=(PASS,), codes=frozenset({"DA405"}), no_errors=True),
        twin="inverted",
        draws=(Draw.OPERATOR,),
        places=(Where.OUTPUT,),
    ),
    Kind(
        name="seeded",
        says="a seed attribute, so that every session replays the same masks",
        train=planted(lambda setting: site(setting.recipe(seed=_seed(setting)))),
        answer=_warns("DA406"),
        twin="inverted",
        family=Family.INVERTED,
    ),
    Kind(
        name="memory-dropped",
        says="dropout on the memory c of the cell",
        train=planted(dropped()),
        answer=_warns("DA407"),
        twin="inverted",
        places=(Where.MEMORY,),
    ),
)
