"""What can be pickled and never unpickled is refused while there is still something to save."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from embedscope._errors import InvalidInputError


def check_networks(state: Mapping[str, Any]) -> None:
    """Raise unless Keras can build again what an estimator's attributes hold of it.

    Parameters
    ----------
    state : mapping
        Attributes by name.

    Raises
    ------
    InvalidInputError
        Naming the attribute and the class that is not registered with Keras.
    """
    if "keras" not in sys.modules:  # no network was ever made
        return
    from embedscope.core._model_archive import find_unregistered
    from embedscope.core._tensorflow import keras

    kinds = (keras.Model, keras.optimizers.Optimizer)
    for name, value in state.items():
        if not isinstance(value, kinds):
            continue
        try:
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
        except Exception as error:  # a layer's own get_config may raise anything
            reason: str | None = f"a part that does not describe itself ({error})"
        else:
            reason = find_unregistered(config)
        if reason is not None:
            raise InvalidInputError(
                f"{name} must be such that it can be unpickled or copied; got {reason}. Put "
                "@keras.saving.register_keras_serializable() on the class that you wrote, with a "
                "get_config, and build the network anew."
            )
