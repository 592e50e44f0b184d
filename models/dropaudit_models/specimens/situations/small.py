"""Few cells: what is decided by drawing more of them, within the usual limit."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.lstm.sites import site
from dropaudit_models.lstm.spec import Layer, LSTMSpec
from dropaudit_models.specimens.kind import PASS, WARN, Answer
from dropaudit_models.specimens.situations.situation import INNOCENT, Difficulty, Situation, faulty
from dropaudit_models.specimens.situations.words import CHAIN, Q, graph

_UNITS = 10
# Behind recurrent layers the mean may move, which is said (DA305, INFO), and never left undecided.
_RIGHT = Answer(verdicts=(PASS,), not_codes=INNOCENT, no_errors=True)
# One cell for the whole batch may be said to be shared over it.
_BATCHWISE = Answer(verdicts=(PASS, WARN), not_codes=INNOCENT - {"DA402"}, no_errors=True)


def _four_cells(scale: float) -> onnx.ModelProto:
    body = f"{CHAIN}  k = Mul(m, s)  d = Mul(x, k)  y = Neg(d)"
    return graph(body, inputs="float[1,4] x", outputs="float[1,4] y", q=Q, s=scale)


def _one_cell(scale: float) -> onnx.ModelProto:
    """One Bernoulli for the whole batch."""
    mask = "u = RandomUniform<shape = [1, 1]>()  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)"
    return graph(f"{mask}  d = Mul(x, k)  y = Neg(d)", q=Q, s=scale)


def _three_layers(factor: float | None) -> onnx.ModelProto:
    """Three LSTM layers, dropout between, with weights that make the output keep .98 of its size: at the tolerance."""
    spec = LSTMSpec(input_size=2, layers=(Layer(_UNITS),) * 3, seed=1)
    dropped = site(Recipe(keep_prob=0.5, draw=Draw.LESS, factor=factor))
    return lstm_model(spec, {Place(Spot.OUTPUT): dropped, Place(Spot.OUTPUT, 1): dropped})


def _both(
    name: str, says: str, model: Callable[[float], onnx.ModelProto], answer: Answer
) -> tuple[Situation, Situation]:
    right = Situation(
        difficulty=Difficulty.TINY,
        name=f"tiny-{name}",
        says=says,
        why="kept values are x / .7; runs are cheap, and enough of them decide",
        model=model(1 / Q),
        answer=answer,
        twin=f"tiny-{name}",
        factor=1.0,
        share=Q,
    )
    wrong = Situation(
        difficulty=Difficulty.TINY,
        name=f"tiny-{name}-unscaled",
        says=f"{says}, unscaled",
        why="kept values are x",
        model=model(1.0),
        answer=faulty("DA301"),
        twin=right.name,
        factor=Q,
        share=Q,
    )
    return right, wrong


SMALL = (
    *_both("four-cells", "a batch of one, and four features", _four_cells, _RIGHT),
    *_both("one-cell", "one draw for the whole batch", _one_cell, _BATCHWISE),
    Situation(
        difficulty=Difficulty.TINY,
        name="tiny-three-layers",
        says="three LSTM layers of ten units, dropout between",
        why="both masks keep .5 and scale by 2; that the layers behind them move the mean by 2 % is not a fault",
        model=_three_layers(None),
        answer=_RIGHT,
        twin="tiny-three-layers",
    ),
    Situation(
        difficulty=Difficulty.TINY,
        name="tiny-three-layers-unscaled",
        says="three LSTM layers of ten units, unscaled dropout between",
        why="kept values are h",
        model=_three_layers(1.0),
        answer=faulty("DA301"),
        twin="tiny-three-layers",
    ),
)
