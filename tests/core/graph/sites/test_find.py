"""Claims about where sites are found, and what they declare."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites.find import find_sites
from dropaudit.report import Implementation, Placement
from dropaudit.subjects import Array

HEADER = '<ir_version: 8, opset_import: ["" : 17]>'


def sites_of(text: str, header: str = HEADER) -> tuple[GraphSite, ...]:
    return find_sites(name_nodes(parser.parse_model(f"{header}\n{text}")))


def only(text: str, header: str = HEADER) -> GraphSite:
    (site,) = sites_of(text, header)
    return site


def test_a_dropout_operator_declares_one_minus_its_ratio() -> None:
    site = only("""g (float[N,4] x) => (float[N,4] y) <float r = {0.25}, bool t = {1}> { y = Dropout(x, r, t) }""")
    assert site.implementation is Implementation.DROPOUT_OP
    assert site.declared_keep_prob == 0.75
    assert (site.source, site.result, site.switch) == ("x", "y", Switch.ON)


@pytest.mark.parametrize(
    ("signature", "switch"),
    [
        ("(float[N,4] x) => (float[N,4] y) <float r = {0.5}, bool t = {0}>", Switch.OFF),
        ("(float[N,4] x, bool t) => (float[N,4] y) <float r = {0.5}>", Switch.INPUT),
        ("(float[N,4] x, bool t = {1}) => (float[N,4] y) <float r = {0.5}>", Switch.DEFAULT),
    ],
)
def test_what_switches_a_dropout_is_told_apart(signature: str, switch: Switch) -> None:
    assert only(f"g {signature} {{ y = Dropout(x, r, t) }}").switch is switch


def test_without_training_mode_a_dropout_never_drops() -> None:
    assert only("g (float[N,4] x) => (float[N,4] y) { y = Dropout(x) }").switch is Switch.OFF


@pytest.mark.parametrize("opset", [7, 10])
def test_before_opset_12_a_dropout_never_drops(opset: int) -> None:
    header = f'<ir_version: 4, opset_import: ["" : {opset}]>'
    site = only("g (float[N,4] x) => (float[N,4] y) { y = Dropout <ratio = 0.25> (x) }", header)
    assert site.switch is Switch.OFF
    assert site.declared_keep_prob == 0.75


def test_a_ratio_of_zero_is_no_site() -> None:
    text = "g (float[N,4] x) => (float[N,4] y) <float r = {0.0}, bool t = {1}> { y = Dropout(x, r, t) }"
    assert sites_of(text) == ()


CHAINS = {
    "less": ("b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)", 0.75),
    "greater": ("b = GreaterOrEqual(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)", 0.25),
    "constant on the left": ("b = Less(q, u)  m = Cast<to = 1>(b)  y = Mul(m, x)", 0.25),
    "not": ("b = Less(u, q)  n = Not(b)  m = Cast<to = 1>(n)  y = Mul(x, m)", 0.25),
    "divided": ("b = Less(u, q)  m = Cast<to = 1>(b)  d = Div(m, q)  y = Mul(x, d)", 0.75),
    "floor": ("s = Add(u, q)  m = Floor(s)  y = Mul(x, m)", 0.75),
    "where": ("b = Less(u, q)  y = Where(b, x, zero)", 0.75),
    "where not": ("b = Less(u, q)  y = Where(b, zero, x)", 0.25),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_uniform_chain_declares_what_its_threshold_says(name: str) -> None:
    body, keep_prob = CHAINS[name]
    site = only(
        "g (float[N,4] x) => (float[N,4] y) <float q = {0.75}, float zero = {0.0}>"
        f"{{ u = RandomUniformLike(x) {body} }}"
    )
    assert site.implementation is Implementation.UNIFORM_CHAIN
    assert site.declared_keep_prob == pytest.approx(keep_prob)
    assert (site.source, site.result) == ("x", "y")


def test_another_range_of_the_draw_is_taken_into_account() -> None:
    site = only(
        "g (float[N,4] x) => (float[N,4] y) <float q = {0.5}>"
        "{ u = RandomUniformLike<low = -1.0, high = 1.0>(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m) }"
    )
    assert site.declared_keep_prob == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("factor", "source", "result"), [(4.0, "x", "y"), (4 / 3, "x", "y"), (0.75, "x", "y"), (3.0, "s", "z")]
)
def test_a_scale_beside_the_mask_belongs_to_the_site_when_it_is_one_of_dropouts_own(
    factor: float, source: str, result: str
) -> None:
    """q is 3/4: 4/3 is 1/q and 4 is 1/p, 0.75 is q; any other factor is the model's."""
    text = (
        f"g (float[N,4] x) => (float[N,4] y) <float q = {{0.75}}, float c = {{{factor!r}}}>"
        "{ s = Mul(x, c)  u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)"
        "  z = Mul(s, m)  y = Mul(z, c) }"
    )
    site = only(text)
    assert (site.source, site.result) == (source, result)


def test_a_scale_that_the_model_uses_elsewhere_is_the_models() -> None:
    site = only(
        "g (float[N,4] x) => (float[N,4] y, float[N,4] other) <float q = {0.5}, float c = {2.0}>"
        "{ s = Mul(x, c)  other = Relu(s)  u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)"
        "  y = Mul(s, m) }"
    )
    assert site.source == "s"


def test_the_other_half_of_a_select_belongs_to_the_site() -> None:
    site = only(
        "g (float[N,4] x) => (float[N,4] y) <float q = {0.5}, float zero = {0.0}>"
        "{ u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  n = Not(b)  k = Cast<to = 1>(n)"
        "  left = Mul(x, m)  right = Mul(zero, k)  y = Add(left, right) }"
    )
    assert (site.source, site.result) == ("x", "y")


