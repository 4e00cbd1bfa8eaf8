"""Samples from an array with one sample in each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._kind import Kind
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.common._scaling import ChannelScale
from embedscope.samples.identity._arrays import finest_level
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._source import Source
from embedscope.samples.images._rgb import RGB_NAMES, alpha_note, check_rgb
from embedscope.samples.tables._columns import checked_frame

Array = npt.NDArray[Any]

_MOST_VALUES = 2**28  # of a sparse matrix: 2 GiB in double precision


@dataclass(frozen=True)
class ArrayRecipe(Recipe):
    """Items of an array, unchanged.

    Attributes
    ----------
    shape : tuple of int
        Shape of one sample, as in the given array.
    rgb : bool
        Whether the channels are red, green and blue, which are scaled together.
    """

    kind: ClassVar[str] = "array"
    shape: tuple[int, ...]
    rgb: bool = False

    @property
    def is_rgb(self) -> bool:
        """Whether channels are scaled together."""
        return self.rgb


class ArrayKind(Kind[ArrayRecipe], recipe=ArrayRecipe):
    """Items of an array, as `samples_from_array` makes them."""

    def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
        """Take the items of another array."""
        self.refuse_labels(labels)
        return array_same_way(samples, self.recipe, data, **options)


def samples_from_array(
    X: Any,
    *,
    ids: npt.ArrayLike | None = None,
    features: Any = None,
    source: str = "array",
    rgb: bool = False,
) -> Samples:
    """Make a sample of every row of an array.

    Parameters
    ----------
    X : array of shape (n, n_features), (n, h, w), (n, h, w, n_channels) or (n, z, h, w, n_channels)
        Real numbers; also a sparse matrix of scipy. Arrays of more than 2 axes are pictures, with
        thumbnails; the range of each channel becomes 0..1. Rows of arrays of 2 axes stay unchanged.
    ids : array of int or str, shape (n,), optional
        A number of 0 or more, or a text such as a barcode, for each sample, all different. The row
        number if None.
    features : pandas.DataFrame of n rows, optional
        Numbers and categories to colour by, in the order of the rows; its index is ignored.
    source : str
        The name of this source, part of every sample's identity.
    rgb : bool
        The channels of pictures are red, green and blue, and perhaps alpha, which is left out; see
        `samples_from_labels`.

    Returns
    -------
    Samples
        Rows with NaN or infinite values are left out.

    Raises
    ------
    InvalidInputError
        If the array has another number of axes, is empty or not of real numbers, ids repeat, or
        lengths differ.
    """
    return _make(X, ids, features, source, None, rgb=rgb)


def array_same_way(
    samples: Samples,
    recipe: ArrayRecipe,
    X: Any,
    *,
    ids: npt.ArrayLike | None = None,
    features: Any = None,
    source: str = "array",
) -> Samples:
    """Scale rows of another array as those of `samples` were."""
    X = _dense(X)
    shape = tuple(finest_level(X, "X").shape[1:])
    if shape != recipe.shape:
        raise InvalidInputError(
            f"X must have samples of shape {recipe.shape}; got {shape}. Pass the same kind of data."
        )
    return _make(X, ids, features, source, samples.scale, rgb=recipe.rgb)


def _make(
    X: Any,
    ids: npt.ArrayLike | None,
    features: Any,
    source: str,
    scale: ChannelScale | None,
    *,
    rgb: bool,
) -> Samples:
    values = _checked_array(X)
    labels = np.arange(len(values)) if ids is None else np.asarray(ids)
    if features is not None:
        features = checked_frame(features, "features")
    for name, given in (("ids", labels), ("features", features)):
        if given is not None and given.shape[:1] != values.shape[:1]:
            raise InvalidInputError(
                f"{name} must have one entry for each of the {len(values)} samples; got shape "
                f"{given.shape}. Give one for each row of X, in their order."
            )
    recipe = ArrayRecipe(shape=values.shape[1:], rgb=rgb)
    notes: tuple[LeftOut, ...] = ()
    if rgb:
        check_rgb("X", values.shape[-1] if values.ndim > 3 else 1)
        notes = alpha_note(source) if values.shape[-1] == 4 else ()
        values = values[..., :3]
    finite = finite_rows(values)
    if not finite.any():
        raise InvalidInputError(
            "X must have a row of finite numbers; got NaN or infinite values in every row. Drop "
            "the columns that hold them."
        )
    if not finite.all():
        values, labels = values[finite], labels[finite]
        features = None if features is None else features[finite]
    if features is not None:
        features = features.reset_index(drop=True)
    if values.ndim == 3:
        values = values[..., np.newaxis]
    pictures = values.ndim > 2
    if pictures and scale is None:
        scale = ArrayKind(recipe).measure_scale(values)
    return Samples(
        identities=Identities.of(source, labels),
        sources={source: Source(name=source, kind="array")},
        recipe=recipe,
        images=values if pictures else None,
        scale=scale,
        table=None if pictures else values.astype(np.float32),
        feature_names=() if pictures else tuple(f"feature {k}" for k in range(values.shape[1])),
        features=features,
        channel_names=(RGB_NAMES if rgb else _channel_names(values.shape[-1])) if pictures else (),
        left_out=(*_left_out(finite), *notes),
    )


def _dense(X: Any) -> Any:
    """A sparse matrix as an array; anything else unchanged."""
    if not (hasattr(X, "toarray") and hasattr(X, "nnz")):
        return X
    if np.prod(X.shape, dtype=float) > _MOST_VALUES:
        raise InvalidInputError(
            f"X must have at most {_MOST_VALUES:,} values, zeros included; got a sparse matrix of "
            f"shape {X.shape}. Reduce it first, for example with sklearn.decomposition."
            "TruncatedSVD."
        )
    return X.toarray()


def _checked_array(X: Any) -> Array:
    values = np.asarray(finest_level(_dense(X), "X"))
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.ndim not in (2, 3, 4, 5) or values.size == 0 or values.dtype.kind not in "uif":
        raise InvalidInputError(
            "X must be a non-empty array of real numbers of shape (n, n_features), (n, h, w), (n, "
            f"h, w, channels) or (n, z, h, w, channels); got shape {values.shape} and dtype "
            f"{values.dtype}. Put samples first."
        )
    return values


def _channel_names(n_channels: int) -> tuple[str, ...]:
    return tuple(f"channel {channel}" for channel in range(n_channels))


def _left_out(finite: npt.NDArray[np.bool_]) -> tuple[LeftOut, ...]:
    rows = np.flatnonzero(~finite)
    if len(rows) == 0:
        return ()
    return (LeftOut(counted(len(rows), "row"), f"NaN or infinite values, first in row {rows[0]}"),)
