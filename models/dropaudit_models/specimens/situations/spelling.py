"""One law in many spellings: constants that the graph computes, unusual operators, factors beside the site."""

from __future__ import annotations

import re

import numpy as np
import onnx
from numpy.typing import ArrayLike

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import WARN
from dropaudit_models.specimens.situations.situation import Difficulty, Situation, faulty, faulty_any, healthy
from dropaudit_models.specimens.situations.words import CHAIN, COLUMNS, Q, graph

_RATES = np.linspace(0.5, 0.9, COLUMNS)
_U, _KEPT = "u = RandomUniformLike(x)", "m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(x, k)"
# From x to d: a mask that keeps .7 of x, times s.
_SPELLINGS = {
    "sign-and-relu": f"{_U}  a = Sub(q, u)  g = Sign(a)  m = Relu(g)  k = Mul(m, s)  d = Mul(x, k)",
    "complement": f"{CHAIN}  n = Sub(one, m)  g = Mul(x, s)  l = Mul(g, n)  d = Sub(g, l)",
    "dropout-of-ones": "h = Shape(x)  ones = Expand(one, h)  o = Dropout(ones, r, t)  b = Greater(o, none)  "
    "g = Mul(x, s)  d = Where(b, g, none)",
    "gathered": f"{_U}  b = Less(u, q)  i = Cast<to = 7>(b)  k = Gather(both, i)  d = Mul(x, k)",
    "divided-by-mask": f"{_U}  b = Less(u, q)  v = Where(b, over, huge)  d = Div(x, v)",
    "band": f"{_U}  a = Greater(u, low)  b = Less(u, high)  c = And(a, b)  g = Mul(x, s)  d = Where(c, g, none)",
    "outside-a-band": f"{_U}  a = Less(u, low)  c = Greater(u, middle)  b = Or(a, c)  {_KEPT}",
    "two-draws": f"{_U}  n = Neg(x)  v = RandomUniformLike(n)  a = Less(u, root)  c = Less(v, root)  b = And(a, c)  "
    f"{_KEPT}",
    "rounded": f"{_U}  v = Add(u, low)  w = Round(v)  g = Mul(x, s)  d = Mul(g, w)",
    "cast-to-integer": f"{_U}  v = Add(u, q)  b = Cast<to = 6>(v)  {_KEPT}",
    "clipped": f"{_U}  a = Sub(q, u)  g = Mul(a, large)  v = Clip(g, none, one)  m = Ceil(v)  k = Mul(m, s)  "
    "d = Mul(x, k)",
    "logarithm": f"{_U}  v = Log(u)  b = Less(v, logarithm)  {_KEPT}",
    "other-range": f"u = RandomUniformLike<low = -1.0, high = 1.0>(x)  b = Less(u, symmetric)  {_KEPT}",
    "normal-draw": f"u = RandomNormalLike(x)  b = Less(u, quantile)  {_KEPT}",
    "quantized-draw": f"{_U}  i = QuantizeLinear(u, step, origin)  v = DequantizeLinear(i, step, origin)  "
    f"b = Less(v, q)  {_KEPT}",
}
_COMPUTED = {
    "subtracted": "q = Sub(one, r)  s = Reciprocal(q)",
    "root": "q = Sqrt(square)  s = Div(one, q)",
    "power": "q = Pow(square, half)  s = Pow(square, minus)",
    "nodes": "a = Constant<value_float = 0.35>()  q = Add(a, a)  c = Constant<value_float = 1.0>()  s = Div(c, q)",
    "shaped": "a = Shape(r)  b0 = ConstantOfShape(a)  c = Sub(one, r)  q = Add(c, b0)  s = Reciprocal(q)",
}


def _known(scale: float) -> dict[str, ArrayLike]:
    """Return the constants by name; -inf < log u, 255 steps, and P(n < .5244) = .7 for a normal draw."""
    known: dict[str, ArrayLike] = {"q": Q, "r": 1 - Q, "t": True, "s": scale, "one": 1.0, "none": 0.0, "half": 0.5}
    band: dict[str, ArrayLike] = {"low": 0.2, "high": 0.9, "middle": 0.5, "root": Q**0.5, "symmetric": 0.4}
    others: dict[str, ArrayLike] = {
        "both": [0.0, scale],
        "over": 1 / scale,
        "huge": np.inf,
        "large": 1e9,
        "minus": -0.5,
    }
    steps: dict[str, ArrayLike] = {"step": 1 / 255, "origin": np.uint8(0), "quantile": 0.5244005127080407}
    return known | band | others | steps | {"logarithm": np.log(Q), "square": Q * Q, "rates": _RATES, "p": 1 - Q}


