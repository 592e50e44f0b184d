"""Kinds of DA2xx: keep rates that are not the declared ones."""

from __future__ import annotations

from dropaudit_models.lstm.alterations import cast_twice, turned_twice
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.sites import site
from dropaudit_models.specimens.building import always, dropped, planted
from dropaudit_models.specimens.healthy import SEQUENCES
from dropaudit_models.specimens.kind import EQUAL, UNEQUAL, WARN, Answer, Kind, fails
from dropaudit_models.specimens.setting import Setting, Where


def _other_rate(setting: Setting) -> float:
    """A keep probability about 0.1 away, downwards where there is room, and not the drop rate."""
    keep_prob = setting.keep_prob
    other = keep_prob - 0.1 if keep_prob > 0.2 else keep_prob + 0.1
    return round(other if abs(other + keep_prob - 1) > 0.02 else other - 0.05, 6)


def _drop_rate(setting: Setting) -> float:
    return round(1 - setting.keep_prob, 6)


def _stacked(setting: Setting) -> Answer:
    # The first of two operators is never an output: what reads it is the second.
    codes = {"DA203"} | ({"DA102"} if setting.draw is Draw.OPERATOR else set())
    never = frozenset({"DA301", "DA302"})
    return Answer(verdicts=(WARN,), codes=frozenset(codes), not_codes=never, no_errors=True)


RATES = (
    Kind(
        name="other-rate-declared",
        says="the keep probability that the training code declares is 0.1 off",
        train=planted(dropped()),
        answer=fails("DA201", never=("DA202",)),
        twin="inverted",
        declares=_other_rate,
    ),
    Kind(
        name="drop-rate-declared",
        says="the drop rate given where a keep probability is meant",
        train=planted(dropped()),
        answer=fails("DA202", never=("DA201",)),
        twin="inverted",
        declares=_drop_rate,
        keep_probs=UNEQUAL,
        apart_from=EQUAL,
    ),
    Kind(
        name="rate-swapped",
        says="the mask keeps what it should drop, scaled for what it should keep",
        train=planted(
            lambda setting: site(setting.recipe(keep_prob=_drop_rate(setting), factor=1 / setting.keep_prob))
        ),
        answer=fails("DA202"),
        twin="inverted",
        draws=UNIFORM_CHAINS,
        keep_probs=UNEQUAL,
        apart_from=EQUAL,
    ),
    Kind(
        name="scale-swapped",
        says="kept values divided by the drop rate",
        train=planted(lambda setting: site(setting.recipe(factor=1 / (1 - setting.keep_prob)))),
        answer=fails("DA202"),
        twin="inverted",
        draws=UNIFORM_CHAINS,
        keep_probs=UNEQUAL,
        apart_from=EQUAL,
    ),
    Kind(
        name="bernoulli-inverted",
        says="a Bernoulli mask, which the runtime draws inverted",
        train=planted(dropped()),
        answer=fails("DA202"),
        twin="inverted-bernoulli",
        draws=(Draw.BERNOULLI,),
        keep_probs=UNEQUAL,
        apart_from=EQUAL,
        places=(Where.INPUT, Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="stacked",
        says="one tensor dropped twice in a row",
        train=planted(dropped(), dropped()),
        answer=_stacked,
        twin="inverted",
        places=(Where.OUTPUT, Where.BETWEEN, Where.HEAD, Where.EMBEDDING),
    ),
    Kind(
        name="stacked-over-moves",
        says="dropped twice with operators between that only move elements",
        train=planted(dropped(), always(turned_twice), dropped()),
        answer=_stacked,
        twin="inverted",
        draws=UNIFORM_CHAINS,
        places=(Where.OUTPUT, Where.HEAD),
    ),
    Kind(
        name="stacked-over-casts",
        says="dropped twice with casts between",
        train=planted(dropped(), always(cast_twice), dropped()),
        answer=_stacked,
        twin="inverted",
        draws=UNIFORM_CHAINS,
        places=SEQUENCES,
    ),
)
