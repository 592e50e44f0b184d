"""Claims about where an audit is made, and what its report says of it."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.facts.compute_estimate import Work, work_of
from dropaudit.measure.case import read
from dropaudit.measure.cases.device_choice import sooner
from dropaudit.plan import Provider
from dropaudit.runtime.device_costs import predicted
from dropaudit.runtime.provider import Device
from dropaudit_models.lstm.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import build
from support.graphs import dense, model

GPU = Device(Provider.CUDA, ("CUDAExecutionProvider",), "a GPU")
CPU = Device(Provider.CPU, ("CPUExecutionProvider",), "a CPU")
SMALL = Work(operators=5, products=5e6, elements=40_000)
LARGE = Work(operators=5, products=1e10, elements=17_000_000)


def test_a_small_model_is_placed_on_the_cores_and_a_large_one_on_the_device() -> None:
    assert sooner(SMALL, GPU, CPU, 16).places == (CPU, GPU)
    assert sooner(LARGE, GPU, CPU, 16).places == (GPU, CPU)


def test_fewer_cores_leave_more_to_the_device() -> None:
    between = Work(operators=5, products=1.5e7, elements=70_000)
    assert sooner(between, GPU, CPU, 16).places[0] is CPU
    assert sooner(between, GPU, CPU, 1).places[0] is GPU
    assert predicted(between, 16)[Provider.CUDA] == predicted(between, 1)[Provider.CUDA]


def test_the_reason_tells_both_predictions() -> None:
    assert sooner(SMALL, GPU, CPU, 2).reason == "predicted to take 0.089 s on 2 cores and 0.066 s on CUDA"


def test_what_is_asked_for_is_what_the_report_says() -> None:
    content = dense("y = Dropout(x, r, t)")
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=64))
    assert (report.execution.provider, report.execution.placement) == ("cpu", "asked for")
    assert report.execution.device_memory_bytes == 0


def test_products_of_a_recurrence_are_counted_by_steps_batch_and_gates() -> None:
    layer = Layer(10, Wrapper(output_keep_prob=0.5))
    model = build(LSTMSpec(layers=(layer,), input_size=3))
    work = work_of(read(model.SerializeToString()).proto, {"x": (5, 7, 3)})
    assert work.products == 5 * 7 * 4 * 10 * (3 + 10)


@pytest.mark.parametrize(("body", "products"), [("y = MatMul(x, w)", 8 * 16 * 16), ("y = Tanh(x)", 0)])
def test_products_of_a_matrix_are_counted_by_its_extents(body: str, products: int) -> None:
    numbers = ", ".join(["1"] * 256)
    content = dense(body, columns=16, extra=f", float[16,16] w = {{{numbers}}}")
    assert work_of(read(content).proto, {"x": (8, 16)}).products == products


def test_the_report_says_why_replicates_are_drawn_one_by_one() -> None:
    old = model(
        "g (float[N,16] x) => (float[N,16] y) <float q = {0.7}>"
        "{ n = Softmax(x)  u = RandomUniform<shape = [1, 16]>()  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(n, m) }",
        '<ir_version: 5, opset_import: ["" : 10]>',
    )
    report = audit(ArtifactSubject(old, Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=64))
    assert report.execution.sampling == "reseeded"
    assert report.execution.sampling_reason == (
        "no axis of the inputs was found along which entries have masks and answers of their own; a loop wants "
        "operator set 11, no Dropout in a body, and none with the seed of another operator"
    )
    tiled = audit(ArtifactSubject(dense("y = Dropout(x, r, t)"), Role.TRAIN), Plan(provider=Provider.CPU))
    assert tiled.execution.sampling_reason == ""