def _model(body: str, scale: float = 1 / Q) -> onnx.ModelProto:
    """Return x -> y = -d, with the constants that the body reads and does not make."""
    made, read = set(re.findall(r"(\w+) = [A-Z]", body)), set(re.findall(r"\w+", body))
    constants = {name: value for name, value in _known(scale).items() if name in read - made}
    return graph(f"{body}  y = Neg(d)", constants=constants)


def _spelled(name: str) -> tuple[Situation, Situation]:
    """Return a spelling scaled right, and the same unscaled."""
    # The operator reads ones whose shape is known at run time only, and a default session deletes it.
    answer = healthy("DA102", verdicts=(WARN,)) if name == "dropout-of-ones" else healthy()
    right = Situation(
        difficulty=Difficulty.SPELLED,
        name=f"spelled-{name}",
        says=f"a mask that keeps .7, spelled as: {name}",
        why="each element is 0 or x / .7, the latter with probability .7",
        model=_model(_SPELLINGS[name]),
        answer=answer,
        twin=f"spelled-{name}",
        factor=1.0,
        share=Q,
    )
    wrong = Situation(
        difficulty=Difficulty.SPELLED,
        name=f"spelled-{name}-unscaled",
        says=f"an unscaled mask that keeps .7, spelled as: {name}",
        why="each element is 0 or x, the latter with probability .7",
        model=_model(_SPELLINGS[name], 1.0),
        answer=faulty("DA301", never=("DA101", "DA105", "DA106", "DA202")),
        twin=right.name,
        factor=Q,
        share=Q,
    )
    return right, wrong


def _computed(name: str) -> tuple[Situation, Situation]:
    """Return a site with constants that the graph computes, and the same divided by the drop rate."""
    body = f"{_COMPUTED[name]}  {CHAIN}  k = Mul(m, s)  d = Mul(x, k)"
    right = Situation(
        difficulty=Difficulty.COMPUTED_CONSTANT,
        name=f"computed-constant-{name}",
        says=f"keep rate and scale are computed from constants by nodes: {name}",
        why="folded, they are .7 and 1 / .7",
        model=_model(body),
        answer=healthy(),
        twin=f"computed-constant-{name}",
        factor=1.0,
        share=Q,
    )
    swapped = f"{_COMPUTED[name]}  p0 = Sub(one, q)  z = Reciprocal(p0)  {CHAIN}  k = Mul(m, z)  d = Mul(x, k)"
    wrong = Situation(
        difficulty=Difficulty.COMPUTED_CONSTANT,
        name=f"computed-constant-{name}-swapped",
        says="the same, and kept values divided by what is 1 - q",
        why="1 / p compensates where 1 / q should: kept values are x / .3",
        model=_model(swapped),
        answer=faulty("DA202", never=("DA101", "DA105", "DA301")),
        twin=right.name,
        factor=Q / (1 - Q),
        share=Q,
    )
    return right, wrong


def _beside(
    name: str, says: str, why: str, body: str, *, codes: tuple[str, ...] = (), factor: float = 1.0
) -> Situation:
    never = tuple({"DA301", "DA302", "DA304", "DA105", "DA106"} - set(codes))
    return Situation(
        difficulty=Difficulty.FACTOR_BESIDE,
        name=f"factor-beside-{name}",
        says=says,
        why=why,
        model=_model(body),
        answer=faulty_any(*codes, never=never) if codes else healthy(),
        twin="factor-beside-added-zero" if codes else f"factor-beside-{name}",
        factor=factor,
        share=Q,
    )


_ADDED_ZERO = f"g = Div(x, q)  h = Add(g, none)  {CHAIN}  d = Mul(h, m)"
_TURNED = (
    "g = Div(x, q)  a = Transpose<perm = [1, 0]>(g)  u = RandomUniformLike(a)  b = Less(u, q)  m = Cast<to = 1>(b)  "
    "e = Mul(a, m)  d = Transpose<perm = [1, 0]>(e)"
)
_RATES_BY_FEATURE = "u = RandomUniformLike(x)  b = Less(u, rates)  m = Cast<to = 1>(b)"


def _by_feature(scaled: str, name: str, factor: float | None) -> Situation:
    right = "spelled-rate-by-feature"
    return Situation(
        difficulty=Difficulty.SPELLED,
        name=name,
        says="a keep rate for each feature, from .5 to .9" + ("" if name == right else ", unscaled"),
        why="a kept element is x / q of its feature" if name == right else "a kept element is x",
        model=_model(f"{_RATES_BY_FEATURE}  {scaled}"),
        answer=healthy() if name == right else faulty("DA301", never=("DA105", "DA106")),
        twin=right,
        factor=factor,
        share=Q,
    )


