"""Specimens that are audited many times: small graphs, reference models, LSTMs, situations and spellings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from onnx import parser

from dropaudit.findings import CATALOGUE
from dropaudit.report import Severity, Verdict
from dropaudit_evaluation.calibration.trials import Trial, labelled_trial
from dropaudit_evaluation.labels import Label, parse_labels
from dropaudit_evaluation.spellings.generate import spelling
from dropaudit_models import ReferenceModel, reference_models
from dropaudit_models.specimens import KINDS, Kind, Setting, Specimen, settings_of
from dropaudit_models.specimens.situations import SITUATIONS, Situation

KEEP_PROBS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.95)
# At one half a rate and its complement are one number.
FAULTY_KEEP_PROBS = (0.2, 0.7, 0.95)
SCALE_ERROR = 1.05
RATE_ERROR = 0.02
_COLUMNS = 16
_REMOVED = frozenset({"DA102"})
_SPELLING_SEED = 0


def healthy_graphs() -> tuple[Trial, ...]:
    """Return inverted dropout as an operator and as a chain, on an input and inside, and before a tanh."""
    return tuple(trial for q in KEEP_PROBS for trial in _healthy(q))


def _healthy(q: float) -> tuple[Trial, ...]:
    inside = f"h = Relu(x)  {_operator(1 - q, 'd')}  y = Neg(d)"
    return (
        Trial(name="operator at the output", model=_graph(f"h = Neg(x)  {_operator(1 - q, 'y')}")),
        Trial(name="operator inside", model=_graph(inside), codes=_REMOVED),
        Trial(name="operator, declared", model=_graph(f"h = Neg(x)  {_operator(1 - q, 'y')}"), keep_prob=q),
        Trial(name="chain inside", model=_graph(f"h = Relu(x)  {_chain(q, 1 / q)}  y = Neg(d)")),
        Trial(name="chain on one unit", model=_graph(f"h = Neg(x)  {_chain(q, 1 / q)}  y = Neg(d)", columns=1)),
        Trial(
            name="operator before tanh",
            model=_graph(f"h = Relu(x)  {_operator(1 - q, 'd')}  y = Tanh(d)"),
            codes=_REMOVED,
        ),
        Trial(
            name="paper's form, pair",
            model=_graph(f"h = Relu(x)  {_chain(q, 1.0)}  y = Neg(d)"),
            inference=_graph(f"h = Relu(x)  k = Constant<value = float {{{q!r}}}>()  d = Mul(h, k)  y = Neg(d)"),
        ),
    )


def faulty_graphs() -> tuple[Trial, ...]:
    """Return scale faults, down to 5 %, and rate faults, down to 0.02."""
    return tuple(trial for q in FAULTY_KEEP_PROBS for trial in _faulty(q))


def _faulty(q: float) -> tuple[Trial, ...]:
    def scaled(name: str, factor: float, code: str) -> Trial:
        model = _graph(f"h = Relu(x)  {_chain(q, factor)}  y = Neg(d)")
        shifted = frozenset({"DA305"})
        return Trial(name=name, model=model, codes=frozenset({code}), allowed=shifted, healthy=False)

    def rated(name: str, drop_rate: float, code: str) -> Trial:
        model = _graph(f"h = Neg(x)  {_operator(drop_rate, 'y')}")
        return Trial(name=name, model=model, keep_prob=q, codes=frozenset({code}), healthy=False)

    return (
        scaled("scale missing", 1.0, "DA301"),
        scaled("scale doubled", 1 / q**2, "DA302"),
        scaled("scale swapped", 1 / (1 - q), "DA202"),
        scaled("scale 5 % too large", SCALE_ERROR / q, "DA303"),
        scaled("scale 5 % too small", 1 / SCALE_ERROR / q, "DA303"),
        rated("keep rate 0.02 too small", 1 - q + RATE_ERROR, "DA201"),
        rated("keep rate 0.02 too large", 1 - q - RATE_ERROR, "DA201"),
        rated("keep and drop exchanged", q, "DA202"),
    )


def reference_trials() -> tuple[Trial, ...]:
    """Return the reference models as trials."""
    return tuple(reference_trial(model) for model in reference_models())


def reference_trial(model: ReferenceModel) -> Trial:
    """Return a reference model as a trial: it is faulty when it must raise an ERROR."""
    severe = any(CATALOGUE[code].severity is Severity.ERROR for code in model.findings)
    return Trial(
        name=model.name,
        model=model.build().SerializeToString(),
        role=model.role,
        codes=model.findings,
        healthy=not severe,
    )


def kind_trials(settings: int) -> tuple[Trial, ...]:
    """Return LSTMs of every kind that `dropaudit_models.specimens` has, at up to `settings` of its settings each."""
    return tuple(_labelled(kind.specimen(setting)) for kind in KINDS for setting in _spread(kind, settings))


def situation_trials() -> tuple[Trial, ...]:
    """Return the healthy situations that can be decided, named after what makes them difficult."""
    healthy = (situation for situation in SITUATIONS if situation.healthy and situation.error is None)
    return tuple(_situation_trial(each) for each in healthy if _can_be_decided(each.answer.verdicts))


def _situation_trial(situation: Situation) -> Trial:
    inference = None if situation.inference is None else situation.inference.SerializeToString()
    row = _label(situation.row(), situation.name)
    name = f"situation: {situation.difficulty}"
    return replace(labelled_trial(name, row, situation.model.SerializeToString(), inference), healthy=True)


def spelling_trials(number: int) -> tuple[Trial, ...]:
    """Return what is healthy, can be decided and is given any data among so many spellings of one seed."""
    drawn = (spelling(_SPELLING_SEED, each) for each in range(number))
    trials = (
        labelled_trial("spelling", each.label, each.model, each.inference)
        for each in drawn
        if each.inputs is None and _can_be_decided(each.label.verdict)
    )
    return tuple(trial for trial in trials if trial.healthy)


def _can_be_decided(verdicts: Sequence[Verdict]) -> bool:
    return Verdict.INCONCLUSIVE not in verdicts


def _spread(kind: Kind, most: int) -> list[Setting]:
    """Take settings at equal distances: places, spellings and keep probabilities follow each other in the list."""
    every = settings_of(kind)
    return (
        [every[len(every) * (2 * place + 1) // (2 * most)] for place in range(most)] if len(every) > most else [*every]
    )


def _labelled(specimen: Specimen) -> Trial:
    row = _label(specimen.row(), specimen.name)
    inference = specimen.inference_model()
    content = None if inference is None else inference.SerializeToString()
    trial = labelled_trial(specimen.kind.name, row, specimen.model().SerializeToString(), content)
    return replace(trial, healthy=specimen.kind.healthy)


def _label(row: Mapping[str, Any], name: str) -> Label:
    (label,) = parse_labels(msgspec.json.encode([row]), name)
    return label


def _operator(drop_rate: float, result: str) -> str:
    """Return h -> `result` by the operator."""
    return f"r = Constant<value = float {{{drop_rate!r}}}>()  {result} = Dropout(h, r, t)"


def _chain(threshold: float, factor: float) -> str:
    """Return h -> d: keep below the threshold of a uniform draw, and multiply by the factor."""
    return (
        f"q = Constant<value = float {{{threshold!r}}}>()  f = Constant<value = float {{{factor!r}}}>()"
        "  u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)  s = Mul(m, f)  d = Mul(h, s)"
    )


def _graph(body: str, columns: int = _COLUMNS) -> bytes:
    text = (
        '<ir_version: 8, opset_import: ["" : 17]>'
        f"g (float[N,{columns}] x) => (float[N,{columns}] y) <bool t = {{1}}> {{ {body} }}"
    )
    content: bytes = parser.parse_model(text).SerializeToString()
    return content
