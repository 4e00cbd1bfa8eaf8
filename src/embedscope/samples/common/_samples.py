"""The samples: the input of a network, with the identity, features and picture of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import check_count
from embedscope.samples.common._consistency import check_contents, check_lengths, check_sources
from embedscope.samples.common._display import Display
from embedscope.samples.common._groups import (
    GroupScales,
    group_of_new,
    groups_of,
    measured_within,
    parts_with_group,
    with_group,
)
from embedscope.samples.common._kind import kind_of
from embedscope.samples.common._learned import Learned
from embedscope.samples.common._learning import (
    choose_learned,
    parts_taught_like,
    taught_like,
    with_learned,
)
from embedscope.samples.common._pictures import Picture, full_range, resize_picture, to_picture
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._scaling import ChannelScale
from embedscope.samples.identity._arrays import finest_level
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._source import Source

if TYPE_CHECKING:
    import pandas as pd

IDENTITY_COLUMNS = ("source", "frame", "label")


class LeftOut(NamedTuple):
    """Part of the input that is not among the samples.

    Attributes
    ----------
    name : str
        The column, the rows or the objects.
    reason : str
        Why it was left out.
    """

    name: str
    reason: str


class NotLearned(LeftOut):
    """A column or channel that is not learned from; no sample is missing."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class Samples:
    """n samples, one in each row: pictures or table rows, their identities and their features.

    Made by `samples_from_labels`, `samples_from_patches`, `samples_from_table`,
    `samples_from_array` and `join_samples`.

    Attributes
    ----------
    identities : Identities
        The identity of each sample.
    sources : mapping of str to Source
        The sources by name, at least all those of `identities`.
    recipe : Recipe
        How the samples were made.
    images : ndarray of shape (n, [z,] h, w, n_channels), or None
        Pixels in the dtype and range of the image; None for tables.
    scale : ChannelScale or None
        The intensities that `X` brings to 0 and 1; None for tables.
    table : ndarray of shape (n, n_features), float32, or None
        The columns to learn from, standardised if the recipe says so; None for images.
    feature_names : tuple of str
        Name of each column of `table`.
    features : pandas.DataFrame of n rows
        Numbers and categories to colour and compare by: measurements of objects, or all columns of
        a table. The index is 0..n-1.
    bounding_boxes : ndarray of shape (n, 2 * d), int64, or None
        Extent of each object along the d spatial axes of the labels, in pixels: the first pixel
        along each axis, then one past the last.
    centroids : ndarray of shape (n, d), float64, or None
        Middle of each object along the spatial axes of the labels, in pixels (see
        `Source.to_world`): the centroid, or, where that is outside of the object, as in a ring, the
        object's pixel nearest to it.
    channel_names : tuple of str
        The name of each channel of `images`.
    left_out : tuple of LeftOut
        What is not among the samples, and why.
    groups : GroupScales or None
        The intensities that become 0 and 1 in each group of samples, if they are scaled within
        groups; see `scaled_within`. Then `scale` is only that of all pictures together.
    absent : mapping of str to str
        Sources without pictures, and why: a session was opened without their images. `images`
        holds zeros for their samples.
    learned : Learned or None
        What a map learns from instead of what the samples show; see `learning_from`.

    Raises
    ------
    InvalidInputError
        If lengths differ, a source is missing, or an object has label 0.
    """

    identities: Identities
    sources: Mapping[str, Source]
    recipe: Recipe
    images: npt.NDArray[Any] | None = None
    scale: ChannelScale | None = None
    table: npt.NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] = ()
    features: pd.DataFrame = None  # type: ignore[assignment]  # filled in below
    bounding_boxes: npt.NDArray[np.int64] | None = None
    centroids: npt.NDArray[np.float64] | None = None
    channel_names: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups: GroupScales | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    learned: Learned | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        object.__setattr__(self, "absent", MappingProxyType(dict(self.absent)))
        if self.features is None:
            object.__setattr__(self, "features", _no_features(len(self)))
        check_contents(self)
        check_lengths(self)
        check_sources(self)

    def __len__(self) -> int:
        return len(self.identities)

    def __repr__(self) -> str:
        """One line, since the arrays would fill pages."""
        kind = "pictures" if self.is_image else "rows"
        shape = " x ".join(map(str, self.sample_shape))
        lost = f", left out: {len(self.left_out)}" if self.left_out else ""
        taught = "" if self.learned is None else f", learning from {self.learned.text}"
        sources = ", ".join(self.sources)
        return f"Samples({len(self):,} {kind} of {shape} from {sources}{taught}{lost})"

    @property
    def is_image(self) -> bool:
        """Whether the samples are pictures."""
        return self.images is not None

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample: ([z,] h, w, n_channels), or (n_features,)."""
        return tuple(self._values.shape[1:])

    @property
    def X(self) -> npt.NDArray[np.float32]:
        """All samples as a network reads or decodes them, shape (n, *sample_shape), float32.

        The encoder reads `encoder_inputs`, which are the same unless `learned` says otherwise. Not
        cached, since pictures scaled to 0..1 take four times the memory of 8-bit pixels: store the
        result if you need it twice.
        """
        return self.inputs(slice(None))

    def inputs(self, rows: Any) -> npt.NDArray[np.float32]:
        """Return some samples as a network reads or decodes them.

        Parameters
        ----------
        rows : slice, int array or bool array
            Rows in any order.

        Returns
        -------
        ndarray of shape (k, *sample_shape), float32
            Pictures in 0..1; rows of the table unchanged.

        Raises
        ------
        InvalidInputError
            If pictures of some of them are absent; see `absent`.
        """
        self._check_present(rows)
        values = self._values[rows]
        if self.groups is not None:
            return self.groups.apply(values, self._group_names[rows])
        return values.astype(np.float32) if self.scale is None else self.scale.apply(values)

    def encoder_inputs(
        self, rows: Any = slice(None), *, report: Callable[[float], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return what the encoder of a map reads of some samples.

        Parameters
        ----------
        rows : slice, int array or bool array
            Rows in any order; all by default.
        report : callable, optional
            If a function computes it, called with the share of the samples that are done, 0..1;
            may raise to stop. A later call goes on where it was stopped.

        Returns
        -------
        ndarray of shape (k, n_values) or (k, *sample_shape), float32
            That of `learning_from`, standardised if asked for; or the result of `inputs`. Rows for
            which a function gives NaN or infinite values hold them; no map is trained on these.

        Raises
        ------
        InvalidInputError
            If a function has to compute it and fails, or pictures of some samples are absent.
        """
        if self.learned is None:
            return self.inputs(rows)
        return self.learned.inputs(self, rows, _nothing if report is None else report)

    def learning_from(self, what: Any, *, standardise: bool | None = None) -> Samples:
        """Return the same samples, of which a map learns something else than what they show.

        The neighbours and the encoder then use these values. Pictures are shown and decoded as
        before.

        Parameters
        ----------
        what : str, sequence of str, array, DataFrame, callable or None
            Names of columns of `features`; or an array, a sparse matrix or a table of numbers with
            a row for each sample, such as ``adata.obsm["X_pca"]``; or a function that computes such
            rows. It is called with batches of at most 64 samples, as `inputs` returns them: of
            pictures, shape (k, [z,] h, w, n_channels), float32, in 0..1. It returns numbers of
            shape (k, n_values), of a fixed n_values. It is called when a map is trained, in the
            thread of the training, and samples for which it gives NaN or infinite values are left
            out then. None takes what the samples show.
        standardise : bool, optional
            Whether to scale each value to mean 0 and standard deviation 1; by default only columns
            of `features`.

        Returns
        -------
        Samples
            Those whose columns or rows are finite; the others are in `left_out`.

        Raises
        ------
        InvalidInputError
            If there is no such column, the number of rows differs, or nothing is left.
        """
        if what is None:
            return replace(self, learned=None)
        return with_learned(self, *choose_learned(self, what, standardise))

    def learning_like(self, known: Samples, learned: Any = None) -> Samples:
        """Return the same samples, of which a map learns what it learns of others.

        `same_way` calls it. It is of use where features that are learned from are joined later.

        Parameters
        ----------
        known : Samples
            Made in the same way.
        learned : array or DataFrame, optional
            As for `same_way`.

        Returns
        -------
        Samples
            Those with finite values; the others are in `left_out`.

        Raises
        ------
        InvalidInputError
            If features are missing, or `learned` does not fit.
        """
        return taught_like(known, self, learned)

    def with_extractor(self, extractor: Callable[[npt.NDArray[np.float32]], Any]) -> Samples:
        """Return the same samples with the function that computes what they learn from.

        For samples of a session, which keeps the values but not the function.

        Parameters
        ----------
        extractor : callable
            The function that was given to `learning_from`.

        Raises
        ------
        InvalidInputError
            If it is another one: its values of some samples are compared with those kept.
        """
        if self.learned is None:
            raise InvalidInputError(
                "extractor must be given to samples that learn from what a function computes; got "
                "samples that do not. Use learning_from."
            )
        return replace(self, learned=self.learned.with_extractor(extractor, self))

    def thumbnail(
        self, row: Any, size_px: int | None = None, *, display: Display | None = None
    ) -> Picture:
        """Picture of one sample.

        Parameters
        ----------
        row : int
            The sample's row.
        size_px : int, optional
            Length of the longer side; the sample's own if None.
        display : Display, optional
            Limits and colours of the channels.

        Returns
        -------
        ndarray of shape (h, w, 3), uint8
            Without `display`, RGB pictures are as in their image. Of others, each channel is scaled
            as for the network.
            One channel is grey, two are magenta and green, three red, green and blue; of more, the
            first three are shown. If the name of the first channel says transmitted light, it is
            grey, with the others over it in colours. Of depth, the maximum is shown. An absent
            picture is plain grey.

        Raises
        ------
        InvalidInputError
            If the samples have no pictures, there is no such row, or the display does not fit.
        """
        if not isinstance(row, int | np.integer) or not 0 <= row < len(self):
            raise InvalidInputError(
                f"row must be in 0..{len(self) - 1}; got {row!r}. Look rows up by identity."
            )
        if self.absent and self._absent_rows[row]:
            sample = np.full(self.sample_shape, 0.5, np.float32)
            return _resized(to_picture(sample, self.channel_names), size_px)
        if self.images is None or (display is None and not self.recipe.is_rgb):
            return self.to_picture(self.inputs([row])[0], size_px)
        # Not what the network gets, where intensities beyond the scale are clipped.
        return _resized(self._drawn(self.images[row], display), size_px)

    def to_picture(
        self,
        sample: npt.NDArray[Any],
        size_px: int | None = None,
        *,
        display: Display | None = None,
    ) -> Picture:
        """Picture of a sample that a decoder has decoded, in the colours of `thumbnail`.

        Parameters
        ----------
        sample : float array of shape ([z,] h, w, n_channels)
            Values in the range of `X`, 0..1; others are clipped.
        size_px : int, optional
            Length of the longer side; the sample's own if None.
        display : Display, optional
            As for `thumbnail`.

        Raises
        ------
        InvalidInputError
            If the samples have no pictures, the shape is not `sample_shape`, or the display does
            not fit.
        """
        values = np.asarray(sample)
        if not self.is_image or values.shape != self.sample_shape:
            raise InvalidInputError(
                f"sample must be a picture of shape {self.sample_shape}; got shape {values.shape}. "
                "Samples from a table have no picture."
            )
        if self.scale is None or (display is None and not self.recipe.is_rgb):
            return _resized(to_picture(values, self.channel_names), size_px)
        intensities = self.scale.low + values * (self.scale.high - self.scale.low)
        return _resized(self._drawn(intensities, display), size_px)

    def _drawn(self, intensities: npt.NDArray[Any], display: Display | None) -> Picture:
        """Intensities of the image in the limits and colours of a display."""
        assert self.scale is not None  # pictures have one
        given = Display() if display is None else display
        limits = given.limits_for(intensities.shape[-1])
        low, high = self.scale.low, self.scale.high
        if limits is not None:
            low, high = limits.T
        elif self.recipe.is_rgb:
            low, high = np.zeros(1), np.array([self.white])
        levels = (intensities - low) / np.where(high > low, high - low, 1.0)
        return to_picture(levels, self.channel_names, given.tables_for(intensities.shape[-1]))

    @property
    def white(self) -> float:
        """The intensity that is white in an RGB picture: the largest of its dtype, 1 for floats."""
        assert self.scale is not None  # pictures have one
        opened = [each.image for each in self.sources.values() if each.image is not None]
        # Crops that were interpolated have another dtype than their image.
        pixels = finest_level(opened[0]) if opened else self._values
        return full_range(np.dtype(pixels.dtype), float(self.scale.high.max()))

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one value for each sample.

        Parameters
        ----------
        name : str
            A column of `features`, or "source", "frame" or "label".

        Raises
        ------
        InvalidInputError
            If there is no such column.
        """
        if name == "source":
            return np.array(self.identities.sources)[self.identities.source]
        if name in IDENTITY_COLUMNS:
            values: npt.NDArray[Any] = getattr(self.identities, name)
            return values
        if name not in self.features.columns:
            raise InvalidInputError(
                f"name must be one of {[*self.features.columns, *IDENTITY_COLUMNS]}; got {name!r}. "
                "Choose one of them."
            )
        return self.features[name].to_numpy()

    def with_features(self, **columns: npt.ArrayLike) -> Samples:
        """Return the same samples with further columns of features.

        Parameters
        ----------
        **columns : array of shape (n,)
            Numbers or categories by name, in the order of the rows; an index is ignored.

        Raises
        ------
        InvalidInputError
            If a name is already used, or there is not one value for each sample.
        """
        taken = sorted(columns.keys() & {*self.features.columns, *IDENTITY_COLUMNS})
        if taken:
            raise InvalidInputError(
                f"columns must have new names; got {taken}, which are already used. Rename them."
            )
        lengths = {name: np.shape(values) for name, values in columns.items()}
        wrong = {name: shape for name, shape in lengths.items() if shape != (len(self),)}
        if wrong:
            raise InvalidInputError(
                f"columns must have one value for each of the {len(self)} samples; got shapes "
                f"{wrong}. Give the values in the order of the rows."
            )
        # pandas would align a Series by its index, which is not the row.
        values: dict[str, Any] = {
            name: getattr(column, "array", column) for name, column in columns.items()
        }
        return replace(self, features=self.features.assign(**values))

    def scaled_within(self, column: str) -> Samples:
        """Return the same samples, with intensities scaled within groups instead of over all.

        Parameters
        ----------
        column : str
            The feature that names the group of each sample, such as a plate, or "source", for
            which "image" may be written too.

        Returns
        -------
        Samples
            The percentiles of each group become its 0 and 1. `same_way` keeps this.

        Raises
        ------
        InvalidInputError
            If the samples are of a table, pictures are absent, there is no such column, or values
            are missing.
        """
        name = "source" if column == "image" and "image" not in self.features else column
        return replace(
            self,
            groups=measured_within(self, name),
            learned=None if self.learned is None else self.learned.afresh(),
        )

    def subset(self, rows: npt.ArrayLike) -> Samples:
        """Return some of the samples, with the scale of all.

        Parameters
        ----------
        rows : int or bool array
            Rows in any order, each at most once, or a mask of n rows.

        Raises
        ------
        InvalidInputError
            If they are no such rows, or one is asked for twice.
        """
        chosen = _checked_rows(rows, len(self))
        names = ("images", "table", "bounding_boxes", "centroids")
        columns: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[chosen]
            for name in names
        }
        columns["identities"] = self.identities.take(chosen)
        columns["features"] = self.features.iloc[chosen].reset_index(drop=True)
        columns["learned"] = None if self.learned is None else self.learned.take(chosen)
        return replace(self, **columns)

    def same_way(
        self,
        data: Any,
        labels: Any = None,
        *,
        group: Any = None,
        learned: Any = None,
        **options: Any,
    ) -> Samples:
        """Make samples of new data exactly as these were made.

        A later image gets the same crop size, options and intensity scale; a later table the same
        columns and standardisation.

        Parameters
        ----------
        data : array, pyramid or pandas.DataFrame
            An image with the same axes and channels, a table with the same columns, or an array of
            samples of the same shape.
        labels : integer array or pyramid, optional
            The labels of the image.
        group : str or number, optional
            Where samples are scaled within groups, that of the image, such as its plate; a new one
            is measured on the image. Where each image is a group, it is not given.
        learned : array or DataFrame, optional
            What a map learns from, with a row for each new sample, if these samples learn from an
            array, or from features that the new ones do not have. A function computes it again.
        **options
            As in the function that made these samples: `source` (the name of the new source),
            `label_ids`, `affine`, `image_path`, `labels_path`, `pixel_size`, and `axes` and
            `image_axes` if they differ from those of the first image, as for a time series after
            single images.

        Returns
        -------
        Samples
            With the same `scale`, `recipe` and `sample_shape`.

        Raises
        ------
        InvalidInputError
            If the data do not fit.
        """
        made = kind_of(self).repeat(self, data, labels, **options)
        name = group_of_new(self, group, made.identities.sources[0])
        if self.groups is not None:
            made = with_group(made, self.groups, name)
        return made.learning_like(self, learned)

    def parts_same_way(
        self,
        data: Any,
        labels: Any = None,
        *,
        n_rows: int,
        group: Any = None,
        **options: Any,
    ) -> Iterator[Callable[[], SamplesPart]]:
        """Make samples of a large image in parts: the pictures of one part alone are in memory.

        Objects are found once, chunk by chunk, also those that lie on a border of chunks. They are
        not measured, so these samples must learn from pictures, or from what a function computes.

        Parameters
        ----------
        data, labels
            As for `same_way`.
        n_rows : int
            Objects in a part, at least 1.
        group : str or number, optional
            As for `same_way`. The image is cut twice if the group is new.
        **options
            As for `same_way`.

        Yields
        ------
        callable
            ``part()`` cuts a part and returns a `SamplesPart`. All parts together are the samples
            of `same_way`, in the same order.

        Raises
        ------
        InvalidInputError
            If the data do not fit.
        """
        n_rows = check_count("n_rows", n_rows)
        if self.learned is not None:
            self.learned.check_parts()
        parts: Iterator[Callable[[], SamplesPart]]
        parts = kind_of(self).repeat_in_parts(self, n_rows, data, labels, **options)
        name = group_of_new(self, group, str(options.get("source", "image")))
        if self.groups is not None:
            parts = parts_with_group(parts, self.groups, name, n_rows)
        return parts if self.learned is None else parts_taught_like(self, parts)

    @property
    def is_present(self) -> npt.NDArray[np.bool_]:
        """Which samples have their pictures, shape (n,), bool; all, unless some are `absent`."""
        return ~self._absent_rows

    @property
    def _values(self) -> npt.NDArray[Any]:
        values = self.images if self.images is not None else self.table
        assert values is not None  # checked by check_contents
        return values

    @cached_property
    def _group_names(self) -> npt.NDArray[np.str_]:
        assert self.groups is not None
        return groups_of(self, self.groups.column)

    @cached_property
    def _absent_rows(self) -> npt.NDArray[np.bool_]:
        absent = np.array([name in self.absent for name in self.identities.sources], bool)
        return absent[self.identities.source]

    def _check_present(self, rows: Any) -> None:
        if self.absent and self._absent_rows[rows].any():
            name, reason = next(iter(self.absent.items()))
            raise InvalidInputError(
                f"samples must have their pictures; got none for {len(self.absent)} source(s), the "
                f"first {name!r}: {reason}. Attach the images that the samples were cut from."
            )


class SamplesPart(NamedTuple):
    """A part of the samples of an image.

    Attributes
    ----------
    samples : Samples or None
        None if all of the part is left out.
    left_out : tuple of LeftOut
    """

    samples: Samples | None
    left_out: tuple[LeftOut, ...]


def _nothing(share: float) -> None:
    """Progress that nobody sees."""


def _resized(picture: Picture, size_px: int | None) -> Picture:
    return picture if size_px is None else resize_picture(picture, size_px)


def _checked_rows(rows: npt.ArrayLike, n_rows: int) -> npt.NDArray[Any]:
    chosen = np.asarray(rows)
    if chosen.size == 0 and chosen.dtype.kind != "b":
        return np.zeros(0, dtype=np.intp)
    if chosen.dtype.kind == "b" and chosen.shape == (n_rows,):
        return chosen
    are_rows = chosen.dtype.kind in "iu" and chosen.ndim == 1
    if are_rows and 0 <= chosen.min() <= chosen.max() < n_rows:
        return chosen
    raise InvalidInputError(
        f"rows must be whole numbers in 0..{n_rows - 1}, or a mask of {n_rows}; got {rows!r:.200}. "
        "Look rows up by identity."
    )


def _no_features(n_rows: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(index=pd.RangeIndex(n_rows))
