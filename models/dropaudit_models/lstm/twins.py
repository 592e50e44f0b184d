"""One LSTM with one set of weights, in each form that dropout gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import onnx

from dropaudit.errors import InvalidArgument
from dropaudit.report import Axis
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.parameters import parameters, times_keep_prob
from dropaudit_models.lstm.places import Place, Sites, Spot
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.lstm.sites import multiplied, site
from dropaudit_models.lstm.spec import NOTHING, VARIATIONAL, LSTMSpec, opsets_of
from dropaudit_models.writing import Transform

_SEED_STEP = 1_009


class Form(StrEnum):
    """The form that a model's dropout takes; q is a site's keep probability, m its mask.

    WITHOUT: no dropout, which is also inverted dropout at inference. TRAIN: inverted dropout, x·m/q. PAPER_TRAIN: the
    paper's first form at training, x·m. PAPER_OUTPUTS and PAPER_WEIGHTS: that form at inference, x·q or W·q
    (Srivastava et al. 2014, sections 4 and 10).
    """

    WITHOUT = "without"
    TRAIN = "train"
    PAPER_TRAIN = "paper-train"
    PAPER_OUTPUTS = "paper-outputs"
    PAPER_WEIGHTS = "paper-weights"


def build(spec: LSTMSpec, form: Form = Form.TRAIN) -> onnx.ModelProto:
    """Build the twin of a spec that a form names; all forms share the weights.

    Raises:
        InvalidArgument: ONNX Runtime has no kernel for the spec's masks at its opset.
    """
    if recipes(spec) and form in (Form.TRAIN, Form.PAPER_TRAIN) and spec.opset not in opsets_of(spec.draw):
        raise InvalidArgument(f"ONNX Runtime runs no {spec.draw} dropout at opset {spec.opset}", field="draw")
    if form is Form.WITHOUT:
        return lstm_model(spec)
    if form is Form.PAPER_WEIGHTS:
        return lstm_model(spec, _unread_output(spec), times_keep_prob(spec, parameters(spec)))
    return lstm_model(spec, dropout_sites(spec, _maker(spec, form)))


def _maker(spec: LSTMSpec, form: Form) -> Callable[[Recipe], Transform]:
    if form is Form.PAPER_OUTPUTS:
        return lambda recipe: multiplied(recipe.keep_prob)
    if form is Form.TRAIN:
        return site
    if spec.draw in (Draw.GAUSSIAN, Draw.ALPHA):
        raise InvalidArgument(f"the paper's first form has no {spec.draw} dropout", field="draw")
    return lambda recipe: site(unscaled(recipe, spec.opset))


def unscaled(recipe: Recipe, opset: int) -> Recipe:
    """Return the recipe with kept values left as they are.

    The operator always scales, so it becomes a chain; at an opset where no chain runs, its factor is taken back.
    """
    chained = recipe.draw is Draw.OPERATOR and opset in opsets_of(Draw.LESS)
    return replace(recipe, draw=Draw.LESS if chained else recipe.draw, factor=1.0)


def dropout_sites(spec: LSTMSpec, make: Callable[[Recipe], Transform] = site) -> Sites:
    """Return the sites that a spec asks for, each made of its recipe by `make`."""
    return {place: make(recipe) for place, recipe in recipes(spec).items()}


def recipes(spec: LSTMSpec) -> dict[Place, Recipe]:
    """Return the recipe of each place where a spec drops units, in the order of the model."""
    asked: list[tuple[Place, float, frozenset[Axis], int | None]] = [
        (Place(Spot.TABLE), spec.embedding_keep_prob, frozenset({Axis.FEATURE}), None)
    ]
    for layer, (_, wrapper) in enumerate((layer.units, layer.wrapper) for layer in spec.layers):
        shared = VARIATIONAL if wrapper.variational_recurrent else spec.shared
        of_state = VARIATIONAL if wrapper.variational_recurrent else NOTHING
        asked += [
            (Place(Spot.INPUT, layer), wrapper.input_keep_prob, shared, wrapper.seed),
            (Place(Spot.WEIGHT, layer), spec.weight_keep_prob, NOTHING, wrapper.seed),
            (Place(Spot.STATE_H, layer), wrapper.state_keep_prob, of_state, wrapper.seed),
            (Place(Spot.OUTPUT, layer), wrapper.output_keep_prob, shared, wrapper.seed),
        ]
    return {
        place: Recipe(keep_prob=keep_prob, draw=spec.draw, shared=shared, seed=_seed(seed, index))
        for index, (place, keep_prob, shared, seed) in enumerate(asked)
        if keep_prob < 1
    }


def _seed(seed: int | None, index: int) -> float | None:
    """Give each site a seed of its own. Seeds 0 and 1 are one stream of the runtime, so none is below 2."""
    return None if seed is None else float(2 + seed + _SEED_STEP * index)


def _unread_output(spec: LSTMSpec) -> Sites:
    """The last layer's output, where no head's weight reads it."""
    if spec.head != "none":
        return {}
    last = len(spec.layers) - 1
    return {Place(Spot.OUTPUT, last): multiplied(spec.layers[last].wrapper.output_keep_prob)}
