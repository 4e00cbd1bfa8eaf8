"""Pictures turned, mirrored and shifted to an orientation that they have by themselves.

The centre of what differs from the background becomes the middle. The longest axis becomes upright,
by second moments. The third moments along and across it decide which end is up and which side is
left. A turned, mirrored or shifted copy of a picture so gives the same upright picture: exactly, up
to rounding, after turns by 90 degrees and mirroring of square pictures, and up to interpolation
after others. Volumes turn about z alone, since their planes are mostly farther apart than their
pixels.

The corners of a picture are not in its turned copies, which have others. So only the circle that
touches the border is read. With the corners, turned nuclei that lie close to others were far apart.

A picture that is nearly round has no stable axis: turned copies of it can give different upright
pictures. `_ring_spectrum` reads what is the same in all of them.

References
----------
Hu, "Visual pattern recognition by moment invariants", IRE Transactions on Information Theory 8
(1962), doi:10.1109/TIT.1962.1057692.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.networks._tensorflow import keras, tf

_RING = 0.85  # of the way to the border
_EDGE = 0.1  # of the way: the circle fades out, since a hard edge has steps that a turn changes
# Passes that find the centre. The later ones look around the centre found before, in a narrower
# window: a fixed window pulls the centre of a shifted cell back to the middle.
_PASSES, _REACH = 3, 0.9
_SMALLEST = 1e-12  # a weight, or a second moment as a share of the weights: none at all


@keras.saving.register_keras_serializable(package="embedscope")
class Upright(keras.layers.Layer):
    """Turns pictures upright; nothing is trained.

    At the start of an encoder it is a preparation: the networks of a fit learn from upright
    samples, the decoder decodes upright samples, and the encoder still takes samples as they are.

    Input and output have shape (n, [depth,] height, width, n_channels). Outside of the circle that
    touches the border of the input the output has the colour of the background: the mean on a ring
    that touches the border from inside.

    Parameters
    ----------
    is_read : bool
        Whether the layers that follow read upright pictures. If not, the layer leaves pictures as
        they lie, and only the decoder and the style code learn from upright ones.
    """

    def __init__(self, is_read: bool = True, **options: Any) -> None:
        super().__init__(**{"trainable": False} | options)
        self.is_read = is_read

    def call(self, pictures: Any) -> Any:
        """The pictures that the next layer reads."""
        return self.upright(pictures) if self.is_read else pictures

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer."""
        return super().get_config() | {"is_read": self.is_read}

    def upright(self, pictures: Any) -> Any:
        """The pictures, upright."""
        around = _background(_as_planes(pictures))
        return _resampled(_without_corners(pictures, around), self.poses(pictures), around)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape

    def poses(self, pictures: Any) -> Any:
        """How the pictures lie, a tensor of shape (n, 2, 3).

        The first two columns of each are the directions (y, x) of the upright picture's rows and
        columns in the picture, the third is the place of its middle, in pixels from the middle.
        Gradients take them as fixed: a small change of a round picture may turn it by any angle.
        """
        planes = _as_planes(tf.stop_gradient(pictures))
        height, width = planes.shape[2:4]
        y, x = np.meshgrid(_from_middle(height), _from_middle(width), indexing="ij")
        weight = _object_weight(planes)
        middle_y, middle_x = tf.zeros_like(weight[:, :1, :1]), tf.zeros_like(weight[:, :1, :1])
        reach = 1.0
        for _ in range(_PASSES):
            dy, dx = y - middle_y, x - middle_x
            within = _within(weight, dy, dx, reach)
            middle_y += _sum(within * dy)[:, None, None]
            middle_x += _sum(within * dx)[:, None, None]
            reach = _REACH
        dy, dx = y - middle_y, x - middle_x
        weight = _within(weight, dy, dx, reach)
        along, across = _sum(weight * (dy * dy - dx * dx)), 2.0 * _sum(weight * dy * dx)
        up_y, up_x = _half_angle(along, across)
        up = up_y[:, None, None] * dy + up_x[:, None, None] * dx
        side = up_y[:, None, None] * dx - up_x[:, None, None] * dy
        end = _sign(_sum(weight * up**3))
        mirror = _sign(_sum(weight * side**3))
        rows = tf.stack([end * up_y, -mirror * up_x, middle_y[:, 0, 0]], axis=1)
        columns = tf.stack([end * up_x, mirror * up_y, middle_x[:, 0, 0]], axis=1)
        return tf.stop_gradient(tf.stack([rows, columns], axis=1))

    def turned_back(self, upright: Any, poses: Any) -> Any:
        """Upright pictures, turned so that they lie as the pictures of these poses do.

        Parameters
        ----------
        upright : tensor of shape (n, [depth,] height, width, n_channels)
        poses : tensor of shape (n, 2, 3)
        """
        turn = tf.transpose(poses[:, :, :2], (0, 2, 1))
        middle = -tf.reduce_sum(turn * poses[:, None, :, 2], axis=2, keepdims=True)
        around = _background(_as_planes(upright))
        return _resampled(upright, tf.concat([turn, middle], axis=2), around)


def preparation_of(encoder: Any) -> Upright | None:
    """The layer that turns samples upright, if the encoder is a chain that starts with it."""
    if isinstance(encoder, keras.Sequential) and len(encoder.layers) > 1:
        first = encoder.layers[0]
        return first if isinstance(first, Upright) else None
    return None


def _from_middle(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)


