"""Randomness that is not ordinary dropout, that few runs show, or that stands beside dropout."""

from __future__ import annotations

import onnx

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import PASS, WARN, Answer
from dropaudit_models.specimens.situations.situation import INNOCENT, Difficulty, Situation, faulty, faulty_any, healthy
from dropaudit_models.specimens.situations.words import CHAIN, COLUMNS, Q, graph, weights

_SCALAR = "u = RandomUniform<shape = [1]>()"
# A site of family OTHER, or one that the audit cannot call by more than its name: never a fault.
_ALLOWED = Answer(verdicts=(PASS, WARN), not_codes=INNOCENT - {"DA106", "DA402"}, no_errors=True)
# Noise is named; what depends on it is not judged by its mean.
_NOISY = healthy("DA106", verdicts=(WARN,))
_NEVER_SHIFTED = Answer(
    verdicts=(WARN,), codes=frozenset({"DA106"}), not_codes=_NOISY.not_codes | {"DA305"}, no_errors=True
)


def _layer_drop(keep: float) -> onnx.ModelProto:
    block = "then () => (float[N,16] a) { h = MatMul(x, w)  g = Relu(h)  a = Add(x, g) }"
    skip = "other () => (float[N,16] c) { c = Identity(x) }"
    body = f"{_SCALAR}  on = Less(u, keep)  y = If<then_branch = {block}, else_branch = {skip}>(on)"
    return graph(body, keep=keep, w=weights())


def _plain_layer() -> onnx.ModelProto:
    """The layer without a draw that matters: the draw's result is not read."""
    return graph(f"{_SCALAR}  on = Less(u, keep)  h = MatMul(x, w)  g = Relu(h)  y = Add(x, g)", keep=0.98, w=weights())


def _zoneout() -> onnx.ModelProto:
    step = (
        "body (float[N,16] h0, float[N,16] xt) => (float[N,16] h1, float[N,16] yt) { "
        "a = MatMul(h0, w)  b = Add(a, xt)  "
        "new = Tanh(b)  u = RandomUniformLike(h0)  stays = Less(u, p)  h1 = Where(stays, h0, new)  yt = Identity(h1) }"
    )
    body = (
        f"start = ReduceMean<axes = [0], keepdims = 0>(x)  last, y = Scan<num_scan_inputs = 1, body = {step}>(start, x)"
    )
    return graph(body, inputs="float[T,N,16] x", outputs="float[T,N,16] y", p=0.1, w=weights())


def _filled_scores() -> onnx.ModelProto:
    body = f"h = MatMul(x, w)  {CHAIN}  scores = Where(b, h, fill)  a = Softmax<axis = -1>(scores)  y = MatMul(a, w)"
    return graph(body, q=0.9, fill=-1e4, w=weights())


def _factor(keep: float) -> onnx.ModelProto:
    """One factor of 0 or 1 for a whole block, unscaled."""
    mask = f"{_SCALAR}  b = Less(u, keep)  m = Cast<to = 1>(b)"
    return graph(f"h = MatMul(x, w)  g = Relu(h)  {mask}  d = Mul(g, m)  y = Add(x, d)", keep=keep, w=weights())


def _tiny_noise() -> onnx.ModelProto:
    body = "h = Neg(x)  e = RandomNormalLike<scale = 1.0e-7>(h)  y = Add(h, e)"
    return graph(body, inputs=f"double[N,{COLUMNS}] x", outputs=f"double[N,{COLUMNS}] y")


def _unread_noise() -> onnx.ModelProto:
    return graph("h = Neg(x)  e = RandomNormalLike(h)  z = Add(h, e)  y = Tanh(h)")


def _leaky(scale: float) -> onnx.ModelProto:
    """RReLU, whose slope for negative values is drawn from 1/8 to 1/3; then dropout."""
    slope = (
        "a = RandomUniformLike<low = 0.125, high = 0.3333>(x)  n = Mul(x, a)  p = Greater(x, none)  h = Where(p, x, n)"
    )
    mask = "u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(h, k)"
    return graph(f"{slope}  {mask}  y = Neg(d)", none=0.0, q=Q, s=scale)


def _gumbel(scale: float) -> onnx.ModelProto:
    """Softmax of scores with Gumbel noise, -log(-log u), over dropout."""
    scores = f"{CHAIN}  k = Mul(m, s)  d = Mul(x, k)  h = MatMul(d, w)"
    noise = "v = RandomUniformLike<low = 0.0001, high = 0.9999>(h)  l = Log(v)  n = Neg(l)  o = Log(n)  g = Sub(h, o)"
    return graph(f"{scores}  {noise}  y = Softmax<axis = -1>(g)", q=Q, s=scale, w=weights())


def _noisy_weights(scale: float) -> onnx.ModelProto:
    noise = "e = RandomNormalLike(w)  f = Mul(e, tenth)  v = Add(w, f)  h = MatMul(x, v)"
    mask = "u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(h, k)"
    return graph(f"{noise}  {mask}  y = Neg(d)", tenth=0.1, q=Q, s=scale, w=weights())