@pytest.mark.parametrize(
    "body",
    [
        "u = RandomUniformLike(x)  y = Add(x, u)",
        "u = RandomUniformLike(x)  y = Mul(x, u)",
        "u = RandomNormalLike(x)  y = Add(x, u)",
        "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Add(x, m)",
    ],
)
def test_noise_is_no_site(body: str) -> None:
    assert sites_of(f"g (float[N,4] x) => (float[N,4] y) <float q = {{0.5}}> {{ {body} }}") == ()


def test_sites_in_bodies_carry_their_path() -> None:
    text = """g (float[N,4] x, bool c) => (float[N,4] y) <float r = {0.5}, bool t = {1}> {
        [branch] y = If (c) <
            then_branch = a () => (float[N,4] p) { p = Dropout(x, r, t) },
            else_branch = b () => (float[N,4] p) { p = Identity(x) }
        >
    }"""
    site = only(text)
    assert site.path == ("branch:then_branch",)
    assert site.owner == "branch"


def frozen_model(mask: Array) -> onnx.ModelProto:
    columns = mask.shape[-1]
    model = parser.parse_model(f"{HEADER} g (float[N,{columns}] x) => (float[N,{columns}] y) {{ y = Mul(x, mask) }}")
    model.graph.initializer.append(numpy_helper.from_array(mask.astype(np.float32), "mask"))
    return name_nodes(model)


def test_a_constant_of_zeros_and_one_value_in_no_order_is_a_frozen_mask() -> None:
    mask = np.where(np.random.default_rng(0).random((4, 16)) < 0.5, 2, 0).astype(np.float32)
    (site,) = find_sites(frozen_model(mask))
    assert site.implementation is Implementation.CONSTANT_MASK


@pytest.mark.parametrize(
    "constant",
    [
        np.repeat([[1.0], [0.0]], 8, axis=1),
        np.tril(np.ones((8, 8))),
        np.array([[1.0] * 5 + [0.0] * 11]),
        np.ones((2, 8)),
        np.random.default_rng(1).standard_normal((2, 8)),
        np.arange(16) % 2.0,
        (np.indices((8, 8)).sum(axis=0) % 2).astype(float),
        np.eye(16)[3],
        np.eye(16),
        np.kron(np.eye(4), np.ones((4, 4))),
    ],
    ids=["rows", "causal", "padding", "ones", "weights", "every other", "chessboard", "one of many", "eye", "groups"],
)
def test_padding_ordered_masks_and_weights_are_no_dropout(constant: Array) -> None:
    assert find_sites(frozen_model(constant)) == ()


def test_edges_of_a_graph_that_a_draw_drops_are_no_frozen_mask() -> None:
    edges = (np.random.default_rng(0).random((16, 16)) < 0.5).astype(np.float32)
    draw = "u = RandomUniformLike(e)  b = Less(u, q)  m = Cast<to = 1>(b)"
    model = parser.parse_model(
        f"{HEADER} g (float[16,4] x) => (float[16,4] y) <float q = {{0.7}}>"
        f"{{ {draw}  k = Mul(e, m)  y = MatMul(k, x) }}"
    )
    model.graph.initializer.append(numpy_helper.from_array(edges, "e"))
    assert Implementation.CONSTANT_MASK not in {site.implementation for site in find_sites(name_nodes(model))}


@pytest.mark.parametrize(
    ("body", "placement"),
    [
        ("a = Dropout(x, r, t)  y = Relu(a)", Placement.INPUT),
        ("h = Relu(x)  y = Dropout(h, r, t)", Placement.OUTPUT),
        ("h = Relu(x)  d = Dropout(h, r, t)  y = Identity(d)", Placement.OUTPUT),
        ("w = Dropout(W, r, t)  y = MatMul(x, w)", Placement.WEIGHT),
        ("h = Relu(x)  d = Dropout(h, r, t)  y = Relu(d)", Placement.UNKNOWN),
    ],
)
def test_placement_without_recurrence(body: str, placement: Placement) -> None:
    weights = ",".join(["0.5"] * 16)
    text = (
        "g (float[N,4] x) => (float[N,4] y)"
        f"<float r = {{0.5}}, bool t = {{1}}, float[4,4] W = {{{weights}}}> {{ {body} }}"
    )
    assert only(text).placement is placement


def test_placement_between_layers_in_the_head_and_on_embeddings() -> None:
    def tensor(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(np.full(shape, 0.1, dtype=np.float32), name)

    model = parser.parse_model(
        f"""{HEADER}
        g (int64[T,N] ids) => (float[T,1,N,3] y) <float r = {{0.5}}, bool t = {{1}}, int64[1] one = {{1}}> {{
            e = Gather(table, ids)   e1 = Dropout(e, r, t)
            h = LSTM<hidden_size = 3>(e1, W, R)   s = Squeeze(h, one)   s1 = Dropout(s, r, t)
            k = LSTM<hidden_size = 3>(s1, W, R)   k1 = Dropout(k, r, t)   y = Tanh(k1)
        }}"""
    )
    model.graph.initializer.extend([tensor("table", 20, 3), tensor("W", 1, 12, 3), tensor("R", 1, 12, 3)])
    placements = [site.placement for site in find_sites(name_nodes(model))]
    assert placements == [Placement.EMBEDDING, Placement.BETWEEN_LAYERS, Placement.HEAD]


def test_equal_and_missing_names_become_different_ones() -> None:
    model = parser.parse_model(
        f"{HEADER} g (float[4] x) => (float[4] y) {{ [a] p = Relu(x) [a] q = Relu(p) y = Relu(q) }}"
    )
    names = [node.name for node in name_nodes(model).graph.node]
    assert len(set(names)) == 3
    assert names[0] == "a"
