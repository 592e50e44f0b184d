"""Valid graphs that are easily spoiled, and what must end in a report all the same."""

from __future__ import annotations

import onnx

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import FAIL, PASS, WARN, Answer
from dropaudit_models.specimens.situations.situation import Difficulty, Situation, faulty, faulty_any, healthy
from dropaudit_models.specimens.situations.words import CHAIN, COLUMNS, ROWS, Q, graph, weights

_TWO = f"float[N,{COLUMNS}] y, float[N,{COLUMNS}] z"


def _two_outputs(scale: float) -> onnx.ModelProto:
    second = "v = RandomUniformLike(y)  c = Less(v, q)  l = Cast<to = 1>(c)  e = Mul(n, l)  z = Mul(e, s)"
    return graph(f"h = Neg(x)  y = Dropout(h, r, t)  n = Neg(x)  {second}", outputs=_TWO, r=1 - Q, t=True, q=Q, s=scale)


def _mask_read_twice(scale: float) -> onnx.ModelProto:
    body = "h = Neg(x)  y, mask = Dropout(h, r, t)  g = Mul(h, s)  z = Where(mask, g, none)"
    return graph(body, outputs=_TWO, r=1 - Q, t=True, s=scale, none=0.0)


def _sites_on_one_result() -> onnx.ModelProto:
    body = (
        "h = Neg(x)  d = Dropout(h, r, t)  n = Neg(d)  u = RandomUniformLike(n)  b = Less(u, q)  m = Cast<to = 1>(b)  "
        "k = Mul(m, s)  y = Mul(d, k)  v = RandomUniformLike(d)  c = Less(v, q)  l = Cast<to = 1>(c)  j = Mul(l, s)  "
        "z = Mul(n, j)"
    )
    return graph(body, outputs=_TWO, r=1 - Q, t=True, q=Q, s=1 / Q)


def _named_alike(scale: float) -> onnx.ModelProto:
    """A site in a branch and one outside, whose nodes have one name each in both graphs."""
    step = (
        "body (float[N,16] h0, float[N,16] xt) => (float[N,16] h1, float[N,16] yt) { h1 = Add(h0, xt)  "
        "u = RandomUniformLike(h1)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Mul(m, s)  yt = Mul(h1, k) }"
    )
    body = (
        "start = ReduceMean<axes = [0], keepdims = 0>(x)  "
        f"last, n = Scan<num_scan_inputs = 1, body = {step}>(start, x)  "
        "o = RandomUniformLike(n)  c = Less(o, q)  l = Cast<to = 1>(c)  "
        "j = Div(l, q)  y = Mul(n, j)"
    )
    model = graph(body, inputs="float[T,N,16] x", outputs="float[T,N,16] y", q=Q, s=scale)
    inner = next(attribute.g for node in model.graph.node for attribute in node.attribute if attribute.HasField("g"))
    for each in (model.graph, inner):
        for index, node in enumerate(each.node):
            node.name = f"node {index}"
    return model


def _divided_path(before: float, after: float) -> onnx.ModelProto:
    mask = f"{ROWS}  v = Add(u, q)  f = Floor(v)  m = Mul(f, after)"
    branch = f"h = MatMul(x, w)  g = Div(h, before)  {mask}  d = Mul(g, m)  y = Add(x, d)"
    return graph(branch, w=weights(), q=Q, before=before, after=after)


def _two_divided_paths() -> onnx.ModelProto:
    first = f"h = MatMul(x, w)  g = Div(h, q)  {ROWS}  v = Add(u, q)  f = Floor(v)  d = Mul(g, f)  e = Add(x, d)"
    second = (
        "i = MatMul(e, w)  j = Div(i, q)  cut = Slice(e, zero, one, one)  o = RandomUniformLike(cut)  p = Add(o, q)  "
        "l = Floor(p)  k = Mul(j, l)  y = Add(e, k)"
    )
    return graph(f"{first}  {second}", w=weights(), q=Q)


def _ids(chance: float) -> onnx.ModelProto:
    mask = "u = RandomUniformLike<dtype = 1>(ids)  b = Less(u, q)  m = Cast<to = 7>(b)"
    body = f"{mask}  words = Mul(ids, m)  rows = Gather(table, words)  y = MatMul(rows, w)"
    inputs, outputs = "int64[N,6] ids", f"float[N,6,{COLUMNS}] y"
    return graph(body, inputs=inputs, outputs=outputs, q=chance, table=weights(30), w=weights(seed=3))


