"""For any labels, storage and affine: the right object, or a clear error.

Random scenes have pixels with the number of their object, so a wrong object is always found.
The few examples of a usual run are always the same ones; those marked `long` are new every time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from scenes import Scene, cut, scenes, trials

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    Identities,
    SampleId,
    join_samples,
    measure_features,
    samples_from_table,
)
from embedscope.samples.images import _tiles as tiles_module

options_of_crops = st.fixed_dictionaries(
    {
        "size": st.integers(1, 12),
        "padding": st.sampled_from(["reflect", "zero"]),
        "volume": st.sampled_from(["project", "volume"]),
        "align": st.booleans(),
        "background": st.sampled_from(["keep", "zero"]),
    }
)


@trials(few=300, many=10_000)
def test_crops_are_of_their_own_object(trials):
    @trials
    @given(scene=scenes(), options=options_of_crops)
    def check(scene, options):
        event(scene.storage)
        if not scene.objects:
            with pytest.raises(InvalidInputError, match="at least one object"):
                cut(scene, features=False, **options)
            return
        samples = cut(scene, features=False, **options)
        found = [(identity.frame, identity.label) for identity in samples.identities]
        assert found == scene.objects
        for row, (frame, label) in enumerate(scene.objects):
            mask, box = scene.mask(frame, label), samples.bounding_boxes[row]
            places = np.argwhere(mask)
            np.testing.assert_array_equal(box, [*places.min(axis=0), *(places.max(axis=0) + 1)])
            check_middle(scene, samples, row, places)
            crop = samples.images[row]
            own = scene.name(frame, label)
            if options["background"] == "zero" and not options["align"]:
                assert set(np.unique(crop)) <= {0, own}
            if shows_all_of(mask, scene, options):
                shown, n_own = (crop == own).sum(), n_shown(mask, options["volume"])
                mirrored = options["padding"] == "reflect" and options["background"] == "keep"
                assert shown >= n_own if mirrored else shown == n_own

    check()


def check_middle(scene: Scene, samples: Any, row: int, places: np.ndarray) -> None:
    """The centroid if it is on the object, else the object's nearest pixel."""
    middle, mean = samples.centroids[row], places.mean(axis=0)
    identity, source = samples.identities[row], samples.sources["scene"]
    point = [identity.frame, *middle] if "t" in scene.axes else middle
    assert source.label_at(source.to_world(point)) == identity
    distances = np.linalg.norm(places - mean, axis=1)
    if (np.floor(mean + 0.5) == places).all(axis=1).any():
        np.testing.assert_array_equal(np.floor(middle + 0.5), np.floor(mean + 0.5))
        assert np.allclose(middle, mean) or (middle == np.floor(mean + 0.5)).all()
    else:
        np.testing.assert_allclose(np.linalg.norm(middle - mean), distances.min())


def shows_all_of(mask: np.ndarray, scene: Scene, options: dict[str, Any]) -> bool:
    """Whether a crop covers the whole image, and nothing is in front of the object."""
    flat = mask.ndim == 2
    reaches = options["size"] >= 2 * max(mask.shape) and (flat or scene.affine is None)
    free = flat or options["volume"] == "volume" or options["background"] == "zero"
    return reaches and free and not options["align"]


def n_shown(mask: np.ndarray, volume: str) -> int:
    """Pixels that an object covers, after the projection of a volume if there is one."""
    return int((mask.any(axis=0) if mask.ndim == 3 and volume == "project" else mask).sum())


@trials(few=200, many=10_000)
def test_points_of_the_world_belong_to_their_object(trials):
    @trials
    @given(scene=scenes(), seed=st.integers(0, 2**32 - 1))
    def check(scene, seed):
        if not scene.objects:
            return
        source = cut(scene, size=1, features=False).sources["scene"]
        rng = np.random.default_rng(seed)
        places = rng.integers(-1, np.array(scene.labels.shape) + 1, size=(8, len(scene.axes)))
        off_centre = rng.uniform(-0.45, 0.45, places.shape)
        for place, world in zip(places, source.to_world(places + off_centre), strict=True):
            inside = ((place >= 0) & (place < scene.labels.shape)).all()
            label = int(scene.labels[tuple(place)]) if inside else 0
            frame = int(place[0]) if "t" in scene.axes else 0
            expected = SampleId("scene", frame, label) if label else None
            assert source.label_at(world) == expected

    check()


