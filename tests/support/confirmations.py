"""For each finding code a file that has the fault, and its healthy twin, as `dropaudit explain` confirms them.

The tensors around the site are `h` and `d`, a second site ends in `e`; the declared keep probability is 0.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper, parser

from support.graphs import HEADER, dense, model

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Files on which a code's snippet must say True, and files on which it must say False."""

    faulty: Files
    healthy: Files


def chain(scale: str = "f", threshold: str = "q", seed: str = "") -> str:
    """Return h -> d over a uniform draw that keeps below `threshold` and multiplies by `scale`."""
    return (
        f"u = RandomUniformLike{seed}(h)  b = Less(u, {threshold})  m = Cast<to = 1>(b)"
        f"  s = Mul(m, {scale})  d = Mul(h, s)"
    )


def bernoulli() -> str:
    """Return h -> d by the operator Bernoulli, given the keep probability."""
    return "n = Shape(h)  a = Expand(q, n)  m = Bernoulli(a)  s = Mul(m, f)  d = Mul(h, s)"


CONSTANTS = (
    f", float one = {{1.0}}, float f = {{{1 / 0.7!r}}}, float ff = {{{1 / 0.49!r}}}, float odd = {{1.5}}"
    ", float half = {0.5}, float p = {0.3}, bool off = {0}"
)
IN, OUT = "h = Relu(x)  ", "  y = Neg(d)"


def hidden(body: str) -> Files:
    """Return `model.onnx`: Relu, a site from h to d, Neg."""
    return {"model.onnx": dense(IN + body + OUT, extra=CONSTANTS)}


def straight(body: str, columns: int = 16) -> Files:
    """Return `model.onnx`: x -> y by `body`."""
    return {"model.onnx": dense(body, columns, CONSTANTS)}


def shared(shape: str) -> Files:
    """Return a mask of `shape` over x (8, 5, 16)."""
    body = f"u = RandomUniform<shape = {shape}>()  b = Less(u, q)  m = Cast<to = 1>(b)  h = Relu(x)  d = Mul(h, m)"
    return {"model.onnx": model(f"g (float[8,5,16] x) => (float[8,5,16] y) <float q = {{0.7}}> {{ {body}{OUT} }}")}


def two_draws(first_seed: str, second_seed: str, second_threshold: str = "q") -> Files:
    return straight(
        f"u = RandomUniformLike{first_seed}(x)  b = Less(u, q)  m = Cast<to = 1>(b)  d = Mul(x, m)"
        f"  w = RandomUniformLike{second_seed}(x)  c = Less(w, {second_threshold})  n = Cast<to = 1>(c)  e = Mul(x, n)"
        "  y = Add(d, e)"
    )


def frozen(mask: bool) -> Files:
    drawn = np.where(np.random.default_rng(0).random((64, 16)) < 0.7, 1 / 0.7, 0).astype(np.float32)
    graph = parser.parse_model(
        f"{HEADER} g (float[64,16] x) => (float[64,16] y) <float r = {{0.3}}, bool t = {{1}}>"
        f"{{ {IN} {'d = Mul(h, mask)' if mask else DROPOUT} {OUT} }}"
    )
    if mask:
        graph.graph.initializer.append(numpy_helper.from_array(drawn, "mask"))
    return {"model.onnx": graph.SerializeToString()}


def cell(memory: str) -> Files:
    graph = parser.parse_model(
        f"""{HEADER} g (float[3,2,4] x, float[1,2,3] c0) => (float[3,1,2,3] y) <float r = {{0.3}}, bool t = {{1}}> {{
        d = Dropout(c0, r, t)  y = LSTM<hidden_size = 3>(x, W, R, , , , {memory}) }}"""
    )
    for name, columns in (("W", 4), ("R", 3)):
        graph.graph.initializer.append(numpy_helper.from_array(np.full((1, 12, columns), 0.1, np.float32), name))
    return {"model.onnx": graph.SerializeToString()}


def normalized(training: int) -> Files:
    outputs = "n, rm, rv" if training else "n"
    body = f"{outputs} = BatchNormalization<training_mode = {training}>(x, w, z, z, w)  y = Dropout(n, r, t)"
    ones, zeros = ",".join(["1.0"] * 4), ",".join(["0.0"] * 4)
    constants = f"float r = {{0.3}}, bool t = {{1}}, float[4] w = {{{ones}}}, float[4] z = {{{zeros}}}"
    return {"model.onnx": model(f"g (float[N,4] x) => (float[N,4] y) <{constants}> {{ {body} }}")}