def _added_noise(scale: float) -> onnx.ModelProto:
    return graph(f"h = Neg(x)  e = RandomNormalLike<scale = {scale!r}>(h)  y = Add(h, e)")


def _mask_over(tensor: str) -> onnx.ModelProto:
    return graph(f"h = Neg(x)  {CHAIN}  k = Mul(m, s)  y = Mul({tensor}, k)", q=Q, s=1 / Q)


def _in_scan(factor: float) -> onnx.ModelProto:
    """h / q before a mask of one cell a row, in a body that also reads what lies outside."""
    step = (
        "body (float[N,16] h0, float[N,16] xt) => (float[N,16] h1, float[N,16] yt) { "
        "a = MatMul(h0, w)  c = Add(a, xt)  h1 = Tanh(c)  g = Div(h1, q)  first = Slice(g, zero, one, one)  "
        "u = RandomUniformLike(first)  v = Add(u, q)  f = Floor(v)  m = Mul(f, factor)  yt = Mul(g, m) }"
    )
    body = (
        "zero = Constant<value = int64[1] {0}>()  one = Constant<value = int64[1] {1}>()  "
        "start = ReduceMean<axes = [0], keepdims = 0>(x)  "
        f"last, y = Scan<num_scan_inputs = 1, body = {step}>(start, x)"
    )
    inputs, outputs = "float[T,N,16] x", "float[T,N,16] y"
    return graph(body, inputs=inputs, outputs=outputs, q=Q, factor=factor, w=0.5 * weights())