def _bernoulli(chance: float) -> onnx.ModelProto:
    body = "h = Shape(x)  c = Expand(chance, h)  m = Bernoulli(c)  k = Div(m, q)  d = Mul(x, k)  y = Neg(d)"
    return graph(body, chance=chance, q=Q)


def _in_body(mask: str) -> onnx.ModelProto:
    signature = "body (float[N,16] h0, float[N,16] xt) => (float[N,16] h1, float[N,16] yt)"
    step = f"{signature} {{ a = Add(h0, xt)  h1 = Tanh(a)  {mask} }}"
    body = (
        f"start = ReduceMean<axes = [0], keepdims = 0>(x)  last, y = Scan<num_scan_inputs = 1, body = {step}>(start, x)"
    )
    frozen = np.where(np.random.default_rng(3).random(COLUMNS) < Q, 1 / Q, 0.0)
    constants: dict[str, ArrayLike] = {"frozen": frozen} if "frozen" in mask else {"q": Q, "s": 1 / Q}
    return graph(body, inputs="float[T,N,16] x", outputs="float[T,N,16] y", constants=constants)


def _frozen_in_body(name: str, role: Role) -> Situation:
    return Situation(
        difficulty=Difficulty.SPELLED,
        name=name,
        says=f"a constant mask in the body of a Scan, role {role}",
        why="zeros and 1 / .7 in no order, the same in every run: DA401 in every role",
        model=_in_body("yt = Mul(h1, frozen)"),
        role=role,
        answer=faulty("DA401"),
        twin="spelled-in-body",
    )


SPELLING = (
    *(situation for name in _SPELLINGS for situation in _spelled(name)),
    _by_feature("k = Div(m, rates)  d = Mul(x, k)", "spelled-rate-by-feature", 1.0),
    _by_feature("d = Mul(x, m)", "spelled-rate-by-feature-unscaled", None),
    Situation(
        difficulty=Difficulty.SPELLED,
        name="spelled-bernoulli-of-drop-rate",
        says="Bernoulli of the drop rate, turned round for ONNX Runtime, which draws 1 where a uniform exceeds it",
        why="as run .7 is kept and divided by .7; by the standard .3 would be, which DA408 remarks",
        model=_bernoulli(1 - Q),
        answer=healthy("DA408"),
        twin="spelled-bernoulli-of-drop-rate",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.SPELLED,
        name="spelled-bernoulli-of-keep-rate",
        says="Bernoulli of the keep rate, as the standard has it",
        why="as run .3 is kept, which is the drop rate, and divided by .7",
        model=_bernoulli(Q),
        answer=faulty("DA202", "DA408", never=("DA301", "DA105")),
        twin="spelled-bernoulli-of-drop-rate",
        factor=(1 - Q) / Q,
        share=1 - Q,
    ),
    Situation(
        difficulty=Difficulty.SPELLED,
        name="spelled-in-body",
        says="a right mask in the body of a Scan",
        why="each element of each step is 0 or h / .7",
        model=_in_body(
            "u = RandomUniformLike(h1)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  yt = Mul(h1, k)"
        ),
        answer=healthy(),
        twin="spelled-in-body",
        factor=1.0,
        share=Q,
    ),
    *(_frozen_in_body(f"spelled-frozen-in-body-{role}", role) for role in Role),
    *(situation for name in _COMPUTED for situation in _computed(name)),
    _beside("added-zero", "x / q, an Add of zero, the mask", "kept values are x / q + 0", _ADDED_ZERO),
    _beside("turned", "x / q, a Transpose, the mask, and back", "kept values are x / q", _TURNED),
    _beside(
        "doubled",
        "x / q before, the mask divided by q too",
        "kept values are x / q²",
        f"g = Div(x, q)  {CHAIN}  k = Div(m, q)  d = Mul(g, k)",
        codes=("DA302",),
        factor=1 / Q,
    ),
    _beside(
        "by-inverse",
        "the mask, and the result divided by 1 / p",
        "kept values are p x: another factor than 1 / q, and none of 1 / p, q or 1",
        f"{CHAIN}  e = Mul(x, m)  i = Reciprocal(p)  d = Div(e, i)",
        codes=("DA303",),
        factor=Q * (1 - Q),
    ),
    _beside(
        "undone",
        "the mask divided by q, the result times q",
        "kept values are x",
        f"{CHAIN}  k = Div(m, q)  e = Mul(x, k)  d = Mul(e, q)",
        codes=("DA301",),
        factor=Q,
    ),
)
