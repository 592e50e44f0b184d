"""Pairs that differ otherwise than by dropout, and outputs and inputs that the audit must make sense of."""

from __future__ import annotations

import onnx
from numpy.typing import ArrayLike

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import PASS, WARN, Answer
from dropaudit_models.specimens.situations.situation import Difficulty, Situation, faulty, healthy
from dropaudit_models.specimens.situations.words import COLUMNS, Q, X, Y, biases, graph, weights

_H = "u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)"
_PADDED = f"{X}, bool[N,{COLUMNS}] padded"
_LOSS = f"{Y}, float loss"


def _middle(dropped: str, moved: float = 0.0, **constants: ArrayLike) -> onnx.ModelProto:
    """Three dense layers with biases and ReLU; the second reads what was dropped."""
    second = weights(seed=4)
    second[3, 5] += moved
    first, second_layer = "a = MatMul(x, w)  c = Add(a, v)  h = Relu(c)", "e = MatMul(d, z)  i = Add(e, v)  g = Relu(i)"
    body = f"{first}  {dropped}  {second_layer}  y = MatMul(g, w)"
    return graph(body, w=weights(), v=biases(), z=second, constants=constants)


def _normalized(training: int) -> onnx.ModelProto:
    outputs = "n, mean1, variance1" if training else "n"
    norm = f"{outputs} = BatchNormalization<training_mode = {training}>(h, gain, v, mean, variance)"
    dropped = "u = RandomUniformLike(n)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(n, k)"
    body = (
        f"h = MatMul(x, w)  {norm}  {dropped}  y = MatMul(d, w)"
        if training
        else f"h = MatMul(x, w)  {norm}  y = MatMul(n, w)"
    )
    constants: dict[str, ArrayLike] = {"q": Q, "s": 1 / Q} if training else {}
    ones = [1.0] * COLUMNS
    return graph(
        body, w=weights(), gain=ones, v=biases(), mean=[0.3] * COLUMNS, variance=[1.5] * COLUMNS, constants=constants
    )


def _with_loss(scale: float) -> onnx.ModelProto:
    loss = 'loss = SoftmaxCrossEntropyLoss<reduction = "mean">(y, labels)'
    body = f"h = MatMul(x, w)  {_H}  k = Mul(m, s)  d = Mul(h, k)  y = MatMul(d, z)  {loss}"
    inputs = f"{X}, int64[N] labels"
    return graph(body, inputs=inputs, outputs=_LOSS, q=Q, s=scale, w=weights(), z=weights(seed=4))


def _without_loss() -> onnx.ModelProto:
    return graph("h = MatMul(x, w)  y = MatMul(h, z)", w=weights(), z=weights(seed=4))


def _classes(scale: float) -> onnx.ModelProto:
    scores = f"h = MatMul(x, w)  {_H}  k = Mul(m, s)  d = Mul(h, k)  y = MatMul(d, w)"
    body = f"{scores}  class = ArgMax<axis = 1, keepdims = 0>(y)"
    return graph(body, outputs=f"int64[N] class, {Y}", q=Q, s=scale, w=weights())


def _padding(masked: str) -> onnx.ModelProto:
    """Scores of padded places become -inf before a softmax, whose weights are dropped."""
    body = f"{masked}  h = Softmax<axis = -1>(scores)  {_H}  k = Mul(m, s)  d = Mul(h, k)  y = MatMul(d, w)"
    return graph(body, inputs=_PADDED, q=Q, s=1 / Q, infinite=float("-inf"), w=weights())


_GAPS = ("DA502", "DA504")


def _pair(
    name: str, says: str, why: str, model: onnx.ModelProto, inference: onnx.ModelProto, answer: Answer, twin: str
) -> Situation:
    return Situation(
        difficulty=Difficulty.PAPER_PAIR,
        name=f"paper-pair-{name}",
        says=says,
        why=why,
        model=model,
        inference=inference,
        answer=answer,
        twin=f"paper-pair-{twin}",
    )


def _paper() -> onnx.ModelProto:
    return _middle(f"{_H}  d = Mul(h, m)", q=Q)


def _inverted() -> onnx.ModelProto:
    return _middle(f"{_H}  k = Mul(m, s)  d = Mul(h, k)", q=Q, s=1 / Q)


