"""Kinds of DA1xx: dropout that is off when it should be on, on when it should be off, gone, or other noise."""

from __future__ import annotations

from dataclasses import replace

from dropaudit.plan import Role
from dropaudit_models.lstm.alterations import gaussian_noise, old_dropout, unread
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw
from dropaudit_models.lstm.sites import site
from dropaudit_models.specimens.building import always, bare, clean, dropped, placed, planted
from dropaudit_models.specimens.healthy import SEQUENCES
from dropaudit_models.specimens.kind import WARN, Answer, Kind, fails
from dropaudit_models.specimens.setting import Setting, Where

OPERATOR = (Draw.OPERATOR,)


def _active(setting: Setting) -> Answer:
    """An active site is judged by what the artifact says, also where a default session hides it."""
    answer = fails("DA103")(setting)
    return answer.besides("DA102") if setting.removed else answer


def _no_effect(setting: Setting) -> Answer:
    """It draws and is dead, so that nothing random reaches an output; it is able to drop, and therefore not inert."""
    return fails("DA105", "DA107", never=("DA101",))(setting)


def _partly(setting: Setting) -> Answer:
    # The first of the two sites is on the input, and what follows it is not linear.
    never = frozenset({"DA101", "DA301"})
    return replace(clean(setting), verdicts=(WARN,), codes=frozenset({"DA102"}), not_codes=never)


MODES = (
    Kind(
        name="switched-off",
        says="the operator's training_mode is constant False",
        train=planted(dropped(training=False)),
        answer=fails("DA101"),
        twin="inverted",
        draws=OPERATOR,
    ),
    Kind(
        name="switch-left-out",
        says="the operator has no training_mode, which means False",
        train=planted(dropped(training=None)),
        answer=fails("DA101"),
        twin="inverted",
        draws=OPERATOR,
    ),
    Kind(
        name="old-operator",
        says="Dropout of opset 11, which has no train mode",
        train=planted(lambda setting: old_dropout(1 - setting.keep_prob)),
        answer=fails("DA101"),
        twin="inverted",
        draws=OPERATOR,
        places=SEQUENCES,
        opsets=range(11, 12),
    ),
    Kind(
        name="no-effect",
        says="dropout whose result nobody reads",
        train=planted(lambda setting: unread(site(setting.recipe()))),
        answer=_no_effect,
        twin="inverted",
        places=SEQUENCES,
        placed=False,
    ),
    Kind(
        name="partly-removed",
        says="operators on the input and between layers: a default session deletes the second only",
        train=placed(
            lambda setting: {
                Place(Spot.INPUT): site(setting.recipe()),
                setting.place: site(setting.recipe()),
            }
        ),
        answer=_partly,
        twin="partly-removed",
        draws=OPERATOR,
        places=(Where.BETWEEN, Where.HEAD),
        placed=False,
    ),
    Kind(
        name="active-at-inference",
        says="dropout left on in an artifact for inference",
        train=planted(dropped()),
        answer=_active,
        twin="plain",
        role=Role.INFERENCE,
    ),
    Kind(
        name="pair-active-at-inference",
        says="dropout on in both artifacts of a pair",
        train=planted(dropped()),
        inference=planted(dropped()),
        answer=fails("DA103"),
        twin="pair",
    ),
    Kind(
        name="noise-at-inference",
        says="Gaussian noise added at inference: random, and no dropout",
        train=planted(always(gaussian_noise(0.3))),
        answer=fails("DA104", never=("DA103",)),
        twin="plain",
        role=Role.INFERENCE,
        draws=(Draw.LESS,),
        places=SEQUENCES,
        placed=False,
    ),
    Kind(
        name="lost",
        says="meant to drop units, but the export has no dropout",
        train=bare,
        answer=fails("DA105"),
        twin="inverted",
        placed=False,
    ),
    Kind(
        name="nothing-to-audit",
        says="no dropout, in no role",
        train=bare,
        answer=lambda setting: Answer(verdicts=(WARN,), codes=frozenset({"DA105"}), no_errors=True),
        twin="inverted",
        role=Role.AUTO,
        placed=False,
    ),
)
