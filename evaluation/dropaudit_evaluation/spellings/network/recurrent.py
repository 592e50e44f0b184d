"""Places in and around recurrences: Scan bodies, and the LSTM, GRU and RNN operators' outputs, states and weights."""

from __future__ import annotations

from dataclasses import replace

from dropaudit_evaluation.spellings.grammar.writer import FLOAT, INT64, GraphWriter
from dropaudit_evaluation.spellings.network.network import FEATURES, Network, Tensor
from dropaudit_evaluation.spellings.network.plan import SitePlan


def scan_output(network: Network, plan: SitePlan) -> None:
    """Stand on what a step returns, outside its recurrence."""
    _scan(network, plan, "output")


def scan_state(network: Network, plan: SitePlan) -> None:
    """Stand on the state that a step hands on."""
    _scan(network, plan, "state")


def scan_input(network: Network, plan: SitePlan) -> None:
    """Stand on what a step takes."""
    _scan(network, plan, "input")


def _scan(network: Network, plan: SitePlan, where: str) -> None:
    network.bends()
    graph, body = network.graph, GraphWriter(network.graph)
    step_dims = (network.h.dims[0], FEATURES)
    state, step = Tensor(body.fresh("state"), step_dims), Tensor(body.fresh("step"), step_dims)
    given = network.site(body, step, plan) if where == "input" else step
    bent = Tensor(_cell(network, body, state.name, given.name), step_dims)
    kept = bent if where == "input" else network.site(body, bent, plan)
    handed_on = body.emit("Identity", kept.name if where == "state" else bent.name)
    returned = body.emit("Identity", kept.name)
    inputs = [network.value_info(each.name, step_dims) for each in (state, step)]
    results = [network.value_info(name, step_dims) for name in (handed_on, returned)]
    first = graph.emit("Gather", network.h.name, graph.constant(0, INT64), axis=1)
    _, steps = graph.emit_many(
        "Scan",
        (first, network.h.name),
        2,
        body=body.body(body.fresh("scan"), inputs, results),
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_output_axes=[1],
    )
    network.h = replace(network.h, name=steps)
    if where != "output":
        network.bends()


def _cell(network: Network, body: GraphWriter, state: str, step: str) -> str:
    """tanh(x W + h U)."""
    mixed = [body.emit("MatMul", name, network.weight(FEATURES, FEATURES)) for name in (step, state)]
    return body.emit("Tanh", body.emit("Add", *mixed))


def recurrent_weight(network: Network, plan: SitePlan) -> None:
    """Stand on the weight between an operator's states."""
    gates = _gates(network)
    drop = Tensor(network.weight(1, gates * FEATURES, FEATURES), (1, gates * FEATURES, FEATURES))
    _operator(network, gates, network.site(network.graph, drop, plan, on_weight=True).name, ())


def input_weight(network: Network, plan: SitePlan) -> None:
    """Stand on the weight between an operator's input and its states."""
    gates = _gates(network)
    drop = Tensor(network.weight(1, gates * FEATURES, FEATURES), (1, gates * FEATURES, FEATURES))
    kept = network.site(network.graph, drop, plan, on_weight=True)
    _operator(network, gates, network.weight(1, gates * FEATURES, FEATURES), (), kept.name)


def first_state(network: Network, plan: SitePlan) -> None:
    """Stand on the first hidden state, an input of the graph."""
    gates = _gates(network)
    _operator(network, gates, network.weight(1, gates * FEATURES, FEATURES), (_given_state(network, plan),))


def first_memory(network: Network, plan: SitePlan) -> None:
    """Stand on the first memory of an LSTM."""
    memory = _given_state(network, plan)
    _operator(network, 4, network.weight(1, 4 * FEATURES, FEATURES), ("", memory))


def recurrent_output(network: Network, plan: SitePlan) -> None:
    """Stand on what an operator returns."""
    gates = _gates(network)
    _operator(network, gates, network.weight(1, gates * FEATURES, FEATURES), ())
    network.h = network.site(network.graph, network.h, plan)


def _given_state(network: Network, plan: SitePlan) -> str:
    dims = (1, network.h.dims[0], FEATURES)
    name = network.take_input(network.graph.fresh("first"), dims)
    return network.site(network.graph, Tensor(name, dims), plan).name


def _gates(network: Network) -> int:
    """Choose between LSTM, GRU and RNN by the number of their gates."""
    gates = int(network.rng.choice(list(_OPERATORS)))
    network.record.append(f"recurrence:{_OPERATORS[gates]}")
    return gates


_OPERATORS = {4: "LSTM", 3: "GRU", 1: "RNN"}


def _operator(
    network: Network, gates: int, recurrent: str, states: tuple[str, ...], input_weights: str | None = None
) -> None:
    """Write a recurrent operator over the data."""
    graph = network.graph
    turned = graph.emit("Transpose", network.h.name, perm=[1, 0, 2])
    weights = input_weights or network.weight(1, gates * FEATURES, FEATURES)
    bias = graph.constant(0.1 * network.rng.standard_normal((1, 2 * gates * FEATURES)), FLOAT)
    operator = _OPERATORS[gates]
    given = (turned, weights, recurrent, bias, *(("", *states) if states else ()))
    steps = graph.emit(operator, *given, hidden_size=FEATURES)
    squeezed = graph.emit("Squeeze", steps, graph.constant([1], INT64))
    network.h = replace(network.h, name=graph.emit("Transpose", squeezed, perm=[1, 0, 2]))
    network.bends()
