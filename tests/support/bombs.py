"""Models that take more time or memory than anybody has."""

from __future__ import annotations

from support.graphs import model

ENDLESS_LOOP = model(
    """g (float[2] x) => (float[2] y) <int64 n = {9223372036854775807}, bool c = {1}> {
        y = Loop(n, c, x) <
            body = b (int64 i, bool k, float[2] v) => (bool l, float[2] w) { l = Identity(k)  w = Relu(v) }
        >
    }"""
)
_PRODUCTS = "\n".join(f"a{step + 1} = MatMul(a{step}, a{step})" for step in range(24))
# Its shapes are computed from what it is fed, so that nothing before the run tells how long it takes.
LONG_KERNEL = model(
    f"""g (float[2] x) => (float[2] y) <int64 edge = {{9000}}, int64[1] first = {{0}}> {{
        s = Shape(x)  z = Sub(s, s)  e = Add(z, edge)  shape = Concat<axis = 0>(e, e)
        a0 = ConstantOfShape(shape)
        {_PRODUCTS}
        t = ReduceMax<keepdims = 0>(a24)  y = Add(x, t)
    }}"""
)
# Its shapes are known, so that the runtime folds the products into a constant while it loads the model.
LONG_LOAD = model(
    f"""g (float[2] x) => (float[2] y) <int64[2] shape = {{9000, 9000}}> {{
        a0 = ConstantOfShape(shape)
        {_PRODUCTS}
        t = ReduceMax<keepdims = 0>(a24)  y = Add(x, t)
    }}"""
)
MEMORY_BOMB = model(
    """g (float[N] x) => (float[N] y) <int64 edge = {100000}> {
        n = Shape(x)  o = Div(n, n)  e = Mul(o, edge)  shape = Concat<axis = 0>(e, e)
        a = ConstantOfShape(shape)  t = ReduceMax<keepdims = 0>(a)  y = Add(x, t)
    }"""
)