@trials(few=60, many=10_000)
def test_measurements_and_shuffled_tables_find_their_object(trials):
    @trials
    @given(scene=scenes(), with_background=st.booleans(), seed=st.integers(0, 2**32 - 1))
    def check(scene, with_background, seed):
        if not scene.objects:
            return
        table = measured(scene)
        names = [scene.name(*key) for key in zip(table["frame"], table["label"], strict=True)]
        np.testing.assert_array_equal(table["mean channel 0"], names)
        if with_background:
            background = pd.DataFrame({"frame": [0], "label": [0], "mean channel 0": [0.0]})
            table = pd.concat([background, table[background.columns]], ignore_index=True)
        rng = np.random.default_rng(seed)
        shuffled = table.iloc[rng.permutation(len(table))]
        samples = samples_from_table(
            shuffled, columns=["mean channel 0"], standardise=False, source="scene"
        )
        assert len(samples) == len(scene.objects)
        frames, labels = np.array(scene.objects).T
        rows = samples.identities.rows("scene", labels, frames)
        expected = [scene.name(*identity) for identity in scene.objects]
        np.testing.assert_array_equal(samples.X[rows, 0], expected)
        ids_repeat = len(np.unique(labels)) < len(labels)
        if ids_repeat:  # without frames the rows are ambiguous, so the table is refused
            with pytest.raises(InvalidInputError, match="identities must differ"):
                samples_from_table(shuffled.drop(columns="frame"), columns=["mean channel 0"])

    check()


def measured(scene: Scene) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles_module, "TILE_PIXELS", 16)
        return measure_features(
            scene.stored(scene.image),
            scene.stored(scene.labels),
            axes=scene.axes,
            properties=["area"],
        )


identity_columns = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([0, 1, 2, 5, 2**40]),
        st.sampled_from([0, 1, 2, 7, 2**31, 2**63 - 1]),
    ),
    max_size=30,
)


@trials(few=300, many=10_000)
def test_identities_find_their_rows(trials):
    @trials
    @given(columns=identity_columns, wanted=identity_columns)
    def check(columns, wanted):
        names = ("a", "b", "c")
        source, frame, label = np.array(columns, np.int64).reshape(-1, 3).T
        if len(set(columns)) < len(columns):
            with pytest.raises(InvalidInputError, match="identities must differ"):
                Identities(names, source, frame, label)
            return
        identities = Identities(names, source, frame, label)
        rows = {identity: row for row, identity in enumerate(columns)}
        assert [identities.row(identity) for identity in identities] == list(range(len(columns)))
        for number, name in enumerate(names):
            searched = [identity for identity in wanted if identity[0] == number]
            _, frames, labels = np.array(searched, np.int64).reshape(-1, 3).T
            found = identities.rows(name, labels, frames)
            assert found.tolist() == [rows.get(identity, -1) for identity in searched]

    check()


@trials(few=60, many=2_000)
def test_joining_and_subsets_keep_identities(trials):
    @trials
    @given(scene=scenes(), seed=st.integers(0, 2**32 - 1))
    def check(scene, seed):
        if not scene.objects:
            return
        first = cut(scene, size=3, background="zero", features=False)
        second = first.same_way(scene.image, scene.labels, source="other")
        joined = join_samples([first, second])
        rows = np.random.default_rng(seed).permutation(len(joined))[: len(joined) // 2 + 1]
        for samples in (joined, joined.subset(rows)):
            for row, identity in enumerate(samples.identities):
                own = scene.name(identity.frame, identity.label)
                assert set(np.unique(samples.images[row])) <= {0, own}
                assert samples.identities.row(identity) == row

    check()
