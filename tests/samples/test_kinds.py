"""A new kind of samples needs a recipe and a subclass of `Kind`, and nothing else knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import (
    ChannelScale,
    Identities,
    Recipe,
    Samples,
    Source,
    join_samples,
    samples_like,
)
from embedscope.samples.common import _kind
from embedscope.samples.common._kind import Kind


@dataclass(frozen=True)
class ShiftRecipe(Recipe):
    kind: ClassVar[str] = "shifted pictures"
    shift: int
    percentiles: tuple[float, float] = (0.0, 50.0)


def shifted(pictures: np.ndarray, recipe: ShiftRecipe, source: str, scale: Any = None) -> Samples:
    images = pictures + recipe.shift
    return Samples(
        identities=Identities.of(source, np.arange(len(images))),
        sources={source: Source(name=source, kind="array")},
        recipe=recipe,
        images=images,
        scale=scale or ChannelScale.from_images(images, recipe.percentiles),
        channel_names=("grey",),
    )


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> ShiftRecipe:
    """A recipe whose kind is known during this test."""
    monkeypatch.setattr(_kind, "_KINDS", dict(_kind._KINDS))

    class ShiftKind(Kind[ShiftRecipe], recipe=ShiftRecipe):
        def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
            self.refuse_labels(labels)
            return shifted(data, self.recipe, options["source"], samples.scale)

        def percentiles(self) -> tuple[float, float]:
            return self.recipe.percentiles

    return ShiftRecipe(shift=3)


def pictures(rng: np.random.Generator, n: int = 20) -> np.ndarray:
    return rng.integers(0, 100, (n, 4, 4, 1))


def test_it_is_repeated_and_compared(recipe, rng):
    first = shifted(pictures(rng), recipe, "first")
    later = samples_like(first, pictures(rng))
    assert later.recipe == recipe
    assert later.identities.sources == ("shifted pictures",)
    np.testing.assert_array_equal(later.scale.high, first.scale.high)
    with pytest.raises(InvalidInputError, match="labels must be None"):
        first.same_way(pictures(rng), np.ones((4, 4), int), source="later")
    with pytest.raises(InvalidInputError, match="same settings"):
        join_samples([first, shifted(pictures(rng), ShiftRecipe(shift=4), "other")])


def test_it_is_joined_on_a_scale_of_its_own_percentiles(recipe, rng):
    parts = [shifted(factor * pictures(rng), recipe, f"part {factor}") for factor in (1, 5)]
    joined = join_samples(parts)
    np.testing.assert_allclose(joined.scale.high, np.percentile(joined.images, 50.0))


def test_it_is_stored_with_its_pictures(recipe, rng, tmp_path: Path):
    samples = shifted(pictures(rng), recipe, "first")
    Explorer(samples).save(tmp_path / "session")
    opened = Explorer.open(tmp_path / "session").samples
    assert opened.recipe == recipe
    assert not opened.absent
    np.testing.assert_array_equal(opened.X, samples.X)


def test_a_recipe_without_a_kind_is_joined_but_not_repeated(rng):
    bare = [shifted(pictures(rng), ShiftRecipe(shift=0), name) for name in ("first", "second")]
    assert len(join_samples(bare)) == 40
    with pytest.raises(InvalidInputError, match="recipe must be one that can be repeated"):
        bare[0].same_way(pictures(rng), source="third")
