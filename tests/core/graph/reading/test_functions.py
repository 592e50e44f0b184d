"""Claims about a model's own functions: expanded as the runtime expands them, or refused by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import AttributeProto, FunctionProto, NodeProto, TensorProto, helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.limits import DEEPEST_CALLS
from dropaudit.graph.reading.load import parse_model
from dropaudit.report import Verdict

X = np.random.default_rng(0).standard_normal((3, 16)).astype(np.float32)
node = helper.make_node


def function(
    name: str, nodes: list[NodeProto], opset: int = 17, outputs: Sequence[str] = ("w",), attributes: Sequence[str] = ()
) -> FunctionProto:
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("me", 1)]
    return helper.make_function("me", name, ["v"], list(outputs), nodes, opsets, list(attributes))


def with_default(made: FunctionProto, **defaults: object) -> FunctionProto:
    made.attribute_proto.extend(helper.make_attribute(name, value) for name, value in defaults.items())
    return made


def referring(
    made: NodeProto, name: str, to: str, kind: AttributeProto.AttributeType = AttributeProto.FLOAT
) -> NodeProto:
    made.attribute.add(name=name, ref_attr_name=to, type=kind)
    return made


def call(name: str = "f", into: str = "y", of: str = "x", **attributes: float) -> NodeProto:
    made = node(name, [of], [into], domain="me")
    made.attribute.extend(helper.make_attribute(each, value) for each, value in attributes.items())
    return made


def model(nodes: list[NodeProto], functions: list[FunctionProto], opset: int = 17) -> onnx.ModelProto:
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 16])]
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("me", 1)]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, functions=functions)


def leaky(to: str = "slope") -> NodeProto:
    return referring(node("LeakyRelu", ["v"], ["w"]), "alpha", to)


def branch(name: str, *nodes: NodeProto) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), name, [], [helper.make_tensor_value_info("q", TensorProto.FLOAT, None)])


TRUE = node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True]))
RANDOM_NAMES = [node("Neg", ["v"], ["y"]), node("Abs", ["y"], ["x"]), node("Exp", ["x"], ["w"])]

TAKEN = {
    "of another operator set": model([call()], [function("f", [node("Softmax", ["v"], ["w"])], 12)]),
    "of a later operator set": model([call()], [function("f", [node("Softmax", ["v"], ["w"])], 21)]),
    "with a default": model([call()], [with_default(function("f", [leaky()]), slope=0.7)]),
    "with a value of its own": model([call(slope=0.2)], [with_default(function("f", [leaky()]), slope=0.7)]),
    "with an attribute that nobody gives": model([call()], [function("f", [leaky()], attributes=["slope"])]),
    "called twice, with other values": model(
        [call(into="h", slope=0.2), call(of="h")], [with_default(function("f", [leaky()]), slope=0.7)]
    ),
    "a default of a function in a function": model(
        [call("outer")],
        [with_default(function("f", [leaky()]), slope=0.7), function("outer", [call("f", "w", "v")])],
    ),
    "a value that a function passes on": model(
        [call("outer", steep=0.4)],
        [
            with_default(function("f", [leaky()]), slope=0.7),
            function("outer", [referring(call("f", "w", "v"), "slope", "steep")], attributes=["steep"]),
        ],
    ),
    "a default that a function passes on": model(
        [call("outer")],
        [
            with_default(function("f", [leaky()]), slope=0.7),
            with_default(function("outer", [referring(call("f", "w", "v"), "slope", "steep")]), steep=0.4),
        ],
    ),
    "nothing that a function passes on": model(
        [call("outer")],
        [
            with_default(function("f", [leaky()]), slope=0.7),
            function("outer", [referring(call("f", "w", "v"), "slope", "steep")], attributes=["steep"]),
        ],
    ),
    "a call in a branch": model(
        [TRUE, node("If", ["c"], ["y"],
            then_branch=branch("t", call(into="q", slope=0.3)), else_branch=branch("e", node("Neg", ["x"], ["q"])))],
        [with_default(function("f", [leaky()]), slope=0.7)],
    ),
    "a branch in a function": model(
        [call()],
        [
            with_default(
                function("f", [TRUE, node("If", ["c"], ["w"],
                    then_branch=branch("t", referring(node("LeakyRelu", ["v"], ["q"]), "alpha", "slope")),
                    else_branch=branch("e", node("Neg", ["v"], ["q"])))]),
                slope=0.7,
            )
        ],
    ),
    "names of tensors that the graph has too": model([call(into="w"), call(of="w")], [function("f", RANDOM_NAMES)]),
    "a tensor as its default": model(
        [call()],
        [
            with_default(
                function("f", [
                    referring(node("Constant", [], ["k"]), "value", "table", AttributeProto.TENSOR),
                    node("Mul", ["v", "k"], ["w"]),
                ]),
                table=helper.make_tensor("k", TensorProto.FLOAT, [16], X[0]),
            )
        ],
    ),
}  # fmt: skip


def run(proto: onnx.ModelProto) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # The runtime may round a fused chain differently.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"x": X})[0]
    return found


@pytest.mark.parametrize("kind", TAKEN)
def test_a_model_computes_the_same_with_its_functions_expanded_here_or_by_the_runtime(kind: str) -> None:
    expanded = parse_model(TAKEN[kind].SerializeToString())
    assert not expanded.functions
    np.testing.assert_array_equal(run(expanded), run(TAKEN[kind]))


def dropping(rate: float, opset: int) -> FunctionProto:
    nodes = [
        referring(node("Constant", [], ["r"]), "value_float", "p"),
        node("Constant", [], ["t"], value=helper.make_tensor("t", TensorProto.BOOL, [], [True])),
        node("Dropout", ["v", "r", "t"], ["w"], name="drop"),
    ]
    return with_default(function("f", nodes, opset), p=rate)


@pytest.mark.parametrize("opset", [16, 17, 18])
def test_dropout_in_a_function_of_another_operator_set_keeps_what_the_default_says(opset: int) -> None:
    content = model([call()], [dropping(0.3, opset)]).SerializeToString()
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(max_replicates=4096))
    (site,) = report.sites
    assert site.declared_keep_prob == pytest.approx(0.7)
    assert site.keep_prob is not None
    assert site.keep_prob.lower <= 0.7 <= site.keep_prob.upper
    assert report.verdict is Verdict.PASS


def chain_of_calls(depth: int) -> onnx.ModelProto:
    functions = [function("f0", [node("Neg", ["v"], ["w"])])]
    functions += [function(f"f{each}", [call(f"f{each - 1}", "w", "v")]) for each in range(1, depth)]
    return model([call(f"f{depth - 1}")], functions)


def of_domain(domain: str, name: str) -> onnx.ModelProto:
    made = helper.make_function(domain, name, ["v"], ["w"], [node("Neg", ["v"], ["w"])], [helper.make_opsetid("", 17)])
    return model([helper.make_node(name, ["x"], ["y"], domain=domain)], [made])


def large_default(calls: int) -> onnx.ModelProto:
    """A tensor of a mebibyte that every call stands for anew."""
    table = helper.make_tensor("k", TensorProto.FLOAT, [1 << 18], np.zeros(1 << 18, np.float32).tobytes(), raw=True)
    nodes = [
        referring(node("Constant", [], ["k"]), "value", "table", AttributeProto.TENSOR),
        node("ReduceMax", ["k"], ["m"], keepdims=0),
        node("Add", ["v", "m"], ["w"]),
    ]
    names = ["x", *(f"a{each}" for each in range(calls - 1)), "y"]
    body = [call(of=names[each], into=names[each + 1]) for each in range(calls)]
    return model(body, [with_default(function("f", nodes), table=table)])


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (of_domain("", "Relu"), "'Relu' lies in 'ai.onnx'"),
        (of_domain("com.microsoft", "Gelu"), "'Gelu' lies in 'com.microsoft'"),
        (model([call()], [function("f", [node("Neg", ["v"], ["w"])])] * 2), "two functions 'f'"),
        (chain_of_calls(DEEPEST_CALLS + 1), f"more than {DEEPEST_CALLS} deep"),
        (chain_of_calls(3000), f"more than {DEEPEST_CALLS} deep"),
        (model([call()], [function("f", [call("f", "w", "v")])]), "'f' calls itself"),
        (large_default(3000), "bytes with its functions expanded"),
    ],
)  # fmt: skip
def test_functions_that_cannot_be_told_or_had_are_refused_by_name(refused: onnx.ModelProto, says: str) -> None:
    with pytest.raises(InvalidModel, match=says):
        parse_model(refused.SerializeToString())


def test_functions_call_each_other_as_deep_as_they_may() -> None:
    assert len(parse_model(chain_of_calls(DEEPEST_CALLS).SerializeToString()).graph.node) == 1
