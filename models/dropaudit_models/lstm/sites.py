"""Dropout sites: a recipe put between a tensor and its readers."""

from __future__ import annotations

import math

from dropaudit_models.lstm.masks import ground, kept, mask, operator, operator_mask, seed
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.writing import GraphWriter, Transform, Wire

# SELU's limit for negative inputs, the value that alpha dropout gives to dropped units (Klambauer et al. 2017).
SELU_NEGATIVE = -1.7580993408473766


def site(recipe: Recipe) -> Transform:
    """Return the transform that drops out a tensor as the recipe says; the node that makes the result is the site."""
    if recipe.keep_prob == 1 and recipe.inverted:
        return unchanged

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        return wire.called(_APPLIED[recipe.draw](writer, wire, recipe))

    return run


def unchanged(writer: GraphWriter, wire: Wire) -> Wire:
    """Put nothing there."""
    return wire


def multiplied(factor: float) -> Transform:
    """Return the transform that multiplies by a constant."""
    if factor == 1:
        return unchanged

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        return wire.called(writer.add("Mul", wire.name, writer.constant(factor)))

    return run


def _operator(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    if recipe.shared:
        place, like = ground(writer, wire, recipe.shared)
        result = writer.add("Mul", wire.name, operator_mask(place, like, recipe), name=writer.label)
    else:
        result = operator(writer, wire.name, recipe, name=writer.label)
    # The operator divides by q; another factor comes after it.
    return result if recipe.inverted else _times(writer, result, recipe.scale * recipe.keep_prob)


def _scaled_mask(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """x * (m / q)."""
    place, like = ground(writer, wire, recipe.shared)
    drawn = mask(place, like, recipe)
    scaled = place.add("Div", drawn, place.constant(recipe.keep_prob)) if recipe.inverted else drawn
    if not recipe.inverted:
        scaled = _times(place, drawn, recipe.scale)
    return writer.add("Mul", wire.name, scaled, name=writer.label)


def _scaled_data(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """(x * factor) * m."""
    place, like = ground(writer, wire, recipe.shared)
    drawn = mask(place, like, recipe)
    return writer.add("Mul", _times(writer, wire.name, recipe.scale), drawn, name=writer.label)


def _scaled_result(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """(x * m) * factor."""
    place, like = ground(writer, wire, recipe.shared)
    masked = writer.add("Mul", wire.name, mask(place, like, recipe), name=writer.label)
    return _times(writer, masked, recipe.scale)


def _where(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    place, like = ground(writer, wire, recipe.shared)
    condition = kept(place, like, recipe)
    scaled = _times(writer, wire.name, recipe.scale)
    return writer.add("Where", condition, scaled, writer.constant(0), name=writer.label)


def _select(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    place, like = ground(writer, wire, recipe.shared)
    condition = kept(place, like, recipe)
    taken = writer.add("Cast", condition, to=writer.element_type)
    other = writer.add("Cast", writer.add("Not", condition), to=writer.element_type)
    first = writer.add("Mul", taken, _times(writer, wire.name, recipe.scale))
    return writer.add("Add", first, writer.add("Mul", writer.constant(0), other), name=writer.label)


def _gaussian(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """x * n, n ~ N(1, (1 - q) / q): variance p/q as a Bernoulli mask over q has (Srivastava et al. 2014)."""
    deviation = math.sqrt((1 - recipe.keep_prob) / recipe.keep_prob)
    noise = writer.add("RandomNormalLike", wire.name, mean=0.0, scale=deviation, **seed(recipe))
    factor = writer.add("Add", noise, writer.constant(1))
    return writer.add("Mul", wire.name, factor, name=writer.label)


def _alpha(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """a (x m + d (1 - m)) + b with a = (q + d² q (1 - q))^-½ and b = -a d (1 - q), d being SELU's limit.

    Spelled as torch exports it: x (m a) + ((m - 1) (-a d) + b).
    """
    q = recipe.keep_prob
    a = (q + SELU_NEGATIVE**2 * q * (1 - q)) ** -0.5
    b = -a * SELU_NEGATIVE * (1 - q)
    place, like = ground(writer, wire, recipe.shared)
    drawn = mask(place, like, recipe)
    dropped = place.add("Mul", place.add("Add", drawn, place.constant(-1)), place.constant(-a * SELU_NEGATIVE))
    shift = place.add("Add", dropped, place.constant(b))
    taken = writer.add("Mul", wire.name, place.add("Mul", drawn, place.constant(a)))
    return writer.add("Add", taken, shift, name=writer.label)


def _times(writer: GraphWriter, name: str, factor: float) -> str:
    return name if factor == 1 else writer.add("Mul", name, writer.constant(factor))


_APPLIED = {
    Draw.OPERATOR: _operator,
    Draw.LESS: _scaled_mask,
    Draw.GREATER_EQUAL: _scaled_data,
    Draw.NOT: _scaled_result,
    Draw.WHERE: _where,
    Draw.SELECT: _select,
    Draw.FLOOR: _scaled_data,
    Draw.BERNOULLI: _scaled_result,
    Draw.GAUSSIAN: _gaussian,
    Draw.ALPHA: _alpha,
}
