"""The networks of one fit: new, continued or copied, and tried before anything slow is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedscope.core.arrays._rows import Rows
from embedscope.core.fitting._request import Request
from embedscope.core.networks._inner_encoder import InnerEncoder
from embedscope.core.networks._networks import (
    check_copy,
    check_decoder,
    check_encoder,
    check_loss,
    copy_network,
    dense_decoder,
    dense_encoder,
    hidden_units,
    warn_of_own_training,
)
from embedscope.core.networks._projected import ProjectedEncoder, Projection


@dataclass
class Networks:
    """The networks that the user gets, and the network that is trained instead of the encoder."""

    encoder: Any
    decoder: Any
    projected: ProjectedEncoder | None = None
    projection: Projection | None = None
    inner: InnerEncoder | None = None

    @property
    def trained(self) -> Any:
        if self.inner is not None:
            return self.inner.network
        return self.encoder if self.projected is None else self.projected.network

    def inputs(self, rows: Rows) -> Rows:
        if self.inner is not None:
            return self.inner.inputs(rows)
        return rows if self.projection is None else self.projection.apply(rows)


def trains_decoder_separately(parameters: Mapping[str, Any]) -> bool:
    """Whether the decoder trains separately: with style codes, or with held-out samples."""
    return bool(parameters["n_style_components"] or parameters["validation_fraction"])


def make_networks(request: Request) -> Networks:
    """New or copied networks, tried on two samples before anything slow is done.

    A decoder by principal components is made later, when the components are known.
    """
    parameters, rows, decoded = request.parameters, request.rows, request.decoder_rows
    n_components, seed = parameters["n_components"], request.seed
    units = hidden_units(parameters["encoder"])
    earlier = request.earlier
    if not parameters["parametric_embedding"]:
        encoder = None
    elif earlier is not None:
        encoder = copy_network(earlier.encoder, "encoder", seed)
    elif units is not None:
        encoder = dense_encoder(rows.shape, n_components, units, seed)
    else:
        encoder = copy_network(parameters["encoder"], "encoder", seed)
    if encoder is not None:
        check_encoder(encoder, rows, n_components)
        if earlier is None and units is None:
            check_copy(parameters["encoder"], encoder, "encoder", rows.take(slice(0, 2)))
            warn_of_own_training(parameters["encoder"], "encoder")
    decoder = None
    separate = trains_decoder_separately(parameters)
    if parameters["parametric_reconstruction"] and not (separate and parameters["decoder"] is None):
        if earlier is not None and earlier.decoder is not None:
            decoder = copy_network(earlier.decoder, "decoder", seed + 1)
        elif parameters["decoder"] is not None:
            decoder = copy_network(parameters["decoder"], "decoder", seed + 1)
        else:
            decoder = dense_decoder(decoded.shape, n_components, parameters["encoder"], seed)
        n_style = parameters["n_style_components"]
        output = check_decoder(decoder, decoded.shape, n_components, n_style)
        if earlier is None and parameters["decoder"] is not None:
            positions = np.ones((2, n_components + n_style), np.float32)
            check_copy(parameters["decoder"], decoder, "decoder", positions)
            warn_of_own_training(parameters["decoder"], "decoder")
        loss_fn = parameters["parametric_reconstruction_loss_fcn"]
        if loss_fn is not None:
            samples = decoded.take(slice(0, 2))
            check_loss(loss_fn, "parametric_reconstruction_loss_fcn", samples, output)
    return Networks(encoder, decoder)
