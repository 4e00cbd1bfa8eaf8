"""Export a network as an ONNX file, which runs without Keras: from C++, C#, JavaScript, Rust...

`_onnx_translation` translates the network. This module checks the optional packages, compares the
result of onnxruntime with the network's, and writes the file.
"""

from __future__ import annotations

import os
import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.core.networks._precision import in_float32
from embedscope.core.networks._tensorflow import keras, tf
from embedscope.core.storage._stored_file import replace_file
from embedscope.core.storage._stored_path import as_path, check_file

if TYPE_CHECKING:
    import onnx

_NEEDED = {"onnx": "1.17", "onnxruntime": "1.20", "tf2onnx": "1.17"}
_TOLERANCE = 1e-5  # of the largest output
_BATCH_SIZES = (1, 6)  # two sizes, to find a batch dimension that the translation has fixed
_OPEN_SIZE = 32  # tried for a dimension that the network leaves open, such as an image's height


def export_onnx(
    network: keras.Model,
    path: str | os.PathLike[str],
    *,
    input_name: str = "input",
    output_name: str = "output",
) -> Path:
    """Write a network as an ONNX file, after a check that onnxruntime computes the same.

    Parameters
    ----------
    network : keras.Model
        Built network with one input and one output, float32. Layers in half precision compute in
        float32 in the file.
    path : str or path
        File to write; an existing file is replaced at one instant.
    input_name, output_name : str
        Names of the two tensors in the file. Both have the network's shapes; the first dimension,
        ``batch``, is of any size.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingDependencyError
        If onnx, onnxruntime or tf2onnx is missing or too old.
    InvalidInputError
        If `path` is a directory, the network has several inputs or outputs, ONNX lacks one of its
        operations, or the result for normal random input differs from the network's by more than
        1e-5 of the largest output. Nothing is written then.

    References
    ----------
    ONNX, "Open Neural Network Exchange Intermediate Representation",
    https://onnx.ai/onnx/repo-docs/IR.html
    """
    _require_dependencies()
    file = as_path(path)
    check_file(file, "encoder.onnx")
    network = in_float32(network)
    shape = _sample_shape(network)
    content = _check_operations(_translate(network, shape, input_name, output_name))
    _compare(network, shape, content)
    with replace_file(file) as written:
        written.write_bytes(content)
    return file


def _require_dependencies() -> None:
    """Raise unless the optional packages are installed; the message lists the installed ones."""
    found = {name: _version_of(name) for name in _NEEDED}
    if all(_release(found[name]) >= _release(needed) for name, needed in _NEEDED.items()):
        return
    needs = ", ".join(f"{name} {version} or newer" for name, version in _NEEDED.items())
    finds = ", ".join(f"{name} {version or 'missing'}" for name, version in found.items())
    raise MissingDependencyError(
        f'to_onnx must find {needs}; got {finds}. Run: pip install "embedscope[onnx]"'
    )


def _version_of(package: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _release(version: str | None) -> tuple[int, ...]:
    """Major and minor number, for comparison."""
    return tuple(int(number) for number in re.findall(r"\d+", version or "")[:2])


def _sample_shape(network: keras.Model) -> tuple[int | None, ...]:
    """Shape of one sample, without the batch dimension; None where the network leaves it open."""
    is_functional = getattr(network, "inputs", None) is not None
    # A subclassed model has no symbolic tensors, only its build shape.
    inputs = network.input_shape if is_functional else network.get_build_config()["input_shape"]
    n_outputs = len(network.outputs) if is_functional else 1
    if n_outputs != 1 or any(isinstance(size, list | tuple) for size in inputs):
        raise InvalidInputError(
            f"network must have one input and one output; got inputs {inputs} and {n_outputs} "
            "output(s). Export its parts one by one, or join the tensors with a Concatenate layer."
        )
    return tuple(inputs[1:])


def _translate(
    network: keras.Model, shape: tuple[int | None, ...], input_name: str, output_name: str
) -> onnx.ModelProto:
    """Translate the network; needs the optional packages."""
    from embedscope.core.export._onnx_translation import translate

    try:
        return translate(network, shape, input_name, output_name)
    except InvalidInputError:
        raise
    except Exception as error:  # a user's layer and tf2onnx may raise anything
        raise InvalidInputError(
            f"network must be expressible in ONNX; got {error}. Replace the layer named there."
        ) from error


def _check_operations(model: onnx.ModelProto) -> bytes:
    """Raise unless every operation is part of ONNX; return the model's bytes."""
    import onnx

    unknown = {node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type)}
    if unknown:
        raise InvalidInputError(
            f"network must be made of operations that ONNX has; got {', '.join(sorted(unknown))}. "
            "Replace the layers that use them."
        )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise InvalidInputError(
            f"network must be expressible in ONNX; got {error}. Replace the layer named there."
        ) from error
    content: bytes = model.SerializeToString()
    return content


def _compare(network: keras.Model, shape: tuple[int | None, ...], content: bytes) -> None:
    """Raise unless onnxruntime gives the network's result on random batches."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal only: errors are raised
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class
        raise InvalidInputError(
            f"network must run in onnxruntime; got {error}. Replace the layer named there."
        ) from error
    (source,) = session.get_inputs()
    rng = np.random.default_rng(0)
    for batch_size in _BATCH_SIZES:
        size = (batch_size, *(known or _OPEN_SIZE for known in shape))
        batch = rng.standard_normal(size, dtype=np.float32)
        with tf.device("cpu:0"):  # a GPU may round products to 10 bits (TF32)
            (expected,) = keras.tree.flatten(network(batch, training=False))
        (computed,) = session.run(None, {source.name: batch})
        _require_same(computed, keras.ops.convert_to_numpy(expected))


def _require_same(computed: np.ndarray, expected: np.ndarray) -> None:
    """Raise if two results differ by more than rounding."""
    is_same_shape = computed.shape == expected.shape
    with np.errstate(invalid="ignore"):  # infinity minus infinity is NaN, refused below
        error = np.max(np.abs(computed - expected)) if is_same_shape else np.inf
        allowed = _TOLERANCE * np.max(np.abs(expected))
    if not error <= allowed:
        raise InvalidInputError(
            f"network must give the same result in onnxruntime, to {allowed:.3g}; got a difference "
            f"of {error:.3g} (shapes {computed.shape} and {expected.shape}). Look for layers that "
            "depend on earlier calls, or that give values which are not finite."
        )
