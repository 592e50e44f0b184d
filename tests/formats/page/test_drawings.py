"""Claims about the drawings of the page: what they show lies where its numbers are."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from dropaudit.report import Attribution, Excerpt, Histogram, Interval, Operator, Scale, Surroundings, Trajectory
from dropaudit_formats.page import axes
from dropaudit_formats.page.bars import gap_bars, strongest, variance_bars
from dropaudit_formats.page.graph import graph
from dropaudit_formats.page.heat import heat
from dropaudit_formats.page.narrowing import Expected, narrowing
from dropaudit_formats.page.profile import profile
from dropaudit_formats.page.survivors import survivors_of_factor, survivors_of_histogram
from dropaudit_formats.page.svg import WIDTH

HALF = Interval(estimate=0.5, lower=0.4, upper=0.6)
BROKEN = [math.nan, math.inf, -math.inf]


def tree(drawn: Markup | None) -> ElementTree.Element:
    assert drawn is not None
    return ElementTree.fromstring(drawn)


def of_class(drawn: Markup | None, name: str) -> list[ElementTree.Element]:
    return [each for each in tree(drawn).iter() if each.get("class") == name]


def words(drawn: Markup | None) -> list[str]:
    return [each.text or "" for each in tree(drawn).iter("text")]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.5, 1]),
        (0.47, 0.53, [0.48, 0.5, 0.52]),
        (-8.3, 9.1, [-5, 0, 5]),
        (0, 100, [0, 50, 100]),
        (1, 1, []),
        (math.nan, 1, []),
        (0, math.inf, []),
    ],
)
def test_the_numbers_of_an_axis_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert axes.ticks(low, high, 4) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (0.5, "0.5"), (65536, "65,536"), (1 / 3, "0.3333"), (-2, "-2"), (1e9, "1e+09")]
)
def test_numbers_are_written_with_sensible_digits(value: float, told: str) -> None:
    assert axes.label(value) == told


def trajectory(*widths: float) -> Trajectory:
    return Trajectory(
        replicates=tuple(100 * 2**look for look in range(len(widths))),
        lower=tuple(0.5 - width for width in widths),
        estimate=tuple(0.5 for _ in widths),
        upper=tuple(0.5 + width for width in widths),
    )


def points(path: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = path.attrib["d"].strip("MZ").split("L")
    return [(float(x), float(y)) for x, y in (pair.split() for pair in pairs)]


def test_a_band_narrows_from_look_to_look_around_the_line_that_is_expected() -> None:
    drawn = narrowing(HALF, trajectory(0.3, 0.2, 0.1), Expected(0.5, 0.005), "keep probability")
    (band,), (line,) = of_class(drawn, "band"), of_class(drawn, "expected")
    edge = points(band)
    upper, lower = edge[:3], edge[:2:-1]
    heights = [low[1] - high[1] for high, low in zip(upper, lower, strict=True)]
    assert heights == pytest.approx([heights[2] * 3, heights[2] * 2, heights[2]], abs=0.3)
    middle = (upper[2][1] + lower[2][1]) / 2
    assert float(line.attrib["y1"]) == pytest.approx(middle, abs=0.1)
    assert {"100", "400", "keep probability", "replicates drawn", "expected 0.5"} <= set(words(drawn))


def inside(text: ElementTree.Element) -> bool:
    """Whether a text of 11 pixels lies within its drawing, by the width of its letters."""
    x, width = float(text.attrib["x"]), 5.6 * len(text.text or "")
    start = {"end": x - width, "middle": x - width / 2}.get(text.get("text-anchor", ""), x)
    return -1 <= start <= start + width <= WIDTH + 1


@pytest.mark.parametrize("first", [2, 96, 50_000, 1_000_000])
def test_no_number_of_an_axis_is_cut_at_an_edge(first: int) -> None:
    looks = Trajectory(replicates=(first, 9 * first), lower=(0.1, 0.2), estimate=(0.5, 0.5), upper=(0.9, 0.8))
    steps = [1.0, 2.0] * min(first, 50_000)
    for drawn in (narrowing(HALF, looks, None, "q"), profile(steps, 0.1)):
        assert all(map(inside, tree(drawn).iter("text")))


def test_the_first_wide_looks_do_not_flatten_the_last_ones() -> None:
    drawn = narrowing(HALF, trajectory(50.0, 10.0, 0.1), None, "scale factor")
    upper = points(of_class(drawn, "band")[0])[:3]
    lower = points(of_class(drawn, "band")[0])[:2:-1]
    assert lower[2][1] - upper[2][1] > 10


def test_an_interval_alone_lies_on_an_axis_from_0_to_1() -> None:
    drawn = narrowing(Interval(estimate=0.5, lower=0.25, upper=0.75), None, Expected(0.5), "keep probability")
    (band,), (dot,), (line,) = of_class(drawn, "band"), of_class(drawn, "dot"), of_class(drawn, "expected")
    assert float(dot.attrib["cx"]) == float(line.attrib["x1"]) == pytest.approx((46 + WIDTH - 10) / 2)
    assert float(band.attrib["width"]) == pytest.approx((WIDTH - 56) / 2)


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_not_finite_is_not_drawn(broken: float) -> None:
    interval = Interval(estimate=broken, lower=0.0, upper=1.0)
    assert narrowing(interval, None, None, "q") is None
    assert narrowing(HALF, trajectory(0.2, broken), None, "q") is None
    assert survivors_of_histogram(Histogram(edges=(0.0, broken), counts=(1,)), []) is None
    assert survivors_of_factor(HALF, Scale(min=0, median=broken, max=0)) is None
    assert profile([1.0, broken], 0.02) is None
    effect = Attribution(site="s", mean_gap_alone=broken, mean_gap_without=0, variance_alone=broken, variance_without=0)
    assert gap_bars([effect]) is None
    assert variance_bars([effect]) is None


@pytest.mark.parametrize(
    "cut",
    [
        Trajectory(replicates=(1, 2), lower=(0.1,), estimate=(0.2, 0.2), upper=(0.3, 0.3)),
        Trajectory(replicates=(0, 0), lower=(0.1, 0.1), estimate=(0.2, 0.2), upper=(0.3, 0.3)),
        Trajectory(replicates=(), lower=(), estimate=(), upper=()),
    ],
)
def test_a_trajectory_that_does_not_fit_is_drawn_as_its_interval(cut: Trajectory) -> None:
    assert words(narrowing(HALF, cut, None, "q")) == words(narrowing(HALF, None, None, "q"))


def test_survivors_stand_where_their_ratio_is_and_dropped_elements_at_zero() -> None:
    histogram = Histogram(edges=(-0.5, 0.5, 1.5, 2.5), counts=(50, 0, 50), below=3, above=0)
    drawn = survivors_of_histogram(histogram, [2.0])
    (dropped,), (kept,) = of_class(drawn, "dropped"), of_class(drawn, "kept")
    marks = [float(line.attrib["x1"]) for line in of_class(drawn, "expected")]
    assert float(dropped.attrib["x"]) == 46
    assert float(kept.attrib["x"]) < marks[1] < float(kept.attrib["x"]) + float(kept.attrib["width"])
    assert {"1", "1/q = 2", "← 2.9% outside"} <= set(words(drawn))


def test_where_nothing_was_dropped_no_bar_says_so() -> None:
    histogram = Histogram(edges=(-1.0, 1.0, 3.0), counts=(5, 5))
    assert of_class(survivors_of_histogram(histogram, [], has_dropped=False), "dropped") == []


@pytest.mark.parametrize(("edges", "counts"), [((0.0, 1.0), (0,)), ((), ()), ((1.0,), (4,))])
def test_of_no_counts_there_is_no_drawing(edges: tuple[float, ...], counts: tuple[int, ...]) -> None:
    assert survivors_of_histogram(Histogram(edges=edges, counts=counts), []) is None


def test_one_factor_is_two_bars() -> None:
    drawn = survivors_of_factor(
        Interval(estimate=0.75, lower=0.7, upper=0.8), Scale(min=2, median=2, max=2, expected=2)
    )
    (dropped,), (kept,) = of_class(drawn, "dropped"), of_class(drawn, "kept")
    assert float(kept.attrib["height"]) == pytest.approx(3 * float(dropped.attrib["height"]), rel=0.02)


def test_a_profile_lies_around_the_line_that_is_expected() -> None:
    drawn = profile([1.0, 1.5, 1.0], 0.02)
    (curve,), (line,) = of_class(drawn, "curve"), of_class(drawn, "expected")
    heights = [y for _, y in points(curve)]
    assert heights[0] == heights[2] == pytest.approx(float(line.attrib["y1"]))
    assert heights[1] < heights[0]
    assert profile([1.0], 0.02) is None
    assert profile([], 0.02) is None


def test_a_long_profile_is_thinned() -> None:
    drawn = profile([1.0 + step % 2 for step in range(10_000)], 0.02)
    assert drawn is not None
    assert len(points(of_class(drawn, "curve")[0])) <= 300


def test_dropped_elements_are_crossed_out_and_signs_and_sizes_show() -> None:
    drawn = heat(Excerpt(columns=2, inference=(1.0, -0.25, 0.5, 0.0), train=(2.0, 0.0, -1.0, 0.0)))
    assert len(of_class(drawn, "gone")) == 2  # in the second map and in the third
    told = words(drawn)
    assert told.count("\N{MULTIPLICATION SIGN}") == 1
    assert told[told.index("train ÷ inference") + 1 :] == ["2", "0", "-2"]


@pytest.mark.parametrize(
    "unfit",
    [
        Excerpt(columns=0, inference=(1.0,), train=(1.0,)),
        Excerpt(columns=2, inference=(1.0,), train=(1.0,)),
        Excerpt(columns=1, inference=(1.0, 2.0), train=(1.0,)),
        Excerpt(columns=1, inference=(), train=()),
    ],
)
def test_an_excerpt_that_does_not_fit_is_not_drawn(unfit: Excerpt) -> None:
    assert heat(unfit) is None


def test_many_columns_are_cells_without_numbers() -> None:
    drawn = heat(Excerpt(columns=16, inference=(1.0,) * 32, train=(0.0, 2.0) * 16))
    assert words(drawn) == ["at inference", "in train mode, \N{MULTIPLICATION SIGN} where dropped"]
    assert len(of_class(drawn, "cross")) == 16


def effects(count: int) -> list[Attribution]:
    return [
        Attribution(
            site=f"s{number}",
            mean_gap_alone=-number / 100,
            mean_gap_without=number / 200,
            variance_alone=number,
            variance_without=0,
        )
        for number in range(count)
    ]


def test_bars_run_to_both_sides_of_zero_and_none_leaves_the_drawing() -> None:
    drawn = gap_bars(effects(3))
    alone, without = of_class(drawn, "alone"), of_class(drawn, "without")
    zero = float(without[2].attrib["x"])
    assert float(alone[2].attrib["x"]) + float(alone[2].attrib["width"]) == pytest.approx(zero, abs=0.2)
    for note in of_class(drawn, "note"):
        x, length = float(note.attrib["x"]), 5.6 * len(note.text or "")
        start = x - length if note.get("text-anchor") == "end" else x
        assert 0 <= start <= start + length <= WIDTH + 1


def test_of_many_sites_those_that_do_most_are_drawn() -> None:
    assert [each.site for each in strongest(effects(30))] == [f"s{number}" for number in range(20, 30)]


def boxes(drawn: Markup | None) -> list[str]:
    return [each.text or "" for each in of_class(drawn, "operator")]


def test_a_graph_shows_what_is_before_what_applies_the_mask_and_what_is_after() -> None:
    around = Surroundings(
        before=(Operator(type="", name="x"), Operator(type="MatMul", name="m")),
        mask=(Operator(type="RandomUniformLike", name="u"), Operator(type="Less", name="l")),
        applied=(Operator(type="Mul", name="drop"),),
        after=(Operator(type="Relu", name="r"),),
        readers=3,
    )
    drawn = graph(around, "drop")
    assert boxes(drawn) == ["x", "MatMul", "Mul", "Relu", "RandomUniformLike", "Less"]
    assert {"mask", "and 2 more that read it", "of the graph"} <= set(words(drawn))
    left = {float(each.attrib["x"]) for each in of_class(drawn, "applied")}
    rows = [float(each.attrib["y"]) for each in of_class(drawn, "operator")]
    assert left == {0.5}
    assert rows[1] == rows[5] < rows[2]  # the mask's last operator stands beside what is before the site


def test_an_operator_with_a_mask_of_its_own_says_so_and_without_operators_nothing_is_drawn() -> None:
    assert "← applies its own mask" in words(graph(Surroundings(applied=(Operator(type="Dropout", name="d"),)), "d"))
    assert graph(Surroundings(), "d") is None


def test_a_long_name_stays_in_its_box() -> None:
    around = Surroundings(applied=(Operator(type="Dropout", name="encoder/" * 1000 + "d"),))
    assert max(map(len, words(graph(around, "d")))) <= 25
