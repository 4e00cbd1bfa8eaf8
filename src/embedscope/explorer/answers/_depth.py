"""What the flat pictures of samples from volumes show, in words."""

from __future__ import annotations

from embedscope.samples import CropRecipe, PatchRecipe, Samples

_OF_VOLUME = 4  # axes of a sample with depth


def depth_in_words(samples: Samples | None) -> str:
    """What pictures show of the depth of the samples: "maximum along z", or "" if they have none.

    Parameters
    ----------
    samples : Samples or None
    """
    if samples is None or not samples.is_image:
        return ""
    if len(samples.sample_shape) == _OF_VOLUME:
        return "maximum along z"
    recipe = samples.recipe
    if not isinstance(recipe, CropRecipe | PatchRecipe) or "z" not in recipe.axes:
        return ""
    plane = "middle plane" if isinstance(recipe, PatchRecipe) else "middle plane of the object"
    words = {"project": "maximum along z", "mean": "mean along z", "middle": plane}
    return words[recipe.volume]
