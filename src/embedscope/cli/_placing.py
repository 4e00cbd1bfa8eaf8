"""What places the rows of a file on a map: a saved model, or a session that knows more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from embedscope._errors import InvalidInputError
from embedscope.cli._blocks import Block, is_finite
from embedscope.explorer import Explorer
from embedscope.samples import NotLearned, Samples, SamplesPart, TableRecipe
from embedscope.samples.tables import are_names

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP

MODEL_FILE, SESSION_FILE = "model.json", "session.json"
_MOST_SHOWN = 10  # rows named in a message
_ROW = "row of the block"  # a column of ours, to find rows again after some were left out


@dataclass(frozen=True, eq=False)
class Placed:
    """The rows of a block on the map.

    Attributes
    ----------
    positions : ndarray of shape (n, n_components), float32
        NaN where a row has no position.
    novelty : ndarray of shape (n,), float32, or None
        Out-of-distribution score; None where only a model is there.
    names : DataFrame of n rows
        What identifies the rows.
    left_out : tuple of str
        What has no position, and why.
    """

    positions: np.ndarray
    novelty: np.ndarray | None
    names: pd.DataFrame
    left_out: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Identity, positions and novelty as a table."""
        columns = {f"umap_{axis + 1}": each for axis, each in enumerate(self.positions.T)}
        frame = self.names.assign(**columns)
        return frame if self.novelty is None else frame.assign(novelty=self.novelty)


class Placer(Protocol):
    """Places blocks of rows."""

    def place(self, block: Block, start: int) -> Placed:
        """Place a block whose first row is row `start` of the file.

        Raises
        ------
        InvalidInputError
            If the columns are not those that the map was trained on.
        """


def open_placer(path: Path) -> ModelPlacer | SessionPlacer:
    """Open a saved model or a session.

    Raises
    ------
    InvalidInputError
        If the folder holds neither.
    InvalidModelError
        If it is damaged.
    """
    if (path / SESSION_FILE).is_file():
        return SessionPlacer(Explorer.open(path))
    if (path / MODEL_FILE).is_file():
        from embedscope import load_ParametricUMAP

        return ModelPlacer(load_ParametricUMAP(path))
    raise InvalidInputError(
        f"model must be the folder of a session or of a saved model; got {str(path)!r}, which has "
        f"no {SESSION_FILE} and no {MODEL_FILE}. Make one with `embedscope train`."
    )


def check_session(path: Path) -> None:
    """Raise unless a folder holds a session.

    Raises
    ------
    InvalidInputError
    """
    if not (path / SESSION_FILE).is_file():
        raise InvalidInputError(
            f"session must be the folder of a session; got {str(path)!r}, which has no "
            f"{SESSION_FILE}. Make one with `embedscope train`."
        )


class ModelPlacer:
    """Places arrays, and tables by the names of their columns.

    Parameters
    ----------
    estimator : ParametricUMAP
    """

    def __init__(self, estimator: ParametricUMAP) -> None:
        self._estimator = estimator

    def place(self, block: Block, start: int) -> Placed:
        """See `Placer`."""
        values = self._values(block) if isinstance(block, pd.DataFrame) else block
        finite = is_finite(values)
        positions = np.full(
            (len(values), self._estimator.embedding_.shape[1]), np.nan, dtype=np.float32
        )
        if finite.any():
            positions[finite] = self._estimator.transform(values[finite])
        names = _named(block, start)
        return Placed(positions, None, names, _without_position(positions, start))

    def _values(self, frame: pd.DataFrame) -> Any:
        names = getattr(self._estimator, "feature_names_in_", None)
        if names is not None:
            return _with_columns(frame, [str(name) for name in names])
        expected = self._estimator.n_features_in_
        if frame.shape[1] != expected:
            raise InvalidInputError(
                f"data must have the {expected} columns that the model was trained on, which knows "
                f"no names; got {frame.shape[1]}: {_listed(frame.columns)}. Give a table of these "
                "columns alone, or train on a table."
            )
        return frame.to_numpy()


