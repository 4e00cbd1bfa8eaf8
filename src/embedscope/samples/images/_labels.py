"""Samples from an image and its labels: one crop for each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy.typing as npt

from embedscope.samples.common._checks import check_choice, check_percentiles
from embedscope.samples.common._samples import Samples
from embedscope.samples.identity._source import Source
from embedscope.samples.images._crop_recipe import Background, CropRecipe, Padding, Volume
from embedscope.samples.images._crops import check_options, distinct_rows
from embedscope.samples.images._features import checked_channel_names
from embedscope.samples.images._field import open_field
from embedscope.samples.images._masks import check_no_mask
from embedscope.samples.images._object_samples import follow_recipe, with_pixel_size
from embedscope.samples.images._objects import find_objects
from embedscope.samples.images._rgb import RGB_NAMES, alpha_notes, as_rgb
from embedscope.samples.images._sizes import crop_shape, drawn_shape


def samples_from_labels(
    image: Any,
    labels: Any,
    size: int | None = None,
    *,
    size_um: float | None = None,
    drawn_px: int | None = None,
    axes: str | None = None,
    image_axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    source: str = "image",
    channel_names: Sequence[str] | None = None,
    padding: Padding = "reflect",
    background: Background = "keep",
    align: bool = False,
    volume: Volume = "project",
    percentiles: tuple[float, float] = (0.1, 99.9),
    rgb: bool = False,
    label_ids: npt.ArrayLike | None = None,
    features: bool = True,
    affine: npt.ArrayLike | None = None,
    image_path: str | None = None,
    labels_path: str | None = None,
) -> Samples:
    """Make a sample of every labelled object.

    Arrays may be numpy, dask or zarr, or pyramids (lists, finest level first): only a tile of the
    finest level is in memory at a time. A crop is centred on the object's centroid, or on its
    pixel nearest to the centroid where that is outside of the object, rounded to a whole pixel
    unless the crop is aligned. An object larger than the crop is cut off.

    Crops that would have more than 64 pixels are drawn smaller, each pixel the mean of those that
    it covers, unless `size` or `drawn_px` is given: training at 128 pixels takes three times as
    long. Features are measured on the pixels of the image.

    Parameters
    ----------
    image : array or pyramid
        Pixels of any real dtype, with the axes of the labels and, if it has channels, one for them.
    labels : array or pyramid of whole numbers
        The object that each pixel belongs to; 0 is background. Ids may have gaps, be as large as
        2**63 - 1 (2**53 in floats), and start again in each frame.
    size : int, optional
        Height and width of a crop in pixels of the image. If None, the smallest that holds 95 % of
        the objects whole.
    size_um : float, optional
        Side of a crop in micrometres, instead of `size`. Images with other pixel sizes that are cut
        with `same_way` are then resampled to the same number of pixels.
    drawn_px : int, optional
        Pixels along the longer side of a crop as the network gets it. If None, those of the image;
        at most 64, unless `size` is given.
    axes : {"yx", "zyx", "tyx", "tzyx"}, optional
        The axes of the labels. Required for 3 axes, which may be a time series or a volume.
    image_axes : str, optional
        The axes of the image: those of the labels, with "c" where the channels are. If None, the
        channels are last.
    pixel_size : float or sequence of float, optional
        Micrometres per pixel, one number or one for each spatial axis; if None, taken from
        `affine`, whose world must then be in micrometres. Crops of volumes then have a depth of the
        same length as their height.
    source : str
        The name of this source, part of every sample's identity.
    channel_names : sequence of str, optional
        The name of each channel; "channel 0" and so on if None.
    padding : {"reflect", "zero"}
        Pixels beyond the border of the image: its mirror image, or zeros.
    background : {"keep", "zero", "median"}
        Pixels outside of the object, those of neighbours included, are kept, set to zero, or set
        to the median of the unlabelled pixels, channel by channel.
    align : bool
        Rotate each crop in the plane so that the object's longest axis is vertical and its heavier
        end is at the bottom. Pixels are then interpolated linearly.
    volume : {"project", "mean", "middle", "volume"}
        A crop of a volume is its maximum over depth, its mean over depth, the plane through the
        object's middle, or stays a volume.
    percentiles : tuple of float
        The percentiles of each channel, over all crops, that become 0 and 1.
    rgb : bool
        The channels are red, green and blue, and perhaps alpha, which is left out. They are scaled
        together, so that hues stay as they are, and pictures of samples look like the image.
    label_ids : array of int, optional
        Take only these objects, in this order; in a time series, from all frames. Required for a
        single label that is in more than two pieces, as in a mask of all objects.
    features : bool
        Whether objects are measured too (see `measure_features`); needs scikit-image.
    affine : array of shape (d + 1, d + 1), optional
        From pixels of the labels to the world, d axes as in `axes`.
    image_path, labels_path : str, optional
        Where image and labels are stored, for the source.

    Returns
    -------
    Samples
        By rising frame and label. Objects whose crops hold NaN or infinite pixels are left out.

    Raises
    ------
    InvalidInputError
        If shapes or axes do not fit or are ambiguous, labels are not whole numbers of 0 or more, no
        object is labelled, one label marks all objects, a requested id is not in the labels, or an
        option is unknown.
    MissingDependencyError
        If features are wanted and scikit-image is not installed.

    Notes
    -----
    In images with more than 8 million pixels, the median of the background is that of every k-th
    pixel. A round object has no longest axis, so the angle of its aligned crop is arbitrary.
    """
    field = open_field(image, labels, axes, image_axes)
    if rgb:
        field = as_rgb(field)
        channel_names = channel_names or RGB_NAMES
    made_from = Source(
        name=source,
        kind="labels",
        image=image,
        labels=labels,
        axes=field.axes,
        image_axes=field.image_axes,
        channel_names=checked_channel_names(channel_names, field.n_channels),
        affine=affine,  # type: ignore[arg-type]  # checked and converted by Source
        image_path=image_path,
        labels_path=labels_path,
    )
    made_from = with_pixel_size(made_from, pixel_size)
    objects = find_objects(field)
    if label_ids is None:
        check_no_mask(field, objects)
    rows = distinct_rows(objects, label_ids)
    check_choice("volume", volume, get_args(Volume))
    steps = made_from.pixel_size
    is_projected = volume != "volume"
    shape = crop_shape(
        objects.take(rows),
        size,
        size_um,
        steps,
        align=align,
        is_projected=is_projected,
        drawn_px=drawn_px,
    )
    drawn = drawn_shape(shape, drawn_px, is_projected=is_projected, is_given=size is not None)
    recipe = CropRecipe(
        shape=shape,
        axes=field.axes,
        image_axes=field.image_axes,
        pixel_size=steps,
        padding=padding,
        background=background,
        align=align,
        volume=volume,
        percentiles=check_percentiles(percentiles),
        features=features,
        # Other images have other pixels, so those of the crops are fixed.
        drawn=shape if drawn is None and size_um is not None else drawn,
        size_um=size_um,
        rgb=rgb,
    )
    check_options(recipe)
    made = follow_recipe(field, made_from, recipe, objects, rows, None)
    return replace(made, left_out=(*made.left_out, *alpha_notes(field, source)))