def _served(name: str, says: str, why: str, model: onnx.ModelProto, answer: Answer) -> Situation:
    return Situation(
        difficulty=Difficulty.RARE,
        name=name,
        says=says,
        why=why,
        model=model,
        role=Role.INFERENCE,
        answer=answer,
        twin=name if answer.no_errors else "rare-unread",
    )


def _beside(name: str, says: str, right: onnx.ModelProto, wrong: onnx.ModelProto) -> tuple[Situation, Situation]:
    healthy_one = Situation(
        difficulty=Difficulty.RANDOM_REFERENCE,
        name=f"random-reference-{name}",
        says=f"{says}, and right dropout",
        why="the dropout is right; the noise is not dropout (DA106), and no mean is taken against one draw of it",
        model=right,
        answer=_NEVER_SHIFTED,
        twin=f"random-reference-{name}",
    )
    faulty_one = Situation(
        difficulty=Difficulty.RANDOM_REFERENCE,
        name=f"random-reference-{name}-unscaled",
        says=f"{says}, and unscaled dropout",
        why="what the site keeps is what it reads, whatever is drawn before or after",
        model=wrong,
        answer=faulty("DA301", never=("DA105",)),
        twin=healthy_one.name,
    )
    return healthy_one, faulty_one


RANDOMNESS = (
    Situation(
        difficulty=Difficulty.OTHER_RANDOMNESS,
        name="other-randomness-layer-drop",
        says="an If on a draw that skips a whole layer in one run of five",
        why="LayerDrop is a site of family OTHER with its keep rate, and has no law of scale",
        model=_layer_drop(0.8),
        answer=_ALLOWED,
        twin="other-randomness-layer-drop",
    ),
    Situation(
        difficulty=Difficulty.OTHER_RANDOMNESS,
        name="other-randomness-layer-drop-served",
        says="the same, served",
        why="outputs differ from run to run",
        model=_layer_drop(0.8),
        role=Role.INFERENCE,
        answer=faulty_any("DA103", "DA104", never=("DA105",)),
        twin="other-randomness-layer-drop",
    ),
    Situation(
        difficulty=Difficulty.OTHER_RANDOMNESS,
        name="other-randomness-zoneout",
        says="zoneout in a Scan: each state keeps its old value in one step of ten",
        why="a choice between two tensors is a site of family OTHER, and no fault",
        model=_zoneout(),
        answer=Answer(verdicts=(PASS, WARN), not_codes=_ALLOWED.not_codes | {"DA106"}, no_errors=True),
        twin="other-randomness-zoneout",
    ),
    Situation(
        difficulty=Difficulty.OTHER_RANDOMNESS,
        name="other-randomness-zoneout-served",
        says="the same, served",
        why="outputs differ from run to run",
        model=_zoneout(),
        role=Role.INFERENCE,
        answer=faulty_any("DA103", "DA104", never=("DA105",)),
        twin="other-randomness-zoneout",
    ),
    Situation(
        difficulty=Difficulty.OTHER_RANDOMNESS,
        name="other-randomness-filled-scores",
        says="scores before a softmax set to -1e4 in one case of ten",
        why="a fill other than zero is not dropout of the tensor's own law: DA106",
        model=_filled_scores(),
        answer=_NEVER_SHIFTED,
        twin="other-randomness-filled-scores",
    ),
    _served(
        "rare-unread",
        "noise whose result reaches no output",
        "no random operator reaches an output",
        _unread_noise(),
        healthy(),
    ),
    _served(
        "rare-layer-drop",
        "an If on a draw that skips a layer in one run of fifty",
        "the draw decides over the output, though few runs show it",
        _layer_drop(0.98),
        faulty_any("DA103", "DA104", never=("DA105",)),
    ),
    _served(
        "rare-factor",
        "an unscaled factor for a whole branch, 0 in one run of fifty",
        "a site that drops, though few runs show it",
        _factor(0.98),
        faulty("DA103", never=("DA105",)),
    ),
    _served(
        "rare-scalar-draw",
        "an unscaled factor for a whole branch, 0 in every second run",
        "a site that drops; one run that kept everything proves nothing",
        _factor(0.5),
        faulty("DA103", never=("DA105",)),
    ),
    _served(
        "rare-tiny-noise",
        "noise of 1e-7 in double precision",
        "outputs differ from run to run by more than rounding: a random operator that is not a site",
        _tiny_noise(),
        faulty("DA104", never=("DA103", "DA105")),
    ),
    _served(
        "rare-decision-unread",
        "a comparison of a draw that nobody reads, beside a layer",
        "no random operator reaches an output",
        _plain_layer(),
        healthy(),
    ),
    *_beside("leaky", "RReLU", _leaky(1 / Q), _leaky(1.0)),
    *_beside("gumbel", "Gumbel noise on scores", _gumbel(1 / Q), _gumbel(1.0)),
    *_beside("noisy-weights", "noise on weights", _noisy_weights(1 / Q), _noisy_weights(1.0)),
)
