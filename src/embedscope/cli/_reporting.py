"""`embedscope report`: what a session or a saved model holds, in words or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.cli._placing import MODEL_FILE, SESSION_FILE
from embedscope.explorer import Explorer

if TYPE_CHECKING:
    from embedscope.samples import Samples
    from embedscope.training import TrainedMap

_MOST_SCORED = 2_000  # samples whose neighbours are compared: two matrices of 32 MB, a second


def report(model: Path, *, map_picture: Path | None = None) -> dict[str, Any]:
    """Gather what a session or a saved model holds.

    Parameters
    ----------
    model : Path
        Folder of a session, or of a saved model.
    map_picture : Path, optional
        Draw the map of a session there; ends in .png, .svg or .pdf.

    Returns
    -------
    dict
        Of what JSON can hold.
    """
    if (model / SESSION_FILE).is_file():
        explorer = Explorer.open(model)
        if map_picture is not None:
            explorer.save_map(map_picture)
        return _session(model, explorer)
    if (model / MODEL_FILE).is_file():
        if map_picture is not None:
            raise InvalidInputError(
                "--map must be of a session; got a model alone. Leave it out, or give the session."
            )
        return _model(model)
    raise InvalidInputError(
        f"model must be the folder of a session or of a saved model; got {str(model)!r}, which has "
        f"no {SESSION_FILE} and no {MODEL_FILE}. Make one with `embedscope train`."
    )


def as_text(told: dict[str, Any]) -> str:
    """A report in lines, for a terminal."""
    lines = []
    for name, value in told.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            lines.append(f"{label}:")
            lines += [f"  {key}: {_shown(each)}" for key, each in value.items()]
        else:
            lines.append(f"{label}: {_shown(value)}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _session(path: Path, explorer: Explorer) -> dict[str, Any]:
    samples = explorer.samples
    assert samples is not None  # a session holds samples
    told: dict[str, Any] = {
        "kind": "session",
        "versions": _versions(path / SESSION_FILE),
        "samples": _samples(samples),
        "map": None,
        "gates": _gates(explorer),
        "losses": {name: values[-1] for name, values in explorer.losses.items() if values},
    }
    trained = explorer.model
    if trained is not None:
        told["map"] = {
            "trained_on": int(explorer.in_training.sum()),
            "placed_later": int((~explorer.in_training).sum()),
            "unlike_those_trained_on": int(explorer.novel.sum()),
            "trustworthiness_of_those_trained_on": _trustworthiness(trained),
            "decoder": None if explorer.explained is None else explorer.explained.text,
        }
        told["parameters"] = trained.parameters.to_dict()
    return told


def _model(path: Path) -> dict[str, Any]:
    from embedscope import load_ParametricUMAP

    estimator = load_ParametricUMAP(path)
    parameters = {
        name: value for name, value in estimator.get_params().items() if value is not None
    }
    return {
        "kind": "model",
        "versions": _versions(path / MODEL_FILE),
        "map": {
            "trained_on": len(estimator.embedding_),
            "n_features_in": int(estimator.n_features_in_),
            "n_components": int(estimator.embedding_.shape[1]),
            "has_decoder": estimator.decoder_ is not None,
        },
        "losses": {name: values[-1] for name, values in estimator.history_.items() if values},
        "parameters": {name: _plain(value) for name, value in parameters.items()},
    }


def _samples(samples: Samples) -> dict[str, Any]:
    identities = samples.identities
    counts = np.bincount(identities.source, minlength=len(identities.sources))
    return {
        "count": len(samples),
        "kind": samples.recipe.kind,
        "shape": list(samples.sample_shape),
        **({"cut_as": told} if (told := samples.recipe.crops_told) else {}),
        "sources": dict(zip(identities.sources, counts.tolist(), strict=True)),
        "features": list(map(str, samples.features.columns)),
        "learned_from": None if samples.learned is None else samples.learned.text,
        "without_images": sorted(samples.absent),
    }


def _gates(explorer: Explorer) -> dict[str, int]:
    counts = explorer.gate_counts()
    return {
        gate.name: int(counts["count"][counts["gate"] == gate.name].sum())
        for gate in explorer.gates
    }


def _trustworthiness(trained: TrainedMap) -> float | None:
    """Of at most 2,000 samples, evenly along the rows; None where images are absent."""
    from sklearn.manifold import trustworthiness

    samples, n_neighbors = trained.samples, trained.parameters.n_neighbors
    rows = np.linspace(0, len(samples) - 1, min(len(samples), _MOST_SCORED)).astype(np.int64)
    if (samples.absent and samples.learned is None) or len(rows) <= 2 * n_neighbors + 1:
        return None
    values = samples.encoder_inputs(rows).reshape(len(rows), -1)
    return float(trustworthiness(values, trained.embedding[rows], n_neighbors=n_neighbors))


def _versions(header: Path) -> dict[str, str]:
    """With what it was saved."""
    return {str(k): str(v) for k, v in json.loads(header.read_bytes()).get("versions", {}).items()}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
