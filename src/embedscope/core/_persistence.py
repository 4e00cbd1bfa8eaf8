"""Save an estimator's parts and restore an estimator from them.

`_storage` handles the files; this module knows their content.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidModelError
from embedscope.core._estimator import TRAINED_NETWORKS, ParametricUMAP
from embedscope.core._landmarks import Landmarks
from embedscope.core._pickling import NOT_MISSED, warn_left_out
from embedscope.core._stored_consistency import check_parts
from embedscope.core.arrays._rows import Rows
from embedscope.core.fitting._request import FittedMap
from embedscope.core.layout._layout import Objective
from embedscope.core.networks._networks import kept_random_state
from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import keras
from embedscope.core.storage._model_archive import find_untrusted
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._storage import StoredModel, read_model, write_model

_LANDMARKS = ("anchors", "landmarks")  # those of `update`, and those of `add_landmarks`
_TRAINED = {"trained": True}  # in place of a user's network, which is saved as trained


def save_estimator(estimator: ParametricUMAP, path: str | os.PathLike[str]) -> None:
    """Save a fitted estimator; see `ParametricUMAP.save`."""
    parameters, left_out = _storable_parameters(estimator)
    networks = {name: getattr(estimator, f"{name}_") for name in TRAINED_NETWORKS}
    fitted = estimator._fitted
    reconstruction = fitted.reconstruction
    state = {
        "left_out": left_out,
        "history": fitted.history,
        "objective": {"a": fitted.objective.a, "b": fitted.objective.b},
        "n_features_in": estimator.n_features_in_,
        "sample_shape": list(estimator._sample_shape),
        "given_shape": list(estimator._given_shape),
        "decoded_shape": None
        if estimator._decoded_shape is None
        else list(estimator._decoded_shape),
        "landmarks": [name for name in _LANDMARKS if getattr(estimator, f"_{name}") is not None],
        "reconstruction": None
        if reconstruction is None
        else {
            "kind": reconstruction.kind,
            "needs_sigmoid": reconstruction.needs_sigmoid,
            "limits": reconstruction.limits,
        },
    }
    model = StoredModel(
        parameters,
        state,
        _arrays(estimator, state),
        {name: network for name, network in networks.items() if network is not None},
    )
    with kept_random_state():  # reading the model back builds networks
        write_model(path, model, check=_restore)


def _arrays(estimator: ParametricUMAP, state: dict[str, Any]) -> dict[str, np.ndarray]:
    graph = sparse.csr_matrix(estimator.graph_)
    arrays = {
        "embedding": estimator.embedding_,
        "validation_rows": estimator.validation_rows_,
        "graph_data": graph.data,
        "graph_indices": graph.indices,
        "graph_indptr": graph.indptr,
    }
    for name in state["landmarks"]:
        landmarks = getattr(estimator, f"_{name}")
        arrays[f"{name}_positions"] = landmarks.positions
        arrays |= _rows_arrays(f"{name}_rows", landmarks.rows.whole())
    if hasattr(estimator, "feature_names_in_"):
        arrays["feature_names"] = estimator.feature_names_in_.astype(str)
    reconstruction = estimator._fitted.reconstruction
    if reconstruction is not None:
        arrays["reconstruction_offset"] = reconstruction.offset
        arrays["reconstruction_scale"] = reconstruction.scale
    return arrays


def _rows_arrays(name: str, flat: np.ndarray | sparse.csr_matrix) -> dict[str, np.ndarray]:
    if isinstance(flat, np.ndarray):
        return {name: flat}
    return {
        f"{name}_data": flat.data,
        f"{name}_indices": flat.indices,
        f"{name}_indptr": flat.indptr,
        f"{name}_shape": np.asarray(flat.shape),
    }


def _storable_parameters(estimator: ParametricUMAP) -> tuple[dict[str, Any], list[str]]:
    """Parameters as JSON, and the names of those that cannot be stored and are needed later.

    Arrays of the training samples and the progress hook are not stored, and not named.
    """
    stored: dict[str, Any] = {}
    left_out = []
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, keras.Model):
            value = _TRAINED
        elif isinstance(value, keras.optimizers.Optimizer) or (
            name == "optimizer" and isinstance(value, dict)
        ):
            value = {"keras": keras.optimizers.serialize(keras.optimizers.get(value))}
        elif isinstance(value, np.generic):
            value = value.item()
        try:
            if find_untrusted(json.loads(json.dumps({name: value}, allow_nan=False))):
                raise ValueError("an object that loading would refuse")
        except (TypeError, ValueError):
            if name not in NOT_MISSED:
                left_out.append(name)
            continue
        stored[name] = list(value) if isinstance(value, tuple) else value
    return stored, left_out


def load_ParametricUMAP(path: str | os.PathLike[str]) -> ParametricUMAP:
    """Load a map that `ParametricUMAP.save` wrote.

    No code in the files is run: they hold no pickle, and networks may hold only layers of Keras
    itself or layers that your own code has registered with Keras.

    Parameters
    ----------
    path : str or path
        The directory.

    Returns
    -------
    ParametricUMAP
        Its transform is the same to the last bit. Parameters that are functions (such as a loss of
        your own) are not stored: they have their defaults, and a warning names them.

    Raises
    ------
    InvalidModelError
        If the model is missing, damaged, unsafe or of a newer format; a ValueError.
    """
    with kept_random_state():
        model = read_model(path)
    try:
        estimator = _restore(model)
    except InvalidModelError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InvalidModelError(
            f"path must hold a model that embedscope saved; got {os.fspath(path)!r}, whose parts "
            f"do not fit together ({error!r}). Save the model again."
        ) from error
    warn_left_out(model.state["left_out"])
    return estimator


def _restore(model: StoredModel) -> ParametricUMAP:
    networks, arrays, state = model.networks, model.arrays, model.state
    parameters = dict(model.parameters)
    # Keras builds any object that a config names, also in the config of an optimiser.
    if reason := find_untrusted(parameters):
        raise InvalidModelError(f"{MODEL.header} must describe trusted objects; got {reason}")
    for name in ("encoder", "decoder"):
        if parameters.get(name) == _TRAINED:
            parameters[name] = networks[name]
    if isinstance(parameters.get("optimizer"), dict):
        parameters["optimizer"] = keras.optimizers.deserialize(parameters["optimizer"]["keras"])
    estimator = ParametricUMAP(**parameters)
    n_samples = len(arrays["graph_indptr"]) - 1
    graph = sparse.csr_matrix(
        (arrays["graph_data"], arrays["graph_indices"], arrays["graph_indptr"]),
        shape=(n_samples, n_samples),
    )
    graph.check_format()
    estimator.n_features_in_ = int(state["n_features_in"])
    if "feature_names" in arrays:
        estimator.feature_names_in_ = arrays["feature_names"].astype(object)
    fitted = FittedMap(
        networks["encoder"],
        networks.get("decoder"),
        arrays["embedding"],
        graph,
        {name: [float(v) for v in values] for name, values in state["history"].items()},
        Objective(
            float(state["objective"]["a"]),
            float(state["objective"]["b"]),
            estimator.negative_sample_rate,
            estimator.repulsion_strength,
        ),
        _restored_reconstruction(model),
        networks.get("style_encoder"),
        networks.get("spread_decoder"),
        # Models of format 1 have no held-out samples.
        arrays.get("validation_rows", np.empty(0, np.int64)),
    )
    sample_shape = tuple(int(size) for size in state["sample_shape"])
    given_shape = tuple(int(size) for size in state["given_shape"])
    landmarks = {
        name: Landmarks(
            Rows(_restored_rows(f"{name}_rows", arrays), sample_shape, given_shape),
            arrays[f"{name}_positions"],
        )
        for name in _LANDMARKS
        if name in state["landmarks"]
    }
    decoded_shape = state.get("decoded_shape")  # models of earlier versions have none
    estimator._restore(
        fitted,
        **landmarks,
        sample_shape=sample_shape,
        given_shape=given_shape,
        decoded_shape=None if decoded_shape is None else tuple(map(int, decoded_shape)),
    )
    check_parts(estimator)
    return estimator


def _restored_reconstruction(model: StoredModel) -> Reconstruction | None:
    described = model.state["reconstruction"]
    if described is None:
        return None
    limits = described.get("limits")
    return Reconstruction(
        str(described["kind"]),
        model.arrays["reconstruction_offset"],
        model.arrays["reconstruction_scale"],
        needs_sigmoid=bool(described["needs_sigmoid"]),
        limits=None if limits is None else (float(limits[0]), float(limits[1])),
    )


def _restored_rows(name: str, arrays: dict[str, np.ndarray]) -> np.ndarray | sparse.csr_matrix:
    if name in arrays:
        return arrays[name]
    parts = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_matrix(tuple(parts), shape=tuple(int(n) for n in arrays[f"{name}_shape"]))
