"""Keras networks: how they are made, copied, traced and run, and their losses."""

from embedscope.core.networks._invariant_features import InvariantFeatures, as_flat_pictures
from embedscope.core.networks._networks import copy_network
from embedscope.core.networks._ring_spectrum import RingSpectrum, count_magnitudes
from embedscope.core.networks._tensorflow import keras, tf
from embedscope.core.networks._tracing import TracedOnce
from embedscope.core.networks._upright import Upright, preparation_of
from embedscope.core.networks._view_noise import ViewNoise

__all__ = [
    "InvariantFeatures",
    "RingSpectrum",
    "TracedOnce",
    "Upright",
    "ViewNoise",
    "as_flat_pictures",
    "copy_network",
    "count_magnitudes",
    "keras",
    "preparation_of",
    "tf",
]
