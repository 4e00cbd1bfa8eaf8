"""Keras networks: made, copied, traced, run, and what they are trained to do."""

from embedscope.core.networks._networks import copy_network
from embedscope.core.networks._tensorflow import keras
from embedscope.core.networks._tracing import TracedOnce

__all__ = ["TracedOnce", "copy_network", "keras"]