def weighted(weights: str) -> bytes:
    return model(f"g (float[N,2] x) => (float[N,2] y) <float[2] w = {{{weights}}}> {{ y = Mul(x, w) }}")


def classic(inference: str) -> Files:
    return {
        "train.onnx": dense(IN + chain(scale="one") + OUT, extra=CONSTANTS),
        "inference.onnx": dense(IN + inference + OUT, extra=CONSTANTS),
    }


def single(threshold: float) -> Files:
    """Return dropout on one unit."""
    rate = f"float r = {{{1 - threshold!r}}}, bool t = {{1}}"
    return {"model.onnx": model(f"g (float[N,1] x) => (float[N,1] y) <{rate}> {{ y = Dropout(x, r, t) }}")}


DROPOUT = "d = Dropout(h, r, t)"
CONFIRMATIONS = {
    "DA101": Confirmation(hidden("d = Dropout(h, r, off)"), hidden(DROPOUT)),
    "DA102": Confirmation(hidden(DROPOUT), straight("y = Dropout(x, r, t)")),
    "DA103": Confirmation(hidden(DROPOUT), hidden("d = Dropout(h, r, off)")),
    "DA104": Confirmation(straight("u = RandomNormalLike(x)  y = Add(x, u)"), straight("y = Relu(x)")),
    "DA105": Confirmation(straight("y = Relu(x)"), hidden(DROPOUT)),
    "DA106": Confirmation(straight("u = RandomNormalLike(x)  y = Add(x, u)"), hidden(DROPOUT)),
    "DA107": Confirmation(hidden(f"{DROPOUT}  e = Dropout(d, r, t)"), hidden(DROPOUT)),
    "DA201": Confirmation(hidden("d = Dropout(h, half, t)"), hidden(DROPOUT)),
    "DA202": Confirmation(hidden("d = Dropout(h, q, t)"), hidden(DROPOUT)),
    "DA203": Confirmation(
        hidden("i = Dropout(h, r, t)  j = Identity(i)  d = Dropout(j, r, t)"),
        hidden("i = Dropout(h, r, t)  j = Relu(i)  d = Dropout(j, r, t)"),
    ),
    "DA301": Confirmation(hidden(chain("one")), hidden(chain())),
    "DA302": Confirmation(hidden(chain("ff")), hidden(chain())),
    "DA303": Confirmation(hidden(chain("odd")), hidden(chain())),
    "DA304": Confirmation(classic("d = Mul(h, q)"), classic("d = Identity(h)")),
    "DA305": Confirmation(hidden("e = Dropout(h, r, t)  d = Tanh(e)"), hidden(DROPOUT)),
    "DA401": Confirmation(frozen(mask=True), frozen(mask=False)),
    "DA402": Confirmation(shared("[1, 5, 16]"), shared("[8, 1, 16]")),
    "DA403": Confirmation(shared("[8, 1, 16]"), shared("[8, 5, 16]")),
    "DA404": Confirmation(two_draws("<seed = 0.0>", "<seed = 1.0>"), two_draws("<seed = 2.0>", "<seed = 3.0>")),
    "DA405": Confirmation(hidden(DROPOUT), hidden(chain())),
    "DA406": Confirmation(hidden(chain(seed="<seed = 5.0>")), hidden(chain())),
    "DA407": Confirmation(cell("d"), cell("c0")),
    "DA408": Confirmation(hidden(bernoulli()), hidden(chain())),
    "DA501": Confirmation(straight("y = Log(x)"), straight("y = Relu(x)")),
    "DA502": Confirmation(normalized(1), normalized(0)),
    "DA504": Confirmation(
        {"train.onnx": weighted("1.0, 2.0"), "inference.onnx": weighted("1.0, 3.0")},
        {"train.onnx": weighted("1.0, 2.0"), "inference.onnx": weighted("0.5, 1.0")},
    ),
    "DA901": Confirmation(single(0.02), hidden(DROPOUT)),
}
"""DA503 is missing: it needs two providers, and a runtime at fault."""
