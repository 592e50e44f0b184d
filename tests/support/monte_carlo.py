"""A Monte-Carlo in plain numpy to hold an audit against, and the graphs that both are about.

It knows neither the runtime nor the audit's statistics. Two estimates of one number may differ by what their own errors
allow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from support.definitions import LSTM, Floats, mask, random_lstm
from support.graphs import HEADER

STEPS, BATCH, INPUTS, UNITS = 5, 4, 3, 6
REPLICATES = 8000
STANDARD_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """The result of a Monte Carlo simulation.

    Attributes:
        train: replicates of the output, shape (replicates, …).
        inference: the output without masks.
        kept: mask cells kept, of `cells`; None where nothing is zeroed.
        scale: factor on what is kept; None where it is not one number.
    """

    train: Floats
    inference: Floats
    kept: int | None = None
    cells: int = 0
    scale: float | None = None

    @property
    def scale_factors(self) -> Floats:
        """<y_t, y> / <y, y> of every replicate."""
        y = self.inference.ravel()
        return np.asarray(self.train.reshape(len(self.train), -1) @ y / (y @ y))


@dataclass(frozen=True, slots=True)
class Model:
    """A graph and its definition.

    Attributes:
        content: the ONNX file; reads x (time, batch, inputs).
        simulate: draws replicates for x by the definition.
        linear: whether only linear operators follow the mask.
    """

    content: bytes
    simulate: Callable[[np.random.Generator, Floats], Sample]
    linear: bool


def graph(body: str, tensors: dict[str, Floats], units: int = UNITS) -> bytes:
    """Return x -> y by a body of nodes, with float32 initializers beside a drop rate r and switch t."""
    constants = "float r = {0.3}, bool t = {1}, float q = {0.7}, float one = {1.0}, int64[1] forward = {1}"
    signature = f"(float[{STEPS},N,{INPUTS}] x) => (float[{STEPS},N,{units}] y)"
    model = parser.parse_model(f"{HEADER} g {signature} <{constants}> {{ {body} }}")
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in tensors.items()
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


Q = 0.7
DENSE = 0.6 * np.random.default_rng(10).standard_normal((INPUTS, UNITS)).astype(np.float32).astype(np.float64)
FIRST, SECOND = random_lstm(INPUTS, UNITS, 11), random_lstm(UNITS, UNITS, 12)


def weights(layer: LSTM, name: str) -> dict[str, Floats]:
    """Return W, R and B as the operator wants them, the recurrent bias being zero."""
    bias = np.concatenate([layer.b, np.zeros_like(layer.b)])
    return {f"{name}w": layer.w[None], f"{name}r": layer.r[None], f"{name}b": bias[None]}


def lstm(source: str, name: str, result: str, recurrent: str | None = None) -> str:
    """Return nodes that run a layer over `source` and give (time, batch, units)."""
    r = recurrent or f"{name}r"
    layer = f"{result}4 = LSTM<hidden_size = {UNITS}>({source}, {name}w, {r}, {name}b)"
    return f"{layer}  {result} = Squeeze({result}4, forward)  "


def chain(source: str, result: str, draw: str = "RandomUniformLike", shape: str = "", *, scale: str = "q") -> str:
    """Return nodes that keep `source` where a draw is below q, and divide by `scale`."""
    drawn = f"{draw}{shape}({'' if shape else source})"
    return (
        f"u{result} = {drawn}  b{result} = Less(u{result}, q)  m{result} = Cast<to = 1>(b{result})"
        f"  s{result} = Div(m{result}, {scale})  {result} = Mul({source}, s{result})  "
    )


def dropped(rng: np.random.Generator, value: Floats, factor: float = 1 / Q, shared: tuple[int, ...] = ()) -> Sample:
    """Mask one value REPLICATES times; the mask is shared over axes of the value."""
    cells = tuple(1 if axis in shared else size for axis, size in enumerate(value.shape))
    drawn = mask(rng, (REPLICATES, *cells), Q)
    return Sample(value * drawn * factor, value, int(drawn.sum()), drawn.size, factor)


def through(sample: Sample, function: Callable[[Floats], Floats]) -> Sample:
    """Apply what follows the mask, in both modes."""
    return Sample(function(sample.train), function(sample.inference), sample.kept, sample.cells, sample.scale)


def data() -> Floats:
    drawn = np.random.default_rng(13).standard_normal((STEPS, BATCH, INPUTS))
    return np.asarray(drawn.astype(np.float32), np.float64)


def audited(model: Model) -> Report:
    subject = ArtifactSubject(model.content, Role.TRAIN, {"x": data().astype(np.float32)})
    return audit(subject, Plan(provider=Provider.CPU, seed=1))


def check_keep_rate_and_scale(report: Report, sample: Sample) -> None:
    (site,) = report.sites
    assert site.keep_prob is not None
    assert sample.kept is not None
    share = sample.kept / sample.cells
    # The sequence is wider than a standard error, so the sample's own error is all that has to be added.
    room = STANDARD_ERRORS * np.sqrt(share * (1 - share) / sample.cells)
    assert site.keep_prob.lower - room <= share <= site.keep_prob.upper + room
    assert site.scale is not None
    assert [site.scale.min, site.scale.median, site.scale.max] == pytest.approx([sample.scale] * 3, rel=1e-5)


def check_scale_factor(report: Report, sample: Sample) -> None:
    factor = report.outputs[0].scale_factor
    assert factor is not None
    drawn = sample.scale_factors
    room = STANDARD_ERRORS * drawn.std() / np.sqrt(len(drawn))
    assert factor.lower - room <= drawn.mean() <= factor.upper + room