PAIRS = (
    _pair(
        "middle",
        "the paper's first form between dense layers with biases and ReLU",
        "the train artifact with q in the mask's place is the inference artifact, bit for bit",
        _paper(),
        _middle("d = Mul(h, f)", f=Q),
        Answer(
            verdicts=(PASS,),
            codes=frozenset({"DA304"}),
            not_codes=healthy("DA304").not_codes | {"DA305"},
            no_errors=True,
        ),
        "middle",
    ),
    _pair(
        "middle-unscaled",
        "the same without the factor at inference",
        "the train artifact with 1 in the mask's place is the inference artifact: nothing makes up for the mask",
        _paper(),
        _middle("d = Identity(h)"),
        faulty("DA301", never=("DA303", "DA304", *_GAPS)),
        "middle",
    ),
    _pair(
        "middle-other-factor",
        "the same with the factor .5 at inference",
        "the train artifact with .5 in the mask's place is the inference artifact: another constant factor",
        _paper(),
        _middle("d = Mul(h, f)", f=0.5),
        faulty("DA303", never=("DA301", "DA304", *_GAPS)),
        "middle",
    ),
    _pair(
        "inverted",
        "inverted dropout between the same layers",
        "the bypassed train artifact is the inference artifact",
        _inverted(),
        _middle("d = Identity(h)"),
        healthy(),
        "inverted",
    ),
    _pair(
        "one-weight",
        "inverted dropout, and one of 256 weights that differs by 1 at inference",
        "the dropout is right; no factor turns one artifact's weights into the other's: DA504",
        _inverted(),
        _middle("d = Identity(h)", moved=1.0),
        faulty("DA504", never=("DA301", "DA303", "DA305", "DA502")),
        "inverted",
    ),
    _pair(
        "batch-statistics",
        "inverted dropout behind a BatchNormalization that takes the batch's statistics in training",
        "the dropout is right and its mean is that of the bypassed train artifact; the modes differ: DA502 alone",
        _normalized(1),
        _normalized(0),
        Answer(
            verdicts=(WARN,),
            codes=frozenset({"DA502"}),
            not_codes=healthy("DA502").not_codes | {"DA305"},
            no_errors=True,
        ),
        "batch-statistics",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-loss",
        says="a pair whose train artifact has labels and a loss beside the common output",
        why="the common output is compared by its name, and is right; a loss is usual in training",
        model=_with_loss(1 / Q),
        inference=_without_loss(),
        answer=healthy(),
        twin="extra-loss",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-loss-unscaled",
        says="the same with an unscaled mask",
        why="kept values are unscaled and nothing at inference makes up for it",
        model=_with_loss(1.0),
        inference=_without_loss(),
        answer=faulty("DA301", never=("DA504",)),
        twin="extra-loss",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-classes",
        says="an output of class numbers beside the scores",
        why="integers are not judged in train mode; the scores are right",
        model=_classes(1 / Q),
        answer=healthy(),
        twin="extra-classes",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-classes-unscaled",
        says="the same with an unscaled mask",
        why="kept values are unscaled",
        model=_classes(1.0),
        answer=faulty("DA301"),
        twin="extra-classes",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-classes-served",
        says="an output of class numbers that a mask left on changes, served",
        why="integers are compared in role inference, and the site drops",
        model=graph(
            f"h = MatMul(x, w)  {_H}  k = Mul(m, s)  d = Mul(h, k)  class = ArgMax<axis = 1, keepdims = 0>(d)",
            outputs="int64[N] class",
            q=Q,
            s=1 / Q,
            w=weights(),
        ),
        role=Role.INFERENCE,
        answer=faulty("DA103", never=("DA104",)),
        twin="extra-classes",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-padding",
        says="attention with a boolean input that is True where a place is padded",
        why="made up as True everywhere it gives NaN, which no caller would: it is made up as False then",
        model=_padding("scores = Where(padded, infinite, x)"),
        answer=healthy(),
        twin="extra-padding",
    ),
    Situation(
        difficulty=Difficulty.EXTRA,
        name="extra-padding-always",
        says="the same, and every place is padded whatever the input says",
        why="the softmax of nothing but -inf is NaN for either value of the input",
        model=_padding("not_padded = Not(padded)  all = Or(padded, not_padded)  scores = Where(all, infinite, x)"),
        answer=faulty("DA501"),
        twin="extra-padding",
    ),
)
