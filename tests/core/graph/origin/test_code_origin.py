"""Claims about where in the user's code a site comes from, as PyTorch's newer exporter writes it down."""

from __future__ import annotations

import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.origin.torch_export import CodeOrigin, code_origin
from dropaudit.measure.cases.inspect import inspect_model
from dropaudit.plan import Provider
from support.graphs import CHAIN, dense

# As torch 2.x writes them.
SCOPES = "['', 'encoder', 'encoder.layers.1', 'encoder.layers.1.dropout', 'dropout_1']"
TRACE = (
    'File "/home/me/project/model.py", line 17, in forward\n    h = self.encoder(x)\n'
    '  File "/home/me/project/layers.py", line 42, in forward\n    return self.dropout(x)\n'
    '  File "/opt/python/site-packages/torch/nn/modules/dropout.py", line 73, in forward\n    return F.dropout(input)'
)


def node(**metadata: str) -> onnx.NodeProto:
    found = onnx.helper.make_node("Dropout", ["x"], ["y"])
    for key, value in metadata.items():
        found.metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    return found


def test_the_last_scope_but_the_operation_is_the_module_and_the_innermost_own_frame_the_line() -> None:
    assert code_origin([node(name_scopes=SCOPES, stack_trace=TRACE)]) == CodeOrigin(
        "encoder.layers.1.dropout", "layers.py:42"
    )


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, CodeOrigin()),
        ({"name_scopes": "['', 'lt']"}, CodeOrigin()),
        ({"name_scopes": "['', 'drop', 'dropout']"}, CodeOrigin("drop")),
        ({"name_scopes": "no list"}, CodeOrigin()),
        ({"name_scopes": "[1, 2, 3]"}, CodeOrigin()),
        ({"name_scopes": "(" * 500}, CodeOrigin()),
        ({"stack_trace": 'File "C:\\me\\net.py", line 9, in forward'}, CodeOrigin("", "net.py:9")),
        ({"stack_trace": 'File "/x/site-packages/lib/net.py", line 9, in forward'}, CodeOrigin()),
        ({"stack_trace": "something else"}, CodeOrigin()),
    ],
)
def test_what_is_not_written_down_stays_empty(metadata: dict[str, str], expected: CodeOrigin) -> None:
    assert code_origin([node(**metadata)]) == expected


def test_the_nearest_node_that_says_something_has_the_word() -> None:
    assert code_origin([node(), node(name_scopes="['', 'drop', 'd']")]).module == "drop"


@pytest.mark.parametrize(
    ("body", "operator"),
    [("y = Dropout(x, r, t)", "Dropout"), (f"{CHAIN.format(x='x')}  s = Div(m, q)  y = Mul(x, s)", "Mul")],
    ids=["operator", "chain"],
)
def test_report_and_inspection_name_module_and_line_beside_the_node(body: str, operator: str) -> None:
    model = onnx.load_from_string(dense(body))
    applied = next(each for each in model.graph.node if each.op_type == operator)
    applied.metadata_props.extend(node(name_scopes=SCOPES, stack_trace=TRACE).metadata_props)
    content = model.SerializeToString()
    (site,) = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU)).sites
    (inspected,) = inspect_model(content)
    for found in (site, inspected):
        assert (found.module, found.location) == ("encoder.layers.1.dropout", "layers.py:42")
