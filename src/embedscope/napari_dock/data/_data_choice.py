"""The chosen layers and options: frozen, so that a worker thread can use them later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.napari_dock.data._copied_samples import check_is_no_copy
from embedscope.napari_dock.data._layer_features import (
    chosen_keys,
    inferred_axis,
    samples_of_features,
)
from embedscope.napari_dock.data._layer_keys import TableKeys
from embedscope.napari_dock.data._layer_samples import (
    CropOptions,
    check_any,
    samples_of_manifest,
    samples_of_objects,
    samples_of_patches,
    samples_same_way,
)
from embedscope.napari_dock.data._previewing import Place, Preview, preview_objects, preview_patches
from embedscope.napari_dock.data._proxies import layer_class
from embedscope.samples import Samples
from embedscope.samples.reading import manifest_same_way


class Kind(Enum):
    """What a sample is."""

    OBJECTS = "Objects of a labels layer"
    FEATURES = "Feature columns of a layer"
    PATCHES = "Patches of an image"
    MANIFEST = "Objects of many files"


@dataclass(frozen=True)
class DataChoice:
    """Layers and options; two are equal if they give the same samples.

    Attributes
    ----------
    kind : Kind
    labels : napari.layers.Labels, napari.layers.Points or None
        Points for feature columns only.
    images : tuple of napari.layers.Image
    columns : tuple of str
        Of the layer's features, or of a manifest and its tables.
    learns_from_columns : bool
        Whether the map of objects learns from these columns instead of the pixels.
    options : CropOptions
    patch_px, step_px : int
        Side of a patch, and the distance between neighbouring patches.
    keys : TableKeys
        Which columns of the labels' features name the object of each row.
    manifest : str
        Path of the table that lists the files; "" for none.
    """

    kind: Kind
    labels: Any = None
    images: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    learns_from_columns: bool = False
    options: CropOptions = field(default_factory=CropOptions)
    patch_px: int = 32
    step_px: int = 32
    keys: TableKeys = field(default_factory=TableKeys)
    manifest: str = ""

    @property
    def layer(self) -> Any:
        """The layer that the samples lie in, or None."""
        if self.kind is Kind.PATCHES:
            return self.images[0] if self.images else None
        return None if self.kind is Kind.MANIFEST else self.labels

    def make(self) -> Samples:
        """Make the samples; may take long, and changes nothing.

        Raises
        ------
        InvalidInputError
            If a layer is not chosen, or the layers do not fit each other.
        """
        self.check()
        third_axis = self.options.third_axis
        if self.kind is Kind.FEATURES:
            return samples_of_features(self.labels, self.columns, third_axis, self.keys)
        if self.kind is Kind.OBJECTS:
            made = samples_of_objects(self.labels, self.images, self.options, self.keys)
        elif self.kind is Kind.MANIFEST:
            made = samples_of_manifest(self.manifest, self.options)
        else:
            made = samples_of_patches(
                self.images, self.patch_px, self.step_px, third_axis, self.options.volume
            )
        if self.options.scales_within:
            made = made.scaled_within("source")
        return made.learning_from(self.columns) if self.learns_from_columns else made

    def with_layer(self, old: Any, new: Any) -> DataChoice:
        """The same choice with one layer replaced by another."""
        labels = new if self.labels is not None and self.labels == old else self.labels
        images = tuple(new if image == old else image for image in self.images)
        return replace(self, labels=labels, images=images)

    def make_like(self, samples: Samples) -> Samples:
        """Make samples of these layers or files in the way of others: same size, same scale.

        Raises
        ------
        InvalidInputError
            If they are not of the same kind, or they, or layers that they are copies of, have
            samples on the map already.
        """
        self.check()
        if self.kind is Kind.MANIFEST:
            return manifest_same_way(samples, self.manifest)
        if self.layer.name in samples.sources:
            raise InvalidInputError(
                f"the layer must be another one; got {self.layer.name!r}, whose samples are on "
                "the map already. Choose the layers of another image."
            )
        made = samples_same_way(samples, self.labels, self.images, keys=self.keys)
        check_is_no_copy(samples, made)
        return made

    def make_again(self, samples: Samples, source: str) -> Samples:
        """Make the samples of a source again from its layers as they are now, on the same scale.

        Parameters
        ----------
        samples : Samples
            On the map, including those of the source.
        source : str

        Raises
        ------
        InvalidInputError
            If the layers do not fit any more, or nothing is left to cut.
        """
        self.check()
        return samples_same_way(samples, self.labels, self.images, source, self.keys)

    @property
    def description(self) -> str:
        """What the samples are, as far as known without reading pixels; "" if unknown."""
        if self.kind is Kind.MANIFEST:
            name = Path(self.manifest).name
            return f"Objects of the images in {name}; a click opens their image" if name else ""
        if self.layer is None:
            return ""
        if self.kind is Kind.FEATURES:
            n_rows, n_columns = len(self.layer.features), len(self.columns)
            of_columns = f" of {counted(n_columns, 'column')}"
            return counted(n_rows, "row") + of_columns if n_columns else ""
        if self.kind is Kind.PATCHES:
            return f"Patches of {self.patch_px} x {self.patch_px} px"
        if self.options.size_um is not None:
            return f"Crops of {self.options.size_um:g} x {self.options.size_um:g} µm"
        size = self.options.size_px
        return "Crops as large as the objects" if size is None else f"Crops of {size} x {size} px"

    def preview(self, place: Place, is_wanted: Callable[[], bool] = lambda: True) -> Preview:
        """Cut up to sixteen samples around a position in the layer.

        Parameters
        ----------
        place : tuple of int
            Pixel of `layer`, finest level.
        is_wanted : callable
            Returns False once the preview is outdated.

        Returns
        -------
        Preview
            Without pictures for feature columns.

        Raises
        ------
        InvalidInputError
            If a layer is not chosen, or the layers do not fit each other.
        """
        self.check()
        if self.kind is Kind.FEATURES:
            return Preview(self.description)
        if self.kind is Kind.OBJECTS:
            axis = self.options.third_axis or inferred_axis(self.labels, self.keys)
            options = replace(self.options, third_axis=axis)
            return preview_objects(self.labels, self.images, options, place, is_wanted)
        return preview_patches(self.images, self.patch_px, self.step_px, self.options, place)

    def check(self) -> None:
        """Raise if a layer is missing; reads nothing.

        Raises
        ------
        InvalidInputError
        """
        if self.kind is Kind.MANIFEST:
            if not self.manifest:
                raise InvalidInputError(
                    "a manifest must be chosen; got none. Open a table with the columns image and "
                    "labels."
                )
            self._check_columns()
            return
        if self.layer is None:
            what = "image" if self.kind is Kind.PATCHES else "labels layer"
            raise InvalidInputError(
                f"a {what} must be chosen; got none. Open one, or take a sample from File > Open "
                "Sample > embedscope."
            )
        if self.kind is Kind.OBJECTS:
            check_any(self.images)
            self._check_columns()

    def _check_columns(self) -> None:
        if self.learns_from_columns and not self.columns:
            raise InvalidInputError(
                "a column must be chosen to learn from; got none. Check one, or learn from pixels."
            )


def choice_of(
    samples: Samples, source: str, layer: Any, layers: Sequence[Any]
) -> DataChoice | None:
    """The choice that samples of a source came from, found among layers by their names.

    Parameters
    ----------
    samples : Samples
    source : str
    layer : napari.layers.Layer
        The layer that the samples lie in.
    layers : sequence of napari.layers.Layer

    Returns
    -------
    DataChoice or None
        For `make_again`; None if a channel is not among the layers.
    """
    if not samples.is_image:
        keys = chosen_keys(samples.recipe, layer)
        return DataChoice(Kind.FEATURES, layer, columns=samples.feature_names, keys=keys)
    made_from = samples.sources[source]
    by_name = {str(each.name): each for each in layers if layer_class(each) == "Image"}
    if made_from.kind == "patches" and len(made_from.channel_names) == 1:
        return DataChoice(Kind.PATCHES, images=(layer,))
    whole = f"{source} image"  # a layer with colours, as a session adds it
    is_whole = samples.recipe.is_rgb and whole in by_name
    names = [whole if is_whole or name not in by_name else name for name in samples.channel_names]
    if not all(name in by_name for name in names):
        return None
    images = tuple(by_name[name] for name in dict.fromkeys(names))
    kind = Kind.PATCHES if made_from.kind == "patches" else Kind.OBJECTS
    return DataChoice(kind, layer if kind is Kind.OBJECTS else None, images)
