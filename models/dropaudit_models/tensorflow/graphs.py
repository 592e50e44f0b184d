"""TensorFlow graphs of the catalogue's models, and their way through tf2onnx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
import tensorflow as tf
import tf2onnx
import tf_keras

from dropaudit.plan import Role
from dropaudit_models.tensorflow.catalogue import TensorFlowModel
from dropaudit_models.tensorflow.seeds import without_seeds

BATCH, FEATURES, UNITS, OPSET = 5, 2, 10, 17
_WEIGHTS = 7
_RANDOM = {"RandomUniform", "RandomStandardNormal", "RandomUniformInt", "TruncatedNormal"}
_FIRST_SEED = 1_000
v1 = tf.compat.v1


def exported(model: TensorFlowModel) -> onnx.ModelProto:
    """Build a model as its users write it, freeze its weights and convert it.

    Its input x has shape (5, steps, 2). In role train its outputs are y1 without and y2 with dropout, as in the
    question that started dropaudit; in role inference only y1.
    """
    # Bodies of dynamic_rnn become Scan with control flow v1 only; what v2 gives, no runtime loads.
    v1.disable_eager_execution()
    v1.disable_control_flow_v2()
    outputs = ["y1", "y2"] if model.role is Role.TRAIN else ["y1"]
    frozen = _frozen((BATCH, model.steps, FEATURES), _keras(model) if model.keras else _wrapped(model), outputs)
    return _converted(frozen, outputs) if model.seeded else without_seeds(_converted(told_apart(frozen), outputs))


def told_apart(graph_def: Any) -> Any:
    """Give every unseeded random operator of a graph a seed of its own, in place, and return the graph.

    tf2onnx gives unseeded operators the seed 0, and then its optimizer merges those of one shape: masks that were
    independent become one. The seeds are for the way through tf2onnx only; take them away afterwards.
    """
    unseeded = [node for node in graph_def.node if node.op in _RANDOM and not node.attr["seed2"].i]
    for number, node in enumerate(unseeded, start=_FIRST_SEED):
        node.attr["seed2"].i = number
    return graph_def


def _converted(graph_def: Any, outputs: list[str]) -> onnx.ModelProto:
    converted: onnx.ModelProto
    converted, _ = tf2onnx.convert.from_graph_def(
        graph_def, input_names=["x:0"], output_names=[f"{name}:0" for name in outputs], opset=OPSET
    )
    return converted


def _frozen(shape: tuple[int, ...], build: Callable[[Any], tuple[Any, Any]], outputs: list[str]) -> Any:
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        built = build(v1.placeholder(tf.float32, shape, name="x"))
        for name, value in zip(outputs, built, strict=False):
            tf.identity(value, name=name)
        session.run(v1.global_variables_initializer())
        return v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), outputs)


def _wrapped(model: TensorFlowModel) -> Callable[[Any], tuple[Any, Any]]:
    """One cell, run plainly and through DropoutWrapper."""

    def build(x: Any) -> tuple[Any, Any]:
        initializer = v1.glorot_uniform_initializer(seed=_WEIGHTS)
        cell = v1.nn.rnn_cell.LSTMCell(UNITS, initializer=initializer)
        plain, _ = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        # Variational masks are made beforehand, of a type that must be given.
        typed = {"dtype": tf.float32} if model.options.get("variational_recurrent") else {}
        wrapped = v1.nn.rnn_cell.DropoutWrapper(cell, **model.options, **typed)
        dropped, _ = v1.nn.dynamic_rnn(wrapped, x, dtype=tf.float32)
        return plain, dropped

    return build


def _keras(model: TensorFlowModel) -> Callable[[Any], tuple[Any, Any]]:
    """One layer, called in inference and in train mode."""

    def build(x: Any) -> tuple[Any, Any]:
        lstm = tf_keras.layers.LSTM(
            UNITS,
            return_sequences=True,
            kernel_initializer=tf_keras.initializers.GlorotUniform(seed=_WEIGHTS),
            recurrent_initializer=tf_keras.initializers.GlorotUniform(seed=_WEIGHTS + 1),
            **model.options,
        )
        after = tf_keras.layers.Dropout(model.after)
        plain, dropped = (after(lstm(x, training=training), training=training) for training in (False, True))
        return plain, dropped

    return build
