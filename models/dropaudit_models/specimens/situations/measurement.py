"""Where more is easily said than was measured: zeros, equal seeds, rates from data, contradictions."""

from __future__ import annotations

import onnx

from dropaudit_models.specimens.kind import PASS, UNDECIDED, WARN, Answer
from dropaudit_models.specimens.situations.situation import INNOCENT, Difficulty, Situation, faulty, faulty_any, healthy
from dropaudit_models.specimens.situations.words import CHAIN, Q, graph, weights

# Nothing is known of the scale, so that neither a fault nor its absence may be claimed.
_UNKNOWN = Answer(verdicts=(UNDECIDED,), codes=frozenset({"DA901"}), not_codes=INNOCENT - {"DA901"}, no_errors=True)


def _behind_relu(shift: float, scale: float) -> onnx.ModelProto:
    body = f"h = Add(x, shift)  a = Relu(h)  {CHAIN}  k = Mul(m, s)  d = Mul(a, k)  y = MatMul(d, w)"
    return graph(body, q=Q, s=scale, shift=shift, w=weights())


def _minus_itself(kept: float) -> onnx.ModelProto:
    body = f"h = Tanh(x)  {CHAIN}  k = Mul(m, s)  d = Mul(h, k)  t = Mul(h, kept)  e = Sub(d, t)  y = MatMul(e, w)"
    return graph(body, q=Q, s=1 / Q, kept=kept, w=weights())


def _operators_twice(first: str, second: str) -> onnx.ModelProto:
    body = f"d = Dropout{first}(x, r, t)  n = Neg(d)  y = Dropout{second}(n, r, t)"
    return graph(body, r=1 - Q, t=True)


def _chains_twice(first: str, second: str, second_q: float = Q) -> onnx.ModelProto:
    body = (
        f"u = RandomUniformLike{first}(x)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(x, k)  "
        f"n = Neg(d)  v = RandomUniformLike{second}(n)  c = Less(v, p)  l = Cast<to = 1>(c)  j = Mul(l, z)  "
        "y = Mul(n, j)"
    )
    return graph(body, q=Q, s=1 / Q, p=second_q, z=1 / second_q)


def _side_by_side(first: str, second: str) -> onnx.ModelProto:
    body = (
        f"u = RandomUniformLike{first}(x)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  d = Mul(x, k)  "
        f"n = Neg(x)  v = RandomUniformLike{second}(n)  c = Less(v, p)  l = Cast<to = 1>(c)  j = Mul(l, z)  "
        "e = Mul(n, j)  y = Concat<axis = 1>(d, e)"
    )
    return graph(body, outputs="float[N,32] y", q=Q, s=1 / Q, p=0.4, z=1 / 0.4)


def _rate_from_data(divided: bool) -> onnx.ModelProto:
    scaled = "d = Div(e, q)  y = Neg(d)" if divided else "y = Neg(e)"
    rate = "a = Abs(x)  mean = ReduceMean<keepdims = 0>(a)  p = Mul(mean, half)  q = Sub(one, p)"
    return graph(f"{rate}  {CHAIN}  e = Mul(x, m)  {scaled}", half=0.5, one=1.0)


def _operator_from_data() -> onnx.ModelProto:
    rate = "a = Abs(x)  mean = ReduceMean<keepdims = 0>(a)  p = Mul(mean, half)"
    return graph(f"{rate}  h = Neg(x)  y = Dropout(h, p, t)", half=0.5, t=True)


def _unscaled() -> onnx.ModelProto:
    return graph(f"h = Tanh(x)  {CHAIN}  d = Mul(h, m)  y = MatMul(d, w)", q=Q, w=weights())


def _times(factor: float) -> onnx.ModelProto:
    return graph("h = Tanh(x)  d = Mul(h, f)  y = MatMul(d, w)", f=factor, w=weights())


_SEED, _OTHER = "<seed = 11.0>", "<seed = 90001.0>"

