"""Claims about graph inputs that decide a truth value of the graph, alone or together."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.deciders import OFF, ON, Decider, Positions, decider_of
from support.graphs import HEADER

CONSTANTS = "float r = {0.3}, bool off = {0}, bool t = {1}, float half = {0.5}, int64 one = {1}"


def graph(body: str, signature: str) -> onnx.ModelProto:
    text = f"{HEADER} g ({signature}) => (float[N,4] y) <{CONSTANTS}> {{ {body}  y = Dropout(x, r, mode) }}"
    return name_nodes(onnx.parser.parse_model(text))


X = "float[N,4] x"


@pytest.mark.parametrize(
    ("body", "signature", "decider"),
    [
        ("mode = Not(flag)", f"{X}, bool flag", Decider("flag", OFF, None)),
        ("a = Not(flag)  mode = Not(a)", f"{X}, bool flag", Decider("flag", ON, None)),
        ("mode = Not(flag)", f"{X}, bool flag = {{1}}", Decider("flag", OFF, False)),
        ("mode = Not(flag)", f"{X}, bool flag = {{0}}", Decider("flag", OFF, True)),
        ("mode = And(flag, t)", f"{X}, bool flag", Decider("flag", ON, None)),
        ("mode = Xor(flag, t)", f"{X}, bool flag", Decider("flag", OFF, None)),
        ("mode = Cast<to = 9>(flag)", f"{X}, int64 flag", Decider("flag", ON, None)),
        ("mode = Equal(flag, one)", f"{X}, int64 flag", Decider("flag", ON, None)),
        ("mode = Greater(flag, half)", f"{X}, float flag", Decider("flag", ON, None)),
        ("mode = Less(flag, half)", f"{X}, float flag", Decider("flag", OFF, None)),
        ("mode = Squeeze(flag)", f"{X}, bool[1] flag", Decider("flag", ON, None)),
    ],
)
def test_an_input_that_decides_by_itself_is_found_with_the_value_that_switches_on(
    body: str, signature: str, decider: Decider
) -> None:
    assert decider_of(main_scope(graph(body, signature)), "mode") == decider


TWO = f"{X}, bool flag, bool other"


@pytest.mark.parametrize(
    ("body", "signature", "values"),
    [
        ("mode = And(flag, other)", TWO, {"flag": ON, "other": ON}),
        ("mode = Or(flag, other)", TWO, {"flag": ON, "other": ON}),
        ("a = Not(other)  mode = And(flag, a)", TWO, {"flag": ON, "other": OFF}),
        ("a = Or(flag, other)  mode = Not(a)", TWO, {"flag": OFF, "other": OFF}),
        ("a = Cast<to = 9>(other)  mode = And(flag, a)", f"{X}, bool flag, int64 other", {"flag": ON, "other": ON}),
    ],
)
def test_inputs_that_decide_together_are_found_with_values_whose_opposites_switch_off(
    body: str, signature: str, values: dict[str, Positions]
) -> None:
    decider = decider_of(main_scope(graph(body, signature)), "mode")
    assert decider is not None
    assert decider.positions_for(truth=True) == values
    assert decider.positions_for(truth=False) == {name: value.turned for name, value in values.items()}


def test_defaults_say_what_several_inputs_decide_where_all_have_one() -> None:
    defaults = f"{X}, bool flag = {{1}}, bool other = {{1}}"
    known, unknown = (
        decider_of(main_scope(graph("mode = And(flag, other)", each)), "mode")
        for each in (defaults, defaults.replace("flag = {1}", "flag"))
    )
    assert known is not None
    assert known.default is True
    assert unknown is not None
    assert unknown.default is None


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        ("mode = And(flag, off)", f"{X}, bool flag"),
        ("mode = Or(flag, t)", f"{X}, bool flag"),
        ("a = ReduceMean<keepdims = 0>(x)  mode = Greater(a, half)", X),
        ("a = Xor(flag, flag)  mode = And(a, other)", TWO),
        ("a = Less(other, other)  mode = Or(flag, a)  ", f"{X}, float other, bool[N] flag"),
    ],
    ids=["never", "always", "data", "never, of two", "a flag for each entry"],
)
def test_what_no_input_decides_has_none(body: str, signature: str) -> None:
    assert decider_of(main_scope(graph(body, signature)), "mode") is None


def truth_of(body: str, signature: str, fed: dict[str, Any]) -> bool:
    """Return what another implementation of the operators makes of `mode`."""
    model = graph(body, signature)
    model.graph.output.append(onnx.helper.make_tensor_value_info("mode", onnx.TensorProto.BOOL, []))
    (found,) = ReferenceEvaluator(model).run(["mode"], {"x": np.ones((1, 4), np.float32), **fed})
    return bool(np.all(found))


def is_switched(body: str, signature: str, dtypes: dict[str, Any]) -> bool:
    """Whether the values that were found make the mode true, and false."""
    decider = decider_of(main_scope(graph(body, signature)), "mode")
    assert decider is not None
    values = decider.positions_for(truth=True)
    on, off = (
        {name: np.array(getattr(values[name], state), dtype=dtype) for name, dtype in dtypes.items()}
        for state in ("on", "off")
    )
    return truth_of(body, signature, on) and not truth_of(body, signature, off)


@pytest.mark.parametrize(("left", "right"), list(product(["a", "na"], ["b", "nb"])))
@pytest.mark.parametrize("operator", ["And", "Or", "Xor", "Equal"])
@pytest.mark.parametrize(
    "more", ["mode = Identity(two)", "mode = Not(two)", "mode = Xor(two, c)", "mode = And(two, c)"]
)
def test_any_function_of_several_switches_is_true_with_one_choice_and_false_with_another(
    left: str, right: str, operator: str, more: str
) -> None:
    body = f"na = Not(a)  nb = Not(b)  two = {operator}({left}, {right})  {more}"
    dtypes = {"a": bool, "b": bool} | ({"c": bool} if "c)" in more else {})
    signature = ", ".join([X, *(f"bool {name}" for name in dtypes)])
    assert is_switched(body, signature, dtypes)


NUMBERS = {
    "a bound": "b = Less(n, bound)",
    "a bound from below": "b = GreaterOrEqual(n, bound)",
    "a band": "d = Greater(n, low)  e = Less(n, bound)  b = And(d, e)",
    "beyond a band": "d = LessOrEqual(n, low)  e = Greater(n, bound)  b = Or(d, e)",
    "one number": "b = Equal(n, bound)",
    "another number": "e = Equal(n, bound)  b = Not(e)",
    "a computed bound": "s = Add(bound, bound)  b = Greater(n, s)",
}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("kind", "low", "bound"), [("float", "2.5", "7.25"), ("int64", "2", "7"), ("float", "-9.0", "-4.5")]
)
@pytest.mark.parametrize(
    ("more", "position"),
    [
        ("mode = And(a, b)", ON),
        ("mode = Xor(a, b)", ON),
        ("v = Not(b)  mode = Or(a, v)", ON),
        ("v = Not(a)  mode = And(v, b)", OFF),
    ],
)
def test_a_switch_beside_a_comparison_of_a_number_is_found_and_the_number_stays_data(
    number: str, kind: str, low: str, bound: str, more: str, position: Positions
) -> None:
    constants = f"low = Constant<value = {kind} {{{low}}}>()  bound = Constant<value = {kind} {{{bound}}}>()"
    model = graph(f"{constants}  {NUMBERS[number]}  {more}", f"{X}, bool a, {kind} n")
    decider = decider_of(main_scope(model), "mode")
    assert decider is not None
    assert (decider.name, decider.others, [name for name, _ in decider.numbers]) == ("a", (), ["n"])
    assert decider.value == position or "Xor" in more


@pytest.mark.parametrize("number", ["a bound", "a band", "one number"])
def test_a_number_alone_is_data(number: str) -> None:
    constants = "low = Constant<value = float {2.5}>()  bound = Constant<value = float {7.25}>()"
    model = graph(f"{constants}  {NUMBERS[number]}  mode = Identity(b)", f"{X}, float n")
    assert decider_of(main_scope(model), "mode") is None


def test_one_of_two_switches_that_decide_together_stays_off() -> None:
    decider = decider_of(main_scope(graph("mode = Xor(flag, other)", TWO)), "mode")
    assert decider == Decider("flag", ON, None, (("other", Positions(0.0, 0.0)),))


@pytest.mark.parametrize("position", [ON, OFF])
def test_what_switches_other_tensors_is_left_so(position: Positions) -> None:
    decider = decider_of(main_scope(graph("mode = Xor(flag, other)", TWO)), "mode", {"other": position})
    assert decider is not None
    assert decider.positions_for(truth=True)["other"] == position


def test_an_input_that_says_how_much_is_dropped_is_no_switch() -> None:
    body = "some = Greater(rate, zero)  mode = And(flag, some)  z = Dropout(x, rate, mode)"
    zero = "zero = Constant<value = float {0.0}>()  "
    decider = decider_of(main_scope(graph(zero + body, f"{X}, bool flag, float rate")), "mode")
    assert decider == Decider("flag", ON, None)
