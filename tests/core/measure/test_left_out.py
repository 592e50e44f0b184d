"""Claims about tensors that cannot be compared: left out with a reason, and the rest is audited."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.errors import ShapeVaries
from dropaudit.plan import Provider
from dropaudit.runtime.replicates import ReseededSampler, Tile, stacked
from dropaudit.runtime.session import Tensors
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Inputs
from support.graphs import CHAIN, model

RATES = "float r = {0.5}, bool t = {1}, float q = {0.7}"
DROP = "d = Dropout(x, r, t)"


def report_of(
    outputs: str, body: str, constants: str = RATES, inputs: str = "float[N,64] x", fed: Inputs | None = None
) -> Report:
    content = model(f"g ({inputs}) => ({outputs}) <{constants}> {{ {body} }}")
    return audit(ArtifactSubject(content, Role.TRAIN, fed), Plan(provider=Provider.CPU, max_replicates=512))


def unmeasured(report: Report) -> dict[str, str]:
    """Return what was not measured, and why."""
    found = (each for each in report.findings if each.code == "DA901" and "not measured: " in each.message)
    return {each.subject: each.message.rpartition("not measured: ")[2].rstrip(".") for each in found}


def test_an_output_that_lists_what_was_kept_is_left_out_and_the_site_is_measured_all_the_same() -> None:
    listing = "n = NonZero(d)  i = Transpose(n)  kept = GatherND(d, i)  y = Identity(d)"
    report = report_of("float[N,64] y, float[k] kept", f"{DROP}  {listing}")
    assert list(unmeasured(report)) == ["kept"]
    assert "its shape " in unmeasured(report)["kept"]
    assert [output.name for output in report.outputs] == ["y"]
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.keep_prob.lower < 0.5 < site.keep_prob.upper
    assert report.verdict.value == "INCONCLUSIVE"


def test_an_output_whose_shape_is_the_same_in_most_runs_is_left_out_when_it_first_differs() -> None:
    # The mean of eight sums over 64 elements scatters about 64 with 2.8: it has an element below 71, seldom none.
    rare = (
        "s = ReduceSum<keepdims = 0>(d, one)  a = ReduceMean<keepdims = 0>(s)  b = Less(a, limit)"
        "  c = Reshape(b, shape)  e = Reshape(a, shape)  few = Compress<axis = 0>(e, c)  y = Identity(d)"
    )
    constants = f"{RATES}, int64[1] one = {{1}}, float limit = {{71}}, int64[1] shape = {{1}}"
    ones = {"x": np.ones((8, 64), np.float32)}
    report = report_of("float[N,64] y, float[k] few", f"{DROP}  {rare}", constants, fed=ones)
    assert list(unmeasured(report)) == ["few"]
    assert "differs from run to run: (" in unmeasured(report)["few"]
    assert report.sites[0].keep_prob is not None


def test_a_site_on_a_list_of_another_length_in_each_run_is_left_out_with_its_output() -> None:
    body = f"{DROP}  n = NonZero(d)  i = Transpose(n)  kept = GatherND(d, i)  z = Dropout(kept, r, t)  y = Identity(d)"
    report = report_of("float[N,64] y, float[k] z", body)
    assert {site.name for site in report.sites if site.keep_prob is None} <= unmeasured(report).keys()
    assert "z" in unmeasured(report)
    assert [output.name for output in report.outputs] == ["y"]


@pytest.mark.parametrize("data", ["a = ReduceMean<keepdims = 0>(x)", "a = ReduceMean<axes = [1]>(x)"])
def test_data_that_is_broadcast_to_a_larger_mask_keeps_its_shape_where_the_site_is_bypassed(data: str) -> None:
    body = f"{CHAIN.format(x='x')}  {data}  d = Mul(a, m)  s = Div(d, q)  w = Mul(s, two)  y = Flatten<axis = 1>(w)"
    fed = {"x": np.ones((8, 64), np.float32)}
    report = report_of("float[N,64] y", body, f"{RATES}, float two = {{2.0}}", fed=fed)
    assert report.verdict.value == "PASS"
    (output,) = report.outputs
    assert output.shape == (8, 64)
    assert output.scale_factor is not None
    assert output.scale_factor.estimate == pytest.approx(1, abs=0.02)


def test_an_input_with_an_axis_of_extent_zero_is_fed_so_and_its_output_is_called_untestable() -> None:
    report = report_of(
        "float[N,0] y, float[N,64] z",
        "y = Dropout(w, r, t)  z = Dropout(x, r, t)",
        inputs="float[N,64] x, float[N,0] w",
    )
    assert [each.shape for each in report.execution.inputs] == [(8, 64), (8, 0)]
    assert unmeasured(report)["y"] == "it has no elements"
    assert len(unmeasured(report)) == 2
    assert [output.name for output in report.outputs] == ["z"]


def test_a_loop_of_no_steps_is_audited_without_what_lies_in_it() -> None:
    body = (
        "y = Dropout(x, r, t)  z = Loop(none, t, x) "
        "<body = b (int64 i, bool c, float[?,?] s) => (bool e, float[?,?] v) "
        "{ e = Identity(c)  u = RandomUniformLike(s)  l = Less(u, q)  m = Cast<to = 1>(l)  v = Mul(s, m) }>"
    )
    report = report_of("float[N,64] y, float[?,?] z", body, f"{RATES}, int64 none = {{0}}")
    outside, inside = report.sites
    assert outside.keep_prob is not None
    assert inside.path
    assert unmeasured(report)[inside.name] == "it has no elements"


def test_the_mask_of_a_dropout_is_still_returned_where_several_are_kept_apart() -> None:
    body = "n = RandomNormalLike(x)  a, k = Dropout(x, r, t)  b, l = Dropout(x, r, t)  s = Add(a, b)  y = Add(s, n)"
    report = report_of("float[N,64] y, bool[N,64] k, bool[N,64] l", body)
    assert all(site.keep_prob is not None for site in report.sites)


class Growing:
    """Returns a row of one more number in each run."""

    def __init__(self) -> None:
        self._runs = 0

    def run(self, feeds: Tensors, names: tuple[str, ...]) -> Tensors:
        self._runs += 1
        return {name: np.zeros(self._runs) for name in names}


def test_runs_of_other_shapes_are_refused_by_the_name_of_the_tensor_and_both_shapes() -> None:
    with pytest.raises(ShapeVaries, match=r"tensor 'y' .* run to run: \(1,\) and \(2,\)") as refused:
        list(ReseededSampler(Growing(), {}).pieces(4, ("y",), lambda _, draws: draws))  # type: ignore[arg-type]
    assert refused.value.facts == {"tensor": "y"}
    with pytest.raises(ShapeVaries):
        stacked("y", [np.zeros(3), np.zeros((1, 3))])


def test_a_piece_of_replicates_side_by_side_must_have_their_shape() -> None:
    tile = Tile({"x": np.zeros((2, 3))}, {"x": 0}, {"y": 0}, shapes={"y": (2, 3)})
    assert tile.split({"y": np.zeros((8, 3))}, ("y",), 4)["y"].shape == (4, 2, 3)
    for other in ((7, 3), (12, 3), (8, 4), (8,)):
        with pytest.raises(ShapeVaries):
            tile.split({"y": np.zeros(other)}, ("y",), 4)


def test_shapes_that_do_not_broadcast_do_not_agree() -> None:
    assert not agree(np.zeros(4), np.zeros(5), 1.0)
    assert not agree(np.zeros((2, 3)), np.zeros((3, 2)), 1.0)
    assert agree(np.ones((1, 3)), np.ones((4, 3)), 1e-5)
