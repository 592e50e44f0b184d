"""Rules of the grammar. One that finds nothing to take adds nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import AttributeProto, TensorProto, helper

from dropaudit_chaos.fuzzing.grammar import OTHERS, Dim, Grower, Value

Rule = Callable[[Grower], object]
_UNARY = ("Relu", "Neg", "Abs", "Tanh", "Sigmoid", "Exp", "Identity", "Sqrt", "Softplus", "Floor", "LeakyRelu", "Erf")
_BINARY = ("Add", "Mul", "Sub", "Div", "Max", "Min")
_HALF_OR_WIDER = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def _float(value: Value) -> bool:
    return value.is_float


def _wide(value: Value) -> bool:
    return value.kind == TensorProto.FLOAT and value.rank > 0


def unary(grower: Grower) -> None:
    """An elementwise operator."""
    if (taken := grower.pick(_float)) is not None:
        grower.add(grower.rng.choice(_UNARY), [taken.name], taken.kind, taken.shape)


def binary(grower: Grower) -> None:
    """An elementwise operator of two tensors of one shape, or of one and a number."""
    if (first := grower.pick(_float)) is None:
        return
    second = grower.pick(lambda each: (each.kind, each.shape) == (first.kind, first.shape))
    number = grower.rng.choice((0.0, 0.5, 1.0, 2.0, -1.0, 1e-3))
    name = second.name if second and grower.rng.random() < 0.6 else grower.number(first.kind, number)
    operands = [first.name, name]
    grower.rng.shuffle(operands)
    grower.add(grower.rng.choice(_BINARY), operands, first.kind, first.shape)


def dense(grower: Grower) -> None:
    """A product with weights."""
    taken = grower.pick(lambda each: each.is_float and each.rank > 1 and isinstance(each.shape[-1], int))
    if taken is None:
        return
    width = grower.rng.choice((1, 4, 4, 5))
    weights = np.random.default_rng(grower.rng.randrange(100)).standard_normal((int(taken.shape[-1]), width))
    name = grower.constant(weights.astype(helper.tensor_dtype_to_np_dtype(taken.kind)))
    grower.add("MatMul", [taken.name, name], taken.kind, (*taken.shape[:-1], width))


def dropout(grower: Grower) -> None:
    """The operator, with whatever it may be given, and now and then its mask."""
    if (taken := grower.pick(_float)) is None:
        return
    rng = grower.rng
    rate = grower.number(rng.choice(_HALF_OR_WIDER), rng.choice((0.0, 0.1, 0.5, 0.5, 0.9)))
    scalar = grower.pick(lambda each: each.is_float and each.rank == 0)
    if scalar is not None and rng.random() < 0.1:
        rate = grower.add("Sigmoid", [scalar.name], scalar.kind, ()).name
    inputs = [taken.name, *([rate, _switch(grower)] if rng.random() < 0.9 else [])]
    grower.add("Dropout", inputs, taken.kind, taken.shape, **({"seed": 7} if rng.random() < 0.2 else {}))
    if rng.random() < 0.2:
        mask = Value(grower.name(), TensorProto.BOOL, taken.shape)
        grower.nodes[-1].output.append(mask.name)
        grower.values.append(mask)


def _switch(grower: Grower) -> str:
    flag = grower.pick(lambda each: each.kind == TensorProto.BOOL and each.rank == 0)
    if flag is not None and grower.rng.random() < 0.3:
        return flag.name
    return grower.number(TensorProto.BOOL, grower.rng.random() < 0.9)


def uniform_mask(grower: Grower) -> None:
    """A mask that is drawn, compared and multiplied with: scaled, unscaled, or wrongly."""
    if (taken := grower.pick(_float)) is None:
        return
    rng, kind = grower.rng, taken.kind
    draw = rng.choice(("RandomUniformLike", "RandomUniformLike", "RandomNormalLike"))
    drawn = grower.add(draw, [taken.name], kind, taken.shape, dtype=kind)
    keep = rng.choice((0.1, 0.5, 0.8))
    limit = grower.number(kind, keep)
    kept = grower.add(rng.choice(("Less", "Greater")), [drawn.name, limit], TensorProto.BOOL, taken.shape)
    if rng.random() < 0.3:
        other = grower.number(kind, rng.choice((0.0, 0.0, -1.7)))
        grower.add("Where", [kept.name, taken.name, other], kind, taken.shape)
        return
    mask = grower.add("Cast", [kept.name], kind, taken.shape, to=kind)
    product = grower.add("Mul", [taken.name, mask.name], kind, taken.shape)
    if rng.random() < 0.7:
        grower.add("Div", [product.name, grower.number(kind, keep)], kind, taken.shape)


def bernoulli(grower: Grower) -> None:
    """A mask of Bernoulli draws with rates that are known, or are not."""
    if (taken := grower.pick(_float)) is None:
        return
    rates = grower.add("Sigmoid", [taken.name], taken.kind, taken.shape)
    if grower.rng.random() < 0.5:
        zero = grower.add("Sub", [taken.name, taken.name], taken.kind, taken.shape)
        rates = grower.add("Add", [zero.name, grower.number(taken.kind, 0.5)], taken.kind, taken.shape)
    mask = grower.add("Bernoulli", [rates.name], taken.kind, taken.shape)
    grower.add("Mul", [mask.name, taken.name], taken.kind, taken.shape)


def free_noise(grower: Grower) -> None:
    """Noise of a shape of its own, alone or added."""
    shape = grower.rng.choice(((), (1,), (4,), (0,), (2, 4)))
    operator = grower.rng.choice(("RandomUniform", "RandomNormal"))
    made = grower.add(operator, [], TensorProto.FLOAT, shape, dtype=TensorProto.FLOAT)
    wanted = helper.make_attribute("shape", list(shape), attr_type=AttributeProto.INTS)
    next(each for each in grower.nodes if made.name in each.output).attribute.append(wanted)


def scaled_by_computed(grower: Grower) -> None:
    """A tensor times a number that the graph computes from another."""
    taken, other = grower.pick(_float), grower.pick(_float)
    if taken is None or other is None:
        return
    number = grower.add(grower.rng.choice(("ReduceMean", "ReduceMax")), [other.name], other.kind, (), keepdims=0)
    cast = grower.add("Cast", [number.name], taken.kind, (), to=taken.kind)
    grower.add("Mul", [taken.name, cast.name], taken.kind, taken.shape)


def reduce(grower: Grower) -> None:
    """A sum, mean or maximum over an axis."""
    if (taken := grower.pick(lambda each: each.is_float and each.rank > 0)) is None:
        return
    axis, keeps = grower.rng.randrange(taken.rank), grower.rng.randrange(2)
    kept: tuple[Dim, ...] = (1,) if keeps else ()
    shape = (*taken.shape[:axis], *kept, *taken.shape[axis + 1 :])
    operator = grower.rng.choice(("ReduceMean", "ReduceMax", "ReduceL2"))
    grower.add(operator, [taken.name], taken.kind, shape, axes=[axis], keepdims=keeps)


def cast(grower: Grower) -> None:
    """A tensor of another type."""
    if (taken := grower.pick(lambda _: True)) is None:
        return
    kind = grower.rng.choice((*_HALF_OR_WIDER, *OTHERS))
    grower.add("Cast", [taken.name], kind, taken.shape, to=kind)


def transpose(grower: Grower) -> None:
    """Axes in another order."""
    if (taken := grower.pick(lambda each: each.rank > 1)) is not None:
        order = grower.rng.sample(range(taken.rank), taken.rank)
        grower.add("Transpose", [taken.name], taken.kind, tuple(taken.shape[each] for each in order), perm=order)


def concat(grower: Grower) -> None:
    """A tensor beside another of its shape."""
    if (taken := grower.pick(_wide)) is None:
        return
    other = grower.pick(lambda each: (each.kind, each.shape) == (taken.kind, taken.shape)) or taken
    last = taken.shape[-1]
    shape = (*taken.shape[:-1], 2 * last if isinstance(last, int) else f"2{last}"[:8])
    grower.add("Concat", [taken.name, other.name], taken.kind, shape, axis=-1)


def cut_out(grower: Grower) -> None:
    """A part of a tensor, of one element or of none."""
    if (taken := grower.pick(lambda each: each.rank > 0 and each.shape[-1] in (4, 5))) is None:
        return
    start, end = grower.rng.choice(((0, 1), (1, 3), (2, 2), (-2, 9)))
    ends = [grower.constant(np.array([each], np.int64)) for each in (start, end, -1)]
    width = len(range(int(taken.shape[-1]))[start:end])
    grower.add("Slice", [taken.name, *ends], taken.kind, (*taken.shape[:-1], width))


def flattened(grower: Grower) -> None:
    """A tensor as one list, by a shape that is known or computed."""
    if (taken := grower.pick(lambda each: each.rank > 0)) is None:
        return
    if grower.rng.random() < 0.5:
        size = grower.add("Size", [taken.name], TensorProto.INT64, ())
        axes = grower.constant(np.array([0], np.int64))
        shape = grower.add("Unsqueeze", [size.name, axes], TensorProto.INT64, (1,)).name
    else:
        shape = grower.constant(np.array([-1], np.int64))
    if 0 not in taken.shape:
        grower.add("Reshape", [taken.name, shape], taken.kind, (f"m{len(grower.values)}",))


def chosen(grower: Grower) -> None:
    """Elements whose number depends on their values."""
    if (taken := grower.pick(lambda each: each.kind == TensorProto.FLOAT and each.rank > 0)) is None:
        return
    extent = f"d{len(grower.values)}"
    if grower.rng.random() < 0.5:
        grower.add("NonZero", [taken.name], TensorProto.INT64, (taken.rank, extent))
        return
    flat = grower.add("Reshape", [taken.name, grower.constant(np.array([-1], np.int64))], taken.kind, (f"f{extent}",))
    positive = grower.add("Greater", [flat.name, grower.number(taken.kind, 0.0)], TensorProto.BOOL, flat.shape)
    grower.add("Compress", [flat.name, positive.name], taken.kind, (extent,))


def normalized(grower: Grower) -> None:
    """A softmax, or a normalized layer."""
    if (taken := grower.pick(_wide)) is None:
        return
    last = taken.shape[-1]
    if grower.rng.random() < 0.5 or not isinstance(last, int) or last == 0:
        grower.add("Softmax", [taken.name], taken.kind, taken.shape, axis=-1)
    else:
        grower.add("LayerNormalization", [taken.name, grower.number(taken.kind, 1.0, (last,))], taken.kind, taken.shape)


def recurrent(grower: Grower) -> None:
    """An LSTM or a GRU over the first axis."""
    taken = grower.pick(lambda each: each.kind == TensorProto.FLOAT and each.rank == 3 and each.shape[-1] in (4, 5))
    if taken is None:
        return
    operator, gates = grower.rng.choice((("LSTM", 4), ("GRU", 3)))
    weights = np.random.default_rng(1).standard_normal((1, gates * 2, int(taken.shape[-1]) + 2)).astype(np.float32)
    inputs = [taken.name, *(grower.constant(each) for each in (weights[..., :-2].copy(), weights[..., -2:].copy()))]
    grower.add(operator, inputs, taken.kind, (taken.shape[0], 1, taken.shape[1], 2), hidden_size=2)


def called(grower: Grower) -> None:
    """A call of one of the model's functions."""
    if grower.functions and (taken := grower.pick(lambda each: each.kind == TensorProto.FLOAT)) is not None:
        attributes = {"p": grower.rng.choice((0.2, 0.7))} if grower.rng.random() < 0.5 else {}
        name = grower.rng.choice(grower.functions)
        grower.add(name, [taken.name], taken.kind, taken.shape, domain="me", **attributes)
