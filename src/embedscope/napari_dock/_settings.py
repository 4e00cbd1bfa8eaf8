"""Default training parameters from napari's preferences."""

from __future__ import annotations

from typing import Any

_PLUGIN = "embedscope"
_NAMES = ("n_neighbors", "min_dist", "reconstruction")


def preferred_parameters() -> dict[str, Any]:
    """Parameters that are set in the preferences of the plugin, by name.

    Returns
    -------
    dict
        Empty before napari 0.9, which has no preferences for plugins.
    """
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return {}
    try:
        training = get_plugin_settings(_PLUGIN).training
    except (AttributeError, KeyError, ValueError):  # the plugin is not known to this napari
        return {}
    return {name: getattr(training, name) for name in _NAMES if hasattr(training, name)}
