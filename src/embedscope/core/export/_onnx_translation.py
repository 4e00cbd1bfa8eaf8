"""Translate a Keras network to an ONNX graph with tf2onnx.

tf2onnx translates TensorFlow's operations one by one. This module adds the trace of the network at
inference, with its weights as constants, so that nothing has to be frozen afterwards; the
complementary error function, which exact GELU uses; and calls of compiled functions, which Keras
makes for grouped convolutions. It is imported only after a check that tf2onnx is installed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from tf2onnx import optimizer, utils
from tf2onnx.onnx_opset.controlflow import inline_subgraph, parameter_binding
from tf2onnx.tf_loader import find_function
from tf2onnx.tfonnx import process_tf_graph

from embedscope._errors import InvalidInputError
from embedscope.core.networks._tensorflow import keras, tf

_OPSET = 15  # runs in onnxruntime 1.10 (2021) and later


def translate(
    network: keras.Model, shape: tuple[int | None, ...], input_name: str, output_name: str
) -> onnx.ModelProto:
    """Express a network as an ONNX model.

    Parameters
    ----------
    network : keras.Model
        Built network.
    shape : tuple of int or None
        Shape of one sample, without the batch dimension.
    input_name, output_name : str
        Names of the two tensors; their first dimension is called ``batch``.

    Returns
    -------
    onnx.ModelProto
        The model. An operation that tf2onnx does not know stays untranslated, so the result has to
        be checked.

    Raises
    ------
    InvalidInputError
        If the network uses variables other than its own weights.
    """
    definition, source, result = _trace(network, shape)
    with _silenced("tf2onnx"), tf.Graph().as_default() as graph, tf.device("cpu:0"):
        tf.import_graph_def(definition, name="")
        translated = process_tf_graph(
            graph,
            opset=_OPSET,
            continue_on_error=True,
            custom_op_handlers=_HANDLERS,
            input_names=[source],
            output_names=[result],
            tensors_to_rename={source: input_name, result: output_name},
        )
        model = optimizer.optimize_graph(translated).make_model(network.name)
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def _trace(network: keras.Model, shape: tuple[int | None, ...]) -> tuple[Any, str, str]:
    """Record the network at inference as a TensorFlow graph without variables.

    Also returns the names of its input and output. TensorFlow chooses them, since fixed names could
    be names of layers.
    """
    weights = [tf.convert_to_tensor(weight) for weight in network.trainable_variables]
    others = [tf.convert_to_tensor(weight) for weight in network.non_trainable_variables]

    def infer(batch: Any) -> Any:
        outputs, _ = network.stateless_call(weights, others, batch, training=False)
        (output,) = keras.tree.flatten(outputs)
        return tf.identity(output)

    signature = tf.TensorSpec((None, *shape), tf.float32)
    graph = tf.function(infer, autograph=False).get_concrete_function(signature).graph
    captured = {placeholder.op.name: value for value, placeholder in graph.captures}
    definition = graph.as_graph_def()
    for node in definition.node:
        if node.name in captured:
            _make_constant(node, captured[node.name])
    return definition, graph.inputs[0].name, graph.outputs[0].name


def _make_constant(node: Any, value: Any) -> None:
    """Replace the placeholder of a captured tensor by its value."""
    if value.dtype == tf.resource:
        raise InvalidInputError(
            "network must compute only from its input and its own weights; got a layer that uses "
            "another variable, such as the global random state. Give that layer a weight of its "
            "own, or no randomness at inference."
        )
    node.op = "Const"
    node.attr.clear()
    node.attr["dtype"].type = value.dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.numpy()))


def _translate_erfc(graph: Any, node: Any, _name: str, _args: Any) -> None:
    """Write ``erfc(x)`` as ``1 - erf(x)``."""
    node.type = "Erf"
    one = graph.make_const(utils.make_name("one"), np.array(1.0, dtype=np.float32))
    graph.insert_new_node_on_output(
        "Sub", node.output[0], utils.make_name(node.name), inputs=[one.output[0], node.output[0]]
    )


def _inline_call(graph: Any, node: Any, name: str, _args: Any) -> None:
    """Replace a function call by the function's operations."""
    body = find_function(node.get_attr_str("f"))
    results = inline_subgraph(graph, body, name, parameter_binding(body, node.input))
    outputs = list(node.output)
    graph.remove_node(node.name)
    for output, result in zip(outputs, results, strict=True):
        graph.make_node(
            "Identity",
            [result],
            outputs=[output],
            shapes=[graph.get_shape(result)],
            dtypes=[graph.get_dtype(result)],
        )


_HANDLERS: dict[str, tuple[Callable[..., None], list[str]]] = {
    "Erfc": (_translate_erfc, []),
    "PartitionedCall": (_inline_call, []),
    "StatefulPartitionedCall": (_inline_call, []),
}


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Silence a library's log; the checks find and raise all that matters."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
