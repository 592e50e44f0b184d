"""Places of the main graph, of branches and of functions, where a site can stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from onnx import helper

from dropaudit.plan import Role
from dropaudit_evaluation.spellings.grammar.several import dropout_rate
from dropaudit_evaluation.spellings.grammar.site import put_mask, spell_wished_mask
from dropaudit_evaluation.spellings.grammar.writer import BOOL, FLOAT, INT64, GraphWriter
from dropaudit_evaluation.spellings.network.network import FEATURES, Network, Tensor
from dropaudit_evaluation.spellings.network.plan import SitePlan

DOMAIN = "spelled"


def activation(network: Network, plan: SitePlan) -> None:
    """Stand on the data."""
    network.h = network.site(network.graph, network.h, plan)


def residual(network: Network, plan: SitePlan) -> None:
    """Stand on a branch that is added to the data."""
    branch = replace(network.h, name=network.graph.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES)))
    kept = network.site(network.graph, branch, plan)
    network.h = replace(network.h, name=network.graph.emit("Add", network.h.name, kept.name))


def dead_end(network: Network, plan: SitePlan) -> None:
    """Stand where no output is reached."""
    network.site(network.graph, network.h, plan)


def weight(network: Network, plan: SitePlan) -> None:
    """Stand on a weight."""
    drop = Tensor(network.weight(FEATURES, FEATURES), (FEATURES, FEATURES))
    kept = network.site(network.graph, drop, plan, on_weight=True)
    network.h = replace(network.h, name=network.graph.emit("MatMul", network.h.name, kept.name))


def function(network: Network, plan: SitePlan) -> None:
    """Stand in a local function."""
    name = _define(network, plan)
    network.h = replace(network.h, name=network.graph.emit(name, network.h.name, domain=DOMAIN))


def _define(network: Network, plan: SitePlan) -> str:
    """Write a local function around a site, and return its name."""
    body = GraphWriter(network.graph, is_function=True)
    data = replace(network.h, name=body.fresh("argument"))
    kept = network.site(body, data, plan)
    name = body.fresh("function")
    imports = [helper.make_opsetid("", OPSET)]
    network.graph.functions.append(helper.make_function(DOMAIN, name, [data.name], [kept.name], body.nodes, imports))
    return name


def function_twice(network: Network, plan: SitePlan) -> None:
    """Stand in a local function that is called at two places."""
    function(network, plan)
    name = network.graph.functions[-1].name
    mixed = network.graph.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES))
    network.h = replace(network.h, name=network.graph.emit(name, mixed, domain=DOMAIN))


def two_tensors(network: Network, plan: SitePlan) -> None:
    """Stand on two tensors with one mask."""
    graph, pen = network.graph, network.pen(network.graph, network.h, plan)
    mask = spell_wished_mask(pen, plan.wish)
    kept = []
    for _ in range(2):
        data, result = graph.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES)), graph.fresh("kept")
        put_mask(pen, data, plan.wish, mask, result)
        network.note(plan, data, result, network.record, shares_mask=True)
        kept.append(graph.emit("MatMul", result, network.weight(FEATURES, FEATURES)))
    network.h = replace(network.h, name=graph.emit("Add", *kept))


def switched(network: Network, plan: SitePlan) -> None:
    """Be a Dropout operator whose training_mode is an input of the graph, with a default or without."""
    pen = network.pen(network.graph, network.h, plan)
    mode = network.take_input("training", (), BOOL)
    rate, _ = dropout_rate(pen, plan.wish.keep_prob)
    default = dict(plan.forced).get("default")
    network.record.append(f"training input:{default or 'no default'}")
    if default is not None:
        network.graph.initializers.append(helper.make_tensor(mode, BOOL, [], [default == "True"]))
    result = pen.emit("Dropout", network.h.name, rate, mode)
    network.note(plan, network.h.name, result, ["site:operator"])
    network.h = replace(network.h, name=result)


OPSET = 17


def branch(network: Network, plan: SitePlan) -> None:
    """Stand in the branch of an If that is taken."""
    then = GraphWriter(network.graph)
    kept = network.site(then, network.h, plan)
    other = GraphWriter(network.graph)
    same = other.emit("Identity", network.h.name)
    condition, taken = _condition(network)
    bodies = [
        body.body(body.fresh("branch"), [], [network.value_info(name, network.h.dims)])
        for body, name in ((then, kept.name), (other, same))
    ]
    then_branch, else_branch = bodies if taken else reversed(bodies)
    network.h = replace(
        network.h,
        name=network.graph.emit("If", condition, then_branch=then_branch, else_branch=else_branch),
    )


def _condition(network: Network) -> tuple[str, bool]:
    """Spell a condition, and say whether it is True when the site is on."""
    options: dict[str, Callable[[], tuple[str, bool]]] = {
        "constant": lambda: (network.graph.constant(True, BOOL), True),
        "constant False": lambda: (network.graph.constant(False, BOOL), False),
        "of the data": lambda: (_always(network), True),
    }
    # An input is fed so that the site is on in role train alone.
    if network.plan.role is Role.TRAIN and not any(info.name == "switch" for info in network.inputs):
        options["input"] = lambda: (network.take_input("switch", (), BOOL), True)
        options["not of an input"] = lambda: (network.graph.emit("Not", network.take_input("switch", (), BOOL)), True)
    name = str(network.rng.choice(list(options)))
    network.record.append(f"condition:{name}")
    return options[name]()


def _always(network: Network) -> str:
    """Spell a condition that all data meets."""
    squares = network.graph.emit("Mul", network.h.name, network.h.name)
    size = network.graph.emit("ReduceSum", squares, keepdims=0)
    return network.graph.emit("Greater", size, network.graph.constant(-1.0, FLOAT))


def loop(network: Network, plan: SitePlan) -> None:
    """Stand in a loop that adds up what is kept, of the same data at each turn."""
    _loop(network, lambda body: network.site(body, network.h, plan).name)


def function_in_loop(network: Network, plan: SitePlan) -> None:
    """Stand in a local function that the body of a loop calls."""
    name = _define(network, plan)
    _loop(network, lambda body: body.emit(name, network.h.name, domain=DOMAIN))


def _loop(network: Network, kept_in: Callable[[GraphWriter], str]) -> None:
    body = GraphWriter(network.graph)
    turn, going, total = (body.fresh(stem) for stem in ("turn", "going", "total"))
    kept = kept_in(body)
    added, on = body.emit("Add", total, kept), body.emit("Identity", going)
    inputs = [
        network.value_info(turn, (), INT64),
        network.value_info(going, (), BOOL),
        network.value_info(total, network.h.dims),
    ]
    results = [network.value_info(on, (), BOOL), network.value_info(added, network.h.dims)]
    graph = network.graph
    turns, yes = graph.constant(3, INT64), graph.constant(True, BOOL)
    name = graph.emit("Loop", turns, yes, network.h.name, body=body.body(body.fresh("loop"), inputs, results))
    network.h = replace(network.h, name=name)