class SessionPlacer:
    """Places what the samples of a session were made of: arrays, tables, images.

    Parameters
    ----------
    explorer : Explorer
        With a trained map.
    """

    def __init__(self, explorer: Explorer) -> None:
        if explorer.model is None:
            raise InvalidInputError(
                "model must be a session with a trained map; got one without. Open it, train, and "
                "save it."
            )
        self.explorer = explorer
        self._known = explorer.model.samples
        self._n_components = explorer.model.embedding.shape[1]

    @property
    def known(self) -> Samples:
        """The samples that the map was trained on."""
        return self._known

    def place(self, block: Block, start: int) -> Placed:
        """See `Placer`."""
        recipe = self._known.recipe
        names = _named(block, start)
        columns = None
        if isinstance(recipe, TableRecipe) and isinstance(block, pd.DataFrame):
            learned = self._known.learned
            others = () if learned is None or learned.kind != "columns" else learned.names
            columns = list(dict.fromkeys(map(str, (*recipe.columns, *others))))
            _with_columns(block, columns)
            kept = [name for name in (recipe.label_column, recipe.frame_column) if name is not None]
            names = names.assign(**{name: block[name].to_numpy() for name in kept})
            needed = list(dict.fromkeys([*columns, *kept]))
            # Other columns, and an index of names that repeat, do not matter for a position.
            block = block[needed].reset_index(drop=True).assign(**{_ROW: np.arange(len(block))})
        finite = np.flatnonzero(is_finite(block, columns))
        positions = np.full((len(names), self._n_components), np.nan, dtype=np.float32)
        novelty = np.full(len(names), np.nan, dtype=np.float32)
        if len(finite):
            chosen = block.iloc[finite] if columns is not None else block[finite]
            samples = self._known.same_way(chosen, source="input")
            rows = finite if columns is None else samples.features[_ROW].to_numpy(np.int64)
            positions[rows], novelty[rows] = self.explorer.embed(samples)
        return Placed(positions, novelty, names, _without_position(positions, start))

    def none_placed(self, reasons: tuple[str, ...]) -> Placed:
        """No samples, and why."""
        positions = np.empty((0, self._n_components), np.float32)
        names = pd.DataFrame({"source": [], "frame": [], "label": []}).astype(
            {"source": str, "frame": np.int64, "label": np.int64}
        )
        return Placed(positions, positions[:, 0], names, reasons)

    def place_part(self, part: SamplesPart) -> Placed:
        """Place a part of the samples of an image, made as those of the session."""
        samples = part.samples
        left_out = tuple(
            f"{each.name}: {each.reason}"
            for each in part.left_out
            if not isinstance(each, NotLearned)
        )
        if samples is None:
            return self.none_placed(left_out)
        positions, novelty = self.explorer.embed(samples)
        identities = samples.identities
        names = pd.DataFrame(
            {
                "source": [identities.sources[number] for number in identities.source],
                "frame": identities.frame,
                "label": identities.label,
            }
        )
        return Placed(positions, novelty, names, left_out)


def _with_columns(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The columns of these names, in this order."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"data must have the columns that the map was trained on, {_listed(names)}; got "
            f"{_listed(frame.columns)}. Missing: {_listed(missing)}. Rename or add them."
        )
    return frame[names]


def _listed(names: Any, most: int = 30) -> str:
    shown = ", ".join(repr(str(name)) for name in list(names)[:most])
    rest = len(names) - most
    return f"[{shown}{f', and {rest} more' if rest > 0 else ''}]"


def _without_position(positions: np.ndarray, start: int) -> tuple[str, ...]:
    rows = np.flatnonzero(np.isnan(positions).any(axis=1)) + start
    if not len(rows):
        return ()
    shown = ", ".join(map(str, rows[:_MOST_SHOWN]))
    more = f" and {len(rows) - _MOST_SHOWN} more" if len(rows) > _MOST_SHOWN else ""
    return (f"row {shown}{more}: values that are NaN or infinite, or label 0",)


def _named(block: Block, start: int) -> pd.DataFrame:
    """The number of each row in the file, and its name if the table has an index of names."""
    names = pd.DataFrame({"row": np.arange(start, start + len(block))})
    is_named = isinstance(block, pd.DataFrame) and are_names(block.index)
    return names.assign(name=block.index.to_numpy()) if is_named else names
