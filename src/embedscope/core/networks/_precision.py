"""Copy a network that computes in half precision to one that computes in float32.

Nothing is lost: mixed precision stores the weights in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope.core.networks._networks import copy_weights, kept_random_state
from embedscope.core.networks._tensorflow import keras

_HALF = ("bfloat16", "float16")
_HALF_POLICIES = (*_HALF, *(f"mixed_{name}" for name in _HALF))


def computes_in(network: Any, precisions: Sequence[str]) -> bool:
    """Whether a layer of the network, or of a network in it, computes in one of the precisions."""
    return any(
        layer.compute_dtype in precisions
        or (hasattr(layer, "layers") and computes_in(layer, precisions))
        for layer in network.layers
    )


def in_float32(network: Any) -> Any:
    """The network, or a copy in float32 if it computes in half precision.

    Raises
    ------
    InvalidInputError
        If Keras cannot copy the network.
    """
    if not computes_in(network, _HALF):
        return network
    policy = keras.config.dtype_policy()
    try:
        # Layers that make inner layers use the global policy.
        keras.config.set_dtype_policy("float32")
        with kept_random_state():
            copied = _copy_of_network(network)
        copy_weights(network, copied)
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise InvalidInputError(
            f"network must be one that Keras can copy in float32; got {network.name!r}, which it "
            f"cannot: {str(error).rstrip('.')}. Give custom layers a get_config."
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
    return copied


def _copy_of_network(network: Any) -> Any:
    if getattr(network, "inputs", None) is not None:
        return keras.models.clone_model(network, clone_function=_copy_of, recursive=True)
    described = _raised(keras.saving.serialize_keras_object(network))  # a subclassed model
    return keras.saving.deserialize_keras_object(
        described, custom_objects={type(network).__name__: type(network)}
    )


def _copy_of(layer: Any) -> Any:
    return type(layer).from_config(_raised(layer.get_config()))


def _raised(config: Any) -> Any:
    """A layer's config with float32 in place of every half precision."""
    if isinstance(config, list | tuple):
        return type(config)(_raised(value) for value in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and config["config"]["name"] in _HALF_POLICIES:
        return "float32"
    return {
        key: "float32" if key == "dtype" and value in _HALF_POLICIES else _raised(value)
        for key, value in config.items()
    }
