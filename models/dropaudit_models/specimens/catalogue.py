"""All kinds, and specimens drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, product

import numpy as np

from dropaudit.errors import InvalidArgument
from dropaudit_models.lstm.spec import FloatType, Recurrence, opsets_of
from dropaudit_models.specimens.healthy import HEALTHY
from dropaudit_models.specimens.kind import Kind, Specimen
from dropaudit_models.specimens.lookalikes import LOOKALIKES
from dropaudit_models.specimens.modes import MODES
from dropaudit_models.specimens.numbers import NUMBERS
from dropaudit_models.specimens.rates import RATES
from dropaudit_models.specimens.scales import SCALES
from dropaudit_models.specimens.setting import Setting, Where
from dropaudit_models.specimens.sharing import SHARING

KINDS: tuple[Kind, ...] = (*HEALTHY, *LOOKALIKES, *MODES, *RATES, *SCALES, *SHARING, *NUMBERS)
_UNITS = (8, 12, 16, 24)
_MOST_TRIES = 1_000


def kind_named(name: str) -> Kind:
    """Return a kind. Raises InvalidArgument when there is none of that name."""
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise InvalidArgument(f"there is no kind {name!r}; `dropaudit models catalogue` shows them", name=name)
    return found


def settings_of(kind: Kind) -> tuple[Setting, ...]:
    """Return each place, spelling and keep probability that a kind exists in, at the default size."""
    combined = product(kind.places, kind.draws, kind.keep_probs)
    return tuple(
        _fitted(kind, Setting(where=where, draw=draw, keep_prob=keep_prob)) for where, draw, keep_prob in combined
    )


def first_specimens() -> tuple[Specimen, ...]:
    """Return one specimen of each kind in each place and spelling, at that kind's middle keep probability."""
    return tuple(
        kind.specimen(setting)
        for kind in KINDS
        for setting in settings_of(kind)
        if setting.keep_prob == kind.keep_probs[len(kind.keep_probs) // 2]
    )


def healthy_twin(specimen: Specimen) -> Specimen:
    """Return the healthy specimen of the same weights; a healthy one is its own twin."""
    kind = kind_named(specimen.kind.twin)
    setting = specimen.setting
    if setting.where not in kind.places:
        setting = replace(setting, where=Where.STATE if setting.where is Where.MEMORY else kind.places[0])
    if setting.draw not in kind.draws:
        setting = replace(setting, draw=kind.draws[0])
    if not kind.has_rate(setting.keep_prob):
        setting = replace(setting, keep_prob=kind.keep_probs[0])
    return kind.specimen(_fitted(kind, setting))


def random_specimens(count: int, seed: int) -> tuple[Specimen, ...]:
    """Draw different specimens: the kinds in turn, each with a random setting. The same ones for the same seed.

    Raises:
        InvalidArgument: `count` is negative, or more than there are.
    """
    if count < 0:
        raise InvalidArgument(f"a corpus has 0 or more specimens, not {count}", field="count")
    rng = np.random.default_rng(seed)
    drawn: dict[str, Specimen] = {}
    for kind, _ in zip(_in_turn(rng), range(count * _MOST_TRIES), strict=False):
        if len(drawn) == count:
            return tuple(drawn.values())
        specimen = kind.specimen(_random_setting(rng, kind))
        drawn.setdefault(specimen.name, specimen)
    if len(drawn) == count:
        return tuple(drawn.values())
    raise InvalidArgument(f"there are fewer than {count} different specimens", field="count")


def _in_turn(rng: np.random.Generator) -> Iterator[Kind]:
    order = rng.permutation(len(KINDS))
    return cycle(KINDS[index] for index in order)


def _random_setting(rng: np.random.Generator, kind: Kind) -> Setting:
    draw = kind.draws[rng.integers(len(kind.draws))]
    opsets = [opset for opset in kind.opsets or opsets_of(draw) if opset >= 13 or kind.opsets]
    dtype = kind.dtypes[rng.integers(len(kind.dtypes))]
    setting = Setting(
        keep_prob=kind.keep_probs[rng.integers(len(kind.keep_probs))],
        where=kind.places[rng.integers(len(kind.places))],
        draw=draw,
        units=_UNITS[rng.integers(len(_UNITS))],
        input_size=_UNITS[rng.integers(len(_UNITS))],
        opset=opsets[rng.integers(len(opsets))],
        dtype=dtype if rng.random() < 0.5 else FloatType.FLOAT32,
        bidirectional=bool(rng.random() < 0.25),
        batch_first=bool(rng.random() < 0.75),
        recurrence=Recurrence.SCAN if rng.random() < 0.2 else Recurrence.AUTO,
        seed=int(rng.integers(10_000)),
    )
    return _fitted(kind, setting)


def _fitted(kind: Kind, setting: Setting) -> Setting:
    """Change what a kind prescribes."""
    batch, steps = kind.fixed or (setting.batch, setting.steps)
    opsets = kind.opsets or opsets_of(setting.draw)
    opset = setting.opset if setting.opset in opsets else opsets[-1]
    recurrence = Recurrence.AUTO if opset < 13 else setting.recurrence
    two_ways = setting.bidirectional and setting.where is not Where.WEIGHT
    return replace(setting, batch=batch, steps=steps, opset=opset, recurrence=recurrence, bidirectional=two_ways)
