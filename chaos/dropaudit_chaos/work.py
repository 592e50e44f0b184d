"""The audits that are asked for while things break: small, and each with a report that a calm run can make again."""

from __future__ import annotations

from dataclasses import dataclass

import onnx.parser

from dropaudit.plan import Plan, Provider, Role
from dropaudit_client import AuditClient
from dropaudit_client.resources import ArtifactRef

_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
_BODY = """g (float[N,{width}] x) => (float[N,{width}] y) <float r = {{{rate}}}, bool t = {{1}}> {{
    {start} = Mul(x, x)  d = Dropout({start}, r, t)  y = {last}(d)
}}"""
# A tolerance that so few replicates never decide: these take long enough to be killed in the middle.
_LONG = {"tolerance": 1e-6, "max_replicates": 6000}
_LONG_EVERY = 4


@dataclass(frozen=True, slots=True)
class AuditKind:
    """One of the audits that are asked for again and again."""

    subject: ArtifactRef
    plan: Plan


def models() -> list[bytes]:
    """Return a few small models, healthy and faulty."""
    texts = [
        _BODY.format(width=width, rate=rate, start="h", last=last)
        for width, rate, last in ((4, 0.5, "Identity"), (16, 0.2, "Relu"), (64, 0.3, "Neg"), (128, 0.9, "Identity"))
    ]
    return [onnx.parser.parse_model(f"{_HEADER}\n{text}").SerializeToString() for text in texts]


def many_models(count: int) -> list[bytes]:
    """Return so many models, of other widths and rates each."""
    texts = [
        _BODY.format(width=8 + 2 * number, rate=0.2 + 0.01 * (number % 50), start="h", last="Identity")
        for number in range(count)
    ]
    return [onnx.parser.parse_model(f"{_HEADER}\n{text}").SerializeToString() for text in texts]


def kinds(client: AuditClient, count: int) -> list[AuditKind]:
    """Upload the models, and return what can be asked for: each kind has a seed of its own."""
    stored = [client.upload_model(content).name for content in models()]
    return [_kind(stored, number) for number in range(count)]


def _kind(stored: list[str], number: int) -> AuditKind:
    subject = ArtifactRef(stored[number % len(stored)], Role.TRAIN)
    if number % _LONG_EVERY == 0:
        return AuditKind(subject, Plan(seed=number, provider=Provider.CPU, **_LONG))  # type: ignore[arg-type]
    return AuditKind(subject, Plan(seed=number, provider=Provider.CPU, max_replicates=256))
