"""Sites that are dead, that a switch turns on, or that lie in a branch."""

from __future__ import annotations

import onnx
from onnx import helper

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import PASS, WARN
from dropaudit_models.specimens.situations.situation import Difficulty, Situation, faulty, faulty_any, healthy
from dropaudit_models.specimens.situations.words import CHAIN, Q, X, graph

_BY_INPUT = f"{X}, bool flag"


def _threshold(q: float) -> onnx.ModelProto:
    return graph(f"{CHAIN}  k = Mul(m, s)  d = Mul(x, k)  y = Neg(d)", q=q, s=1 / Q)


def _last_step(read: str) -> onnx.ModelProto:
    """Two steps of a recurrence written out, the state dropped after each; the last state leaves the model or not."""
    first = f"a = Tanh(x)  {CHAIN}  k = Mul(m, s)  d = Mul(a, k)"
    second = "e = Add(x, d)  c = Tanh(e)  v = RandomUniformLike(c)  o = Less(v, q)  l = Cast<to = 1>(o)"
    return graph(f"{first}  {second}  j = Mul(l, s)  f = Mul(c, j)  y = Neg({read})", q=Q, s=1 / Q)


def _default(value: bool) -> onnx.ModelProto:
    """A switch that is an input and an initializer."""
    model = graph("h = Neg(x)  y = Dropout(h, r, t)", r=1 - Q, t=value)
    model.graph.input.append(helper.make_tensor_value_info("t", onnx.TensorProto.BOOL, []))
    return model


def _switched(switch: str) -> onnx.ModelProto:
    return graph(f"{switch}  h = Neg(x)  y = Dropout(h, r, t)", inputs=_BY_INPUT, r=1 - Q, never=False)


def _branch(condition: str) -> onnx.ModelProto:
    """If(condition) the mask else x, as a function with a `training` argument is traced."""
    dropped = f"taken () => (float[N,16] a) {{ {CHAIN}  k = Mul(m, s)  a = Mul(x, k) }}"
    plain = "other () => (float[N,16] c) { c = Identity(x) }"
    body = f"{condition}  d = If<then_branch = {dropped}, else_branch = {plain}>(on)  y = Neg(d)"
    return graph(body, inputs=_BY_INPUT, q=Q, s=1 / Q, always=True)


SWITCHES = (
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-threshold",
        says="a threshold that keeps .7, times 1 / .7",
        why="each element is 0 or x / .7",
        model=_threshold(Q),
        answer=healthy(),
        twin="switched-threshold",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-threshold-always-keeps",
        says="a threshold of 1.5 that always keeps, times 1 / .7",
        why="it draws, never drops, and scales all the same: DA101",
        model=_threshold(1.5),
        answer=faulty("DA101", never=("DA105", "DA106", "DA301")),
        twin="switched-threshold",
        factor=1 / Q,
        share=1.0,
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-last-step-dead",
        says="two unrolled steps whose states are dropped; nobody reads the last dropped state",
        why="the first site is right and reaches the output through tanh; the second reaches none: DA107, no fault",
        model=_last_step("c"),
        answer=healthy("DA107"),
        twin="switched-last-step-dead",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-all-dead",
        says="a site whose result nobody reads, and no other",
        why="nothing random reaches the output of an artifact that is to train: DA105",
        model=graph(f"{CHAIN}  k = Mul(m, s)  d = Mul(x, k)  y = Neg(x)", q=Q, s=1 / Q),
        answer=faulty_any("DA105", "DA101", never=("DA106", "DA301")),
        twin="switched-last-step-dead",
        factor=1.0,
        share=1.0,
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-default-on",
        says="training_mode is an input with the default True, role train",
        why="in train mode the switch is on and the site is right; at inference a caller can turn it off",
        model=_default(True),
        answer=healthy(),
        twin="switched-default-on",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-default-on-served",
        says="the same, served",
        why="in role inference a default is left as it is, and it drops",
        model=_default(True),
        role=Role.INFERENCE,
        answer=faulty("DA103", never=("DA104",)),
        twin="switched-default-off-served",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-default-off-served",
        says="training_mode is an input with the default False, served",
        why="the default drops nothing",
        model=_default(False),
        role=Role.INFERENCE,
        answer=healthy(),
        twin="switched-default-off-served",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-by-not",
        says="training_mode is the Not of an input, role train",
        why="the input's False turns the site on, which is right then",
        model=_switched("t = Not(flag)"),
        answer=healthy(),
        twin="switched-by-not",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-by-not-served",
        says="training_mode is the Not of an input, role inference",
        why="the input's True turns the site off, as a caller who serves it would",
        model=_switched("t = Not(flag)"),
        role=Role.INFERENCE,
        answer=healthy(verdicts=(PASS, WARN)),
        twin="switched-by-not-served",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-never",
        says="training_mode is the And of an input and False",
        why="no value of the input turns the site on",
        model=_switched("t = And(flag, never)"),
        answer=faulty("DA101", never=("DA103", "DA301")),
        twin="switched-by-not",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-branch",
        says="an If with the mask in one branch, by an input, role train",
        why="the input's True takes the branch with the mask, which is right",
        model=_branch("on = Identity(flag)"),
        answer=healthy(),
        twin="switched-branch",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-branch-served",
        says="an If with the mask in one branch, by an input, role inference",
        why="a switch that is an input is fed False at inference, and nothing drops",
        model=_branch("on = Identity(flag)"),
        role=Role.INFERENCE,
        answer=healthy(verdicts=(PASS, WARN)),
        twin="switched-branch-served",
    ),
    Situation(
        difficulty=Difficulty.SWITCHED,
        name="switched-branch-always-served",
        says="an If with the mask in one branch, which an Or with True always takes, role inference",
        why="whatever the input is, it drops",
        model=_branch("on = Or(flag, always)"),
        role=Role.INFERENCE,
        answer=faulty_any("DA103", "DA104"),
        twin="switched-branch-served",
    ),
)