MEASUREMENT = (
    Situation(
        difficulty=Difficulty.UNMEASURED,
        name="unmeasured-live-relu",
        says="a right mask behind a ReLU that lets half through",
        why="kept values are x / .7, so that rate, scale and factor can all be measured, and are right",
        model=_behind_relu(0.0, 1 / Q),
        answer=healthy(),
        twin="unmeasured-live-relu",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.UNMEASURED,
        name="unmeasured-dead-relu",
        says="an unscaled mask behind a ReLU that is always zero",
        why="the site reads zeros alone and the output is zero: no scale and no factor is measured, so it is not PASS",
        model=_behind_relu(-100.0, 1.0),
        answer=_UNKNOWN,
        twin="unmeasured-live-relu",
        share=0.0,
    ),
    Situation(
        difficulty=Difficulty.UNMEASURED,
        name="unmeasured-dead-relu-scaled",
        says="a scaled mask behind a ReLU that is always zero",
        why="as with the unscaled one: what is right cannot be known by measuring either",
        model=_behind_relu(-100.0, 1 / Q),
        answer=_UNKNOWN,
        twin="unmeasured-live-relu",
        share=0.0,
    ),
    Situation(
        difficulty=Difficulty.UNMEASURED,
        name="unmeasured-half-reference",
        says="a right mask on a branch of which half is subtracted again",
        why="the plain output is half of the branch, and the mean of the train output is the same",
        model=_minus_itself(0.5),
        answer=healthy(),
        twin="unmeasured-half-reference",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.UNMEASURED,
        name="unmeasured-zero-reference",
        says="a right mask on a branch that is subtracted again as a whole",
        why="the plain output is zero, or of rounding size, and no factor can be taken against it: DA901 says so",
        model=_minus_itself(1.0),
        answer=_UNKNOWN,
        twin="unmeasured-half-reference",
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-absent",
        says="two Dropout operators, one on the other's negative, without seeds",
        why="the masks are independent: .49 is kept and scaled by 1 / .49, whose mean is 1",
        model=_operators_twice("", ""),
        answer=healthy(verdicts=(PASS, WARN), but=("DA203",)),
        twin="equal-seeds-absent",
        factor=1.0,
        share=0.49,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-stacked",
        says="two Dropout operators with one seed, one on the other's negative",
        why="one seed gives one mask: .7 is kept and scaled by 1 / .49, so that the mean is 1.43 times too large",
        model=_operators_twice("<seed = 11>", "<seed = 11>"),
        answer=faulty("DA305", "DA404", never=("DA105", "DA301")),
        twin="equal-seeds-absent",
        factor=1 / Q,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-chains-absent",
        says="two uniform chains, one on the other's negative, without seeds",
        why="as with the operators",
        model=_chains_twice("", ""),
        answer=healthy(verdicts=(PASS, WARN), but=("DA203",)),
        twin="equal-seeds-chains-absent",
        factor=1.0,
        share=0.49,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-chains-stacked",
        says="two uniform chains with one seed, one on the other's negative",
        why="as with the operators: the runtime's draws are the same, number by number",
        model=_chains_twice(_SEED, _SEED),
        answer=faulty("DA305", "DA404", never=("DA105", "DA301")),
        twin="equal-seeds-chains-absent",
        factor=1 / Q,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-chains-nested",
        says="two uniform chains with one seed and the rates .3 and .6, one on the other's negative",
        why="u < .4 implies u < .7: .4 is kept, scaled by 1 / .28, a mean of 1.43",
        model=_chains_twice(_SEED, _SEED, 0.4),
        answer=faulty("DA305", "DA404", never=("DA105", "DA301")),
        twin="equal-seeds-chains-absent",
        factor=1 / Q,
        share=0.4,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-different",
        says="two uniform chains with seeds of their own, side by side",
        why="each is right and they are independent; a seed makes every session replay them, which is DA406 alone",
        model=_side_by_side(_SEED, _OTHER),
        answer=healthy("DA406", verdicts=(WARN,)),
        twin="equal-seeds-different",
        factor=1.0,
        share=0.55,
    ),
    Situation(
        difficulty=Difficulty.EQUAL_SEEDS,
        name="equal-seeds-side-by-side",
        says="two uniform chains with one seed and the rates .3 and .6, side by side",
        why="what the second keeps the first keeps too (DA404), yet each output's mean is right: a warning, no error",
        model=_side_by_side(_SEED, _SEED),
        answer=healthy("DA404", "DA406", verdicts=(WARN,)),
        twin="equal-seeds-different",
        factor=1.0,
        share=0.55,
    ),
    Situation(
        difficulty=Difficulty.RATE_FROM_DATA,
        name="rate-from-data",
        says="a drop rate of half the mean size of the data, and division by what it keeps",
        why="kept values are x / q with the q of that very run",
        model=_rate_from_data(divided=True),
        answer=healthy(),
        twin="rate-from-data",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.RATE_FROM_DATA,
        name="rate-from-data-operator",
        says="Dropout whose ratio is half the mean size of the data",
        why="the operator divides by 1 - ratio, whatever the ratio is",
        model=_operator_from_data(),
        answer=healthy(),
        twin="rate-from-data-operator",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.RATE_FROM_DATA,
        name="rate-from-data-unscaled",
        says="a drop rate of half the mean size of the data, and no division",
        why="kept values are x, though a part of them is dropped",
        model=_rate_from_data(divided=False),
        answer=faulty("DA301", never=("DA303", "DA201", "DA202")),
        twin="rate-from-data",
    ),
    Situation(
        difficulty=Difficulty.CONTRADICTION,
        name="contradiction-none",
        says="an unscaled mask that keeps .7, and a factor .7 at inference",
        why="the paper's first form",
        model=_unscaled(),
        inference=_times(Q),
        answer=healthy("DA304"),
        twin="contradiction-none",
        factor=Q,
    ),
    Situation(
        difficulty=Difficulty.CONTRADICTION,
        name="contradiction-other-factor",
        says="an unscaled mask that keeps .7, and a factor .3 at inference",
        why="something at inference does answer for the mask, though by a wrong number: DA303 or DA202, not DA301",
        model=_unscaled(),
        inference=_times(0.3),
        answer=faulty_any("DA303", "DA202", never=("DA301", "DA304", "DA504")),
        twin="contradiction-none",
        factor=Q,
    ),
    Situation(
        difficulty=Difficulty.CONTRADICTION,
        name="contradiction-no-factor",
        says="an unscaled mask that keeps .7, and nothing at inference",
        why="kept values are unscaled and nothing makes up for it",
        model=_unscaled(),
        inference=_times(1.0),
        answer=faulty("DA301", never=("DA303", "DA304", "DA504")),
        twin="contradiction-none",
        factor=Q,
    ),
)
