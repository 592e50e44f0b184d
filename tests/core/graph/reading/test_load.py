"""Claims about what is the same in files that are written differently."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.reading.load import parse_model
from dropaudit.plan import Provider
from dropaudit_models.specimens.situations.words import graph


def named(nodes: str, imported: str) -> bytes:
    """Return x -> Tanh -> Dropout -> y with these domains for its nodes and for the operators that it imports."""
    model = graph("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)", r=0.3, t=True)
    for node in model.graph.node:
        node.domain = nodes
    model.opset_import[0].domain = imported
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("nodes", ["", "ai.onnx"])
@pytest.mark.parametrize("imported", ["", "ai.onnx"])
def test_both_names_of_the_standards_domain_are_one(nodes: str, imported: str) -> None:
    content = named(nodes, imported)
    assert parse_model(content) == parse_model(named("", ""))
    report = audit(ArtifactSubject(content, Role.INFERENCE), Plan(provider=Provider.CPU))
    assert "DA103" in {finding.code for finding in report.findings}
