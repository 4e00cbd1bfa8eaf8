"""A session on disk: the whole state of an explorer, in a folder without a pickle.

==================  =============================================================================
``session.json``    content and checksums of the other files; parameters, gates, colours, sources
``arrays.npz``      identities, tables, positions, selection, losses, replay, novelty
``model/``          the trained map, as written by `ParametricUMAP.save`, which can be loaded alone
==================  =============================================================================

It is written and checked like a model: a save replaces all files at one instant, and reading runs
no code of the author of the files.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage import (
    Layout,
    as_path,
    check_arrays,
    describe_versions,
    open_verified,
    read_arrays,
    read_sealed,
    replace_files,
    write_sealed,
)
from embedscope.explorer.coloring._colors import ColorBy
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.session._kept_model import KeptModel, can_run_networks
from embedscope.explorer.session._session_labels import label_arrays, labels_in
from embedscope.explorer.session._session_samples import Absence, restore_samples, store_samples
from embedscope.explorer.session._session_state import SessionState
from embedscope.samples import Samples
from embedscope.training import Replay, TrainedMap, TrainingParameters

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP


SESSION = Layout(
    header="session.json",
    noun="session",
    # 2: training parameters with style numbers, models of format 2. 3: labels may be text. 4: maps
    # that learn from other values than those shown.
    format=4,
    data_file=re.compile(
        r"arrays\.npz|model/(model\.json|arrays\.npz|[A-Za-z]\w*\.keras)", re.ASCII
    ),
)


__all__ = ["Absence", "SessionState", "read_session", "write_session"]

Arrays = dict[str, npt.NDArray[Any]]

_MODEL = "model"
_REPLAY = "replay_"
_NOVELTY = "novelty_model_"


def write_session(
    path: str | os.PathLike[str], state: SessionState, *, include_images: bool = False
) -> None:
    """Save a session; replace one that is at `path`.

    Parameters
    ----------
    path : str or path
        Folder; created, with its parents, if it is missing.
    state : SessionState
        What to save. Images are stored as references to their paths, which are relative to the
        session below its parent folder. Images that are only in memory are not stored.
    include_images : bool, default=False
        Store the pictures of samples, so that the session can be opened without the images.

    Raises
    ------
    InvalidInputError
        If `path` is a file or holds something other than a session, or a part cannot be stored or
        read back. The old session then stays unchanged.
    """
    home = as_path(path)
    stored = store_samples(state.samples, home, state.absences, include_images=include_images)
    arrays = stored.arrays | _arrays_of(state)
    check_arrays(arrays)
    with replace_files(home, SESSION) as folder:
        if state.model is not None:
            state.model.estimator.save(folder / _MODEL)
        write_sealed(
            folder,
            SESSION,
            versions=describe_versions(),
            parameters=state.parameters.to_dict(),
            state={
                "samples": stored.described,
                "gates": state.gates.to_dict(),
                "color_by": state.color_by.to_dict(),
                "losses": list(state.losses),
                "model": None if state.model is None else _describe_model(state.model),
                "has_replay": state.replay is not None,
                "has_novelty_model": state.novelty_model is not None,
            },
            arrays=arrays,
        )
        _check_readable(folder, None if state.model is None else state.model.estimator)


def read_session(path: str | os.PathLike[str]) -> SessionState:
    """Load a session of `write_session`, without running code of its author.

    Images that are missing or have changed raise no error: the samples of their sources then have
    no pictures, and ``absences`` holds the reasons.

    Parameters
    ----------
    path : str or path
        Folder of the session. Another process may save to it at the same time.

    Returns
    -------
    SessionState

    Raises
    ------
    InvalidModelError
        If there is no session, or a part of it is missing, damaged, unsafe or of a newer format.
    """
    home = as_path(path)
    return read_sealed(home, SESSION, lambda header: _read(home, header))


def _check_readable(folder: Path, estimator: ParametricUMAP | None) -> None:
    """Read a session back, without images, before it replaces an older one."""

    def read(header: dict[str, Any]) -> SessionState:
        arrays = read_arrays(folder, header, SESSION)
        # The model was already read back when it was saved.
        return _restore(None, header, arrays, estimator)

    try:
        read_sealed(folder, SESSION, read)
    except Exception as error:  # after any error the session could not be opened again
        raise InvalidInputError(
            f"a session must be such that it can be opened again; got {str(error).rstrip('.')}. "
            "Nothing was saved, and an older session is unchanged: change that part and save again."
        ) from error


def _arrays_of(state: SessionState) -> Arrays:
    """All arrays except those of samples. Losses are arrays since JSON has no NaN."""
    chosen = state.samples.identities.take(np.flatnonzero(state.selected))
    arrays: Arrays = {
        "positions": state.positions,
        "selected_source": chosen.source.astype(np.int64),
        "selected_frame": chosen.frame,
        "in_training": state.in_training,
        "novelty": state.novelty,
        **label_arrays("selected_label", chosen.label),
        **_loss_arrays("loss", state.losses),
    }
    if state.model is not None:
        arrays["model_embedding"] = state.model.embedding
        arrays |= _loss_arrays("model_loss", state.model.losses)
    if state.replay is not None:
        arrays |= _prefixed(_REPLAY, state.replay.to_arrays())
    if state.novelty_model is not None:
        arrays |= _prefixed(_NOVELTY, state.novelty_model)
    return arrays


def _loss_arrays(key: str, losses: Mapping[str, list[float]]) -> Arrays:
    return {
        f"{key}_{number}": np.array(values, dtype=np.float64)
        for number, values in enumerate(losses.values())
    }


def _losses(key: str, names: list[str], arrays: Arrays) -> dict[str, list[float]]:
    return {str(name): arrays[f"{key}_{number}"].tolist() for number, name in enumerate(names)}


def _prefixed(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {prefix + name: array for name, array in arrays.items()}


def _unprefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _describe_model(model: TrainedMap) -> dict[str, Any]:
    return {
        "parameters": model.parameters.to_dict(),
        "losses": list(model.losses),
        "run_id": model.run_id,
    }


def _read(home: Path, header: dict[str, Any]) -> SessionState:
    """Read the state from a header and its files."""
    arrays = read_arrays(home, header, SESSION)
    has_model = header["state"].get("model") is not None
    estimator = _read_estimator(home, header, arrays) if has_model else None
    try:
        return _restore(home, header, arrays, estimator)
    except InvalidModelError:
        raise
    # A file of unknown origin may break the rules of any part, or need more memory than there is.
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        raise InvalidModelError(
            f"path must hold a session that embedscope saved; got {str(home)!r}, whose parts do "
            f"not fit together ({error!r}). Save the session again."
        ) from error


def _restore(
    home: Path | None, header: dict[str, Any], arrays: Arrays, estimator: ParametricUMAP | None
) -> SessionState:
    """The state of the session; if `home` is None, no image is opened."""
    state = header["state"]
    samples, absences = restore_samples(state["samples"], arrays, home)
    in_training = arrays["in_training"].astype(bool)
    return SessionState(
        samples=samples,
        positions=arrays["positions"].astype(np.float32),
        parameters=_parameters(header["parameters"]),
        gates=GateSet.from_dict(state["gates"]),
        color_by=_color_by(state["color_by"]),
        selected=_selected(samples, arrays),
        in_training=in_training,
        novelty=arrays["novelty"].astype(np.float32),
        losses=_losses("loss", state["losses"], arrays),
        model=None
        if estimator is None
        else _model(state["model"], arrays, estimator, samples, in_training),
        replay=Replay.from_arrays(_unprefixed(_REPLAY, arrays)) if state["has_replay"] else None,
        novelty_model=_unprefixed(_NOVELTY, arrays) if state["has_novelty_model"] else None,
        absences=absences,
    )


def _parameters(stored: dict[str, Any]) -> TrainingParameters:
    """Training parameters, also of an earlier version, in which a decoder had a name."""
    kept = {name: value for name, value in stored.items() if name != "decoder"}
    return TrainingParameters.from_dict(kept)


def _color_by(stored: Any) -> ColorBy:
    """The colour choice, or none if an earlier version stored one that is invalid."""
    if isinstance(stored, dict) and not isinstance(stored.get("name", ""), str):
        return ColorBy()
    return ColorBy.from_dict(stored)


def _selected(samples: Samples, arrays: Arrays) -> npt.NDArray[np.bool_]:
    """The selection, by identities."""
    selected = np.zeros(len(samples), dtype=bool)
    identities = samples.identities
    sources, frames = arrays["selected_source"], arrays["selected_frame"]
    labels = labels_in("selected_label", arrays)
    for number in np.unique(sources):
        mine = sources == number
        rows = identities.rows(identities.sources[number], labels[mine], frames[mine])
        if (rows < 0).any():
            raise ValueError("selected samples that are not among the samples")
        selected[rows] = True
    return selected


def _model(
    described: dict[str, Any],
    arrays: Arrays,
    estimator: ParametricUMAP,
    samples: Samples,
    in_training: npt.NDArray[np.bool_],
) -> TrainedMap:
    return TrainedMap(
        estimator=estimator,
        samples=samples if in_training.all() else samples.subset(in_training),
        parameters=_parameters(described["parameters"]),
        embedding=arrays["model_embedding"],
        losses=_losses("model_loss", described["losses"], arrays),
        run_id=int(described["run_id"]),
    )


def _read_estimator(home: Path, header: dict[str, Any], arrays: Arrays) -> ParametricUMAP:
    """Load the trained map from a copy of its files, which is exactly what was verified.

    Without TensorFlow, the copy is kept as it is.
    """
    with tempfile.TemporaryDirectory() as private:
        for name in header["files"]:
            folder, _, file = name.rpartition("/")
            if folder == _MODEL:
                with (
                    open_verified(home, name, header, SESSION) as stored,
                    (Path(private) / file).open("wb") as copy,
                ):
                    copyfileobj(stored, copy)
        if not can_run_networks():
            may_turn = header["state"]["model"]["parameters"].get("alike", "pixels") != "pixels"
            kept = KeptModel(Path(private), arrays["model_embedding"], may_turn)
            return cast("ParametricUMAP", kept)
        from embedscope.core import load_ParametricUMAP

        return load_ParametricUMAP(private)