ROBUSTNESS = (
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-two-outputs",
        says="two outputs, each the result of a site",
        why="both sites are right; a session keeps an operator whose result is an output",
        model=_two_outputs(1 / Q),
        answer=healthy(),
        twin="one-name-two-outputs",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-two-outputs-unscaled",
        says="two outputs, each the result of a site, the second unscaled",
        why="the second site keeps x itself",
        model=_two_outputs(1.0),
        answer=faulty("DA301"),
        twin="one-name-two-outputs",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-mask-read-twice",
        says="a Dropout whose mask output drops the same cells of another tensor, scaled right",
        why="both keep .7 and scale by 1 / .7; one mask at two sites is DA404, a warning",
        model=_mask_read_twice(1 / Q),
        answer=healthy("DA404", verdicts=(WARN,)),
        twin="one-name-mask-read-twice",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-mask-read-twice-unscaled",
        says="a Dropout whose mask output drops the same cells of another tensor, unscaled",
        why="the second use keeps x itself",
        model=_mask_read_twice(1.0),
        answer=faulty("DA301", never=("DA105",)),
        twin="one-name-mask-read-twice",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-sites-on-one-result",
        says="two sites on the result of one Dropout, each an output",
        why="three independent masks, each scaled by 1 / .7; what is dropped twice may be said",
        model=_sites_on_one_result(),
        answer=healthy("DA102", verdicts=(WARN,), but=("DA203",)),
        twin="one-name-sites-on-one-result",
        factor=1.0,
        share=Q * Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-in-two-graphs",
        says="right sites in a Scan and on its result, whose nodes have the same names",
        why="names belong to a graph, and a body is one of its own; the masks are independent and right",
        model=_named_alike(1 / Q),
        answer=healthy(verdicts=(PASS, WARN), but=("DA203",)),
        twin="one-name-in-two-graphs",
        factor=1.0,
        share=Q * Q,
    ),
    Situation(
        difficulty=Difficulty.ONE_NAME,
        name="one-name-in-two-graphs-unscaled",
        says="sites in a Scan and on its result, whose nodes have the same names, the first unscaled",
        why="the first keeps x itself",
        model=_named_alike(1.0),
        answer=faulty("DA301"),
        twin="one-name-in-two-graphs",
        factor=Q,
        share=Q * Q,
    ),
    Situation(
        difficulty=Difficulty.DIVIDED_BEFORE,
        name="divided-before-path",
        says="drop connect: a branch divided by q, then times floor(q + u), one cell a row",
        why="kept rows of the branch are branch / q; the division belongs to the site",
        model=_divided_path(Q, 1.0),
        answer=healthy(),
        twin="divided-before-path",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.DIVIDED_BEFORE,
        name="divided-before-two-paths",
        says="two blocks with drop connect, one after the other",
        why="as with one",
        model=_two_divided_paths(),
        answer=healthy(),
        twin="divided-before-two-paths",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.DIVIDED_BEFORE,
        name="divided-before-and-after",
        says="drop connect, the branch divided by q and the mask too",
        why="kept rows of the branch are branch / q²",
        model=_divided_path(Q, 1 / Q),
        answer=faulty("DA302", never=("DA301", "DA402")),
        twin="divided-before-path",
    ),
    Situation(
        difficulty=Difficulty.DIVIDED_BEFORE,
        name="divided-before-not-at-all",
        says="drop connect without the division",
        why="kept rows of the branch are the branch",
        model=_divided_path(1.0, 1.0),
        answer=faulty("DA301", never=("DA402",)),
        twin="divided-before-path",
    ),
    Situation(
        difficulty=Difficulty.CRASH,
        name="crash-mask-over-ids",
        says="word dropout: ids times a mask of integers, before an embedding",
        why="a site on integers has no law of scale: other randomness (DA106), no fault",
        model=_ids(0.8),
        answer=healthy("DA106", verdicts=(WARN,)),
        twin="crash-mask-over-ids",
    ),
    Situation(
        difficulty=Difficulty.CRASH,
        name="crash-mask-over-ids-served",
        says="word dropout left on in what is served",
        why="outputs differ from run to run by a random operator: DA104, or DA103 where it is called a site",
        model=_ids(0.8),
        role=Role.INFERENCE,
        answer=faulty_any("DA103", "DA104", never=("DA105",)),
        twin="crash-mask-over-ids",
    ),
    Situation(
        difficulty=Difficulty.CRASH,
        name="crash-noise-served",
        says="noise of scale .1 added in what is served",
        why="outputs differ from run to run by a random operator that is not a site",
        model=_added_noise(0.1),
        role=Role.INFERENCE,
        answer=faulty("DA104", never=("DA103", "DA105")),
        twin="crash-noise-of-scale-zero",
    ),
    Situation(
        difficulty=Difficulty.CRASH,
        name="crash-noise-of-scale-zero",
        says="noise of scale 0 added in what is served, at which ONNX Runtime ends the process",
        why="nothing is random; whatever is said of the structure, there must be a report",
        model=_added_noise(0.0),
        role=Role.INFERENCE,
        answer=Answer(verdicts=(PASS, WARN, FAIL), not_codes=frozenset({"DA103", "DA105"})),
        twin="crash-noise-of-scale-zero",
    ),
    Situation(
        difficulty=Difficulty.REWRITTEN,
        name="rewritten-scan",
        says="a Scan whose body divides by q before a mask of one cell a row",
        why="a valid model: rows of a step's result are kept at h / q",
        model=_in_scan(1.0),
        answer=healthy(),
        twin="rewritten-scan",
        factor=1.0,
    ),
    Situation(
        difficulty=Difficulty.REWRITTEN,
        name="rewritten-scan-doubled",
        says="the same, and the mask divided by q too",
        why="kept rows are h / q²",
        model=_in_scan(1 / Q),
        answer=faulty("DA302", never=("DA301",)),
        twin="rewritten-scan",
        factor=1 / Q,
    ),
    Situation(
        difficulty=Difficulty.REWRITTEN,
        name="rewritten-never",
        says="a right mask over what is there",
        why="a valid model",
        model=_mask_over("h"),
        answer=healthy(),
        twin="rewritten-never",
        factor=1.0,
        share=Q,
    ),
    Situation(
        difficulty=Difficulty.REWRITTEN,
        name="rewritten-invalid-file",
        says="a mask over a tensor that nothing makes",
        why="the file itself is invalid: INVALID_MODEL is for this, and never for a rewriting of ours",
        model=_mask_over("absent"),
        answer=Answer(verdicts=()),
        error="invalid-model",
        twin="rewritten-never",
    ),
)