def _as_planes(pictures: Any) -> Any:
    """Pictures as volumes of one plane; volumes as they are."""
    return pictures[:, None] if len(pictures.shape) == 4 else pictures


def _distance(height: int, width: int) -> np.ndarray:
    """Distance of pixels from the middle: 1 on the ellipse that touches the border."""
    y, x = _from_middle(height) / (height / 2), _from_middle(width) / (width / 2)
    return np.asarray(np.hypot(y[:, None], x[None]), np.float32)


def _background(planes: Any) -> Any:
    """Mean of the pixels on the outermost whole ring, in all planes, shape (n, n_channels)."""
    height, width = planes.shape[2:4]
    on_ring = np.maximum(0.0, 1.0 - np.abs(_distance(height, width) - _RING) / (1.0 - _RING))
    if not on_ring.any():  # pictures of a few pixels
        on_ring = np.ones((height, width))
    share = np.asarray(on_ring / on_ring.sum(), np.float32)
    return tf.reduce_mean(tf.reduce_sum(planes * share[..., None], axis=(2, 3)), axis=1)


def _without_corners(pictures: Any, around: Any) -> Any:
    """Pictures that have the colour of their background outside of the circle."""
    distance = _distance(*pictures.shape[-3:-1])
    inside = np.clip((1.0 - distance) / _EDGE, 0.0, 1.0)[..., None].astype(np.float32)
    around = tf.reshape(around, (-1, *[1] * (len(pictures.shape) - 2), pictures.shape[-1]))
    return around + inside * (pictures - around)


def _object_weight(planes: Any) -> Any:
    """How much each pixel differs from the background, shape (n, height, width)."""
    around = _background(planes)
    difference = _without_corners(planes, around) - around[:, None, None, None]
    # Squared, so that a faint pattern of the background counts little. Smoothed before, since
    # interpolation takes noise away, and its square does not average out.
    return tf.square(tf.reduce_sum(tf.abs(_smoothed(_smoothed(difference))), axis=(1, 4)))


def _smoothed(planes: Any) -> Any:
    """Each pixel averaged with its neighbours, by weights 1, 2, 1 along both axes."""
    padded = tf.pad(planes, [[0, 0], [0, 0], [1, 1], [1, 1], [0, 0]])
    rows = padded[:, :, :-2] + 2.0 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return (rows[:, :, :, :-2] + 2.0 * rows[:, :, :, 1:-1] + rows[:, :, :, 2:]) / 16.0


def _within(weight: Any, dy: Any, dx: Any, reach: float) -> Any:
    """Shares of the weight in a window that falls to zero around a place; zeros if none."""
    height, width = weight.shape[1:3]
    distance = tf.square(dy * (2 / (height * reach))) + tf.square(dx * (2 / (width * reach)))
    weight = weight * tf.maximum(0.0, 1.0 - distance)
    total = tf.reduce_sum(weight, axis=(1, 2), keepdims=True)
    return tf.math.divide_no_nan(weight, tf.where(total > _SMALLEST, total, 0.0))


def _sum(each: Any) -> Any:
    return tf.reduce_sum(each, axis=(1, 2))


def _half_angle(cosine: Any, sine: Any) -> tuple[Any, Any]:
    """Cosine and sine of half of the angle of a vector; of the angle zero if it has no length."""
    length = tf.sqrt(tf.square(cosine) + tf.square(sine))
    is_round = length <= _SMALLEST
    share = tf.where(is_round, 1.0, tf.math.divide_no_nan(cosine, length))
    half_cosine = tf.sqrt(tf.maximum(0.0, (1.0 + share) / 2.0))
    half_sine = tf.sqrt(tf.maximum(0.0, (1.0 - share) / 2.0))
    return half_cosine, tf.where(sine < 0.0, -half_sine, half_sine)


def _sign(value: Any) -> Any:
    return tf.where(value < 0.0, -1.0, 1.0)


def _resampled(pictures: Any, affine: Any, around: Any) -> Any:
    """Each picture read at ``affine @ (y, x, 1)``, from the middle, by linear interpolation.

    Beyond the border it has the colour `around`, a tensor of shape (n, n_channels).
    """
    planes = _as_planes(pictures)
    depth, height, width, n_channels = planes.shape[1:]
    y, x = np.meshgrid(_from_middle(height), _from_middle(width), indexing="ij")
    middle = np.array([[(height - 1) / 2], [(width - 1) / 2]], np.float32)
    turned = affine[:, :, :1] * y.ravel() + affine[:, :, 1:2] * x.ravel()
    source = turned + affine[:, :, 2:] + middle
    whole = tf.floor(source)
    around = around[:, None, None]
    flat = tf.reshape(planes - around[:, None], (-1, depth, height * width, n_channels))
    flat = tf.transpose(flat, (0, 2, 1, 3))
    result = tf.zeros_like(flat)
    for corner in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
        place = whole + np.array(corner, np.float32)[:, None]
        row, column = place[:, 0], place[:, 1]
        share = tf.reduce_prod(1.0 - tf.abs(source - place), axis=1)
        is_inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
        row = tf.clip_by_value(row, 0.0, height - 1.0)
        column = tf.clip_by_value(column, 0.0, width - 1.0)
        index = tf.cast(row * width + column, tf.int32)
        share = tf.where(is_inside, share, 0.0)
        result += share[..., None, None] * tf.gather(flat, index, axis=1, batch_dims=1)
    result = tf.reshape(tf.transpose(result, (0, 2, 1, 3)), tf.shape(planes)) + around[:, None]
    return tf.reshape(result, tf.shape(pictures))
