"""A decoder that trains separately, built-in or copied from the user's, and its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from embedscope.core.decoder._decoder_targets import Targets, component_targets, whole_targets
from embedscope.core.decoder._decoder_training import DecoderNetworks
from embedscope.core.decoder._style_networks import component_decoder, style_head
from embedscope.core.fitting._request import Request
from embedscope.core.networks._reconstruction import Reconstruction, relative_reconstruction

_FEWEST_AXES, _AXES_PER_STYLE = 128, 4  # principal axes of the decoder; see docs/solver.md
_MEAN_ROWS = 10_000  # rows that are enough for a mean sample


@dataclass(frozen=True)
class DecoderSetup:
    """New or copied networks of the decoder, with their targets."""

    networks: DecoderNetworks
    targets: Targets
    reconstruction: Reconstruction


def set_up_decoder(request: Request, decoder: Any | None, training: np.ndarray) -> DecoderSetup:
    """Make the networks and the targets of a decoder that trains separately.

    Parameters
    ----------
    request : Request
    decoder : keras.Model or None
        A copy of the user's, from position and code to samples; None for the built-in decoder.
    training : ndarray of int
        The samples to learn from.

    Returns
    -------
    DecoderSetup
    """
    parameters, rows = request.parameters, request.decoder_rows
    n_style, earlier = parameters["n_style_components"], request.earlier
    loss_fn = parameters["parametric_reconstruction_loss_fcn"]
    if loss_fn is None and decoder is not None and earlier is not None and earlier.reconstruction:
        reconstruction = earlier.reconstruction  # its decoder trains further
    else:
        reconstruction = relative_reconstruction(rows, training, loss_fn)
    axes = None
    if decoder is None:
        wanted = max(_FEWEST_AXES, _AXES_PER_STYLE * n_style)
        n_axes = min(wanted, rows.n_features, len(training))
        targets, axes = component_targets(rows, reconstruction, training, n_axes, request.seed)
        mean = reconstruction.standardised(rows.flat[training[:_MEAN_ROWS]]).mean(axis=0)
        n_inputs = parameters["n_components"] + n_style
        decoder, trunk = component_decoder(n_inputs, axes, mean, rows.shape, request.seed)
    if axes is None or loss_fn is not None:  # a user's loss is defined on samples
        targets, trunk, axes = whole_targets(rows, reconstruction), decoder, None
    head = style_head(targets.rows.n_features, n_style) if n_style else None
    return DecoderSetup(DecoderNetworks(decoder, trunk, head, axes), targets, reconstruction)
