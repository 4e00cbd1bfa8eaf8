"""Whatever the labels, the storage and the place in the world: the right object, or a clear error.

Scenes are drawn whose pixels say to whom they belong, so that no neighbour can pass for another.
The few examples of a usual run are always the same ones; those marked `long` are new every time.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    Identities,
    SampleId,
    join_samples,
    measure_features,
    samples_from_labels,
    samples_from_table,
)
from embedscope.samples import _tiles as tiles_module

USUAL = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
LABELS = (0, 0, 1, 2, 7, 300, 65_535, 70_000, 2**31 - 1, 2**31)
DTYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
STORAGES = ("numpy", "fortran", "dask", "zarr", "numpy pyramid", "dask pyramid", "zarr pyramid")


def trials(few: int, many: int):
    """Run a test on a few examples always, and on many with -m long."""
    return pytest.mark.parametrize(
        "trials",
        [
            pytest.param(settings(USUAL, max_examples=few, derandomize=True), id="few"),
            pytest.param(settings(USUAL, max_examples=many), marks=pytest.mark.long, id="many"),
        ],
    )


@dataclasses.dataclass(frozen=True)
class Scene:
    """Labels, an image whose pixels name their object, and how both are handed in."""

    labels: np.ndarray
    image: np.ndarray
    axes: str
    affine: np.ndarray | None
    storage: str
    chunk: int

    @property
    def objects(self) -> list[tuple[int, int]]:
        """(frame, label) of every object, rising."""
        frames = self.labels if "t" in self.axes else self.labels[np.newaxis]
        return [(t, int(k)) for t, frame in enumerate(frames) for k in np.unique(frame) if k]

    def mask(self, frame: int, label: int) -> np.ndarray:
        """Where an object is, along the spatial axes."""
        frames = self.labels if "t" in self.axes else self.labels[np.newaxis]
        return frames[frame] == label

    def name(self, frame: int, label: int) -> int:
        """The value of an object's pixels."""
        return 1 + self.objects.index((frame, label))

    def stored(self, array: np.ndarray) -> Any:
        """The array as the scene's storage has it."""
        kind = self.storage.split()[0]
        stored = _store(array, kind, self.chunk)
        if not self.storage.endswith("pyramid"):
            return stored
        coarse = array[(slice(None, None, 2),) * array.ndim]
        return [stored, _store(coarse, kind, self.chunk)] if coarse.shape != array.shape else stored


def _store(array: np.ndarray, kind: str, chunk: int) -> Any:
    if kind == "dask":
        import dask.array as da

        return da.from_array(array, chunks=chunk)
    if kind == "zarr":
        import zarr

        chunks = tuple(min(chunk, side) for side in array.shape)
        stored = zarr.create_array({}, shape=array.shape, chunks=chunks, dtype=array.dtype)
        stored[...] = array
        return stored
    return np.asfortranarray(array) if kind == "fortran" else array


@st.composite
def affines(draw: st.DrawFn, n_axes: int) -> np.ndarray:
    """Scaled, rotated, mirrored and translated; distances stay far above rounding errors."""
    numbers = st.floats(0.05, 20)
    matrix = np.eye(n_axes + 1)
    matrix[:-1, :-1] = np.diag([draw(numbers) for _ in range(n_axes)])
    angle = draw(st.floats(-3.2, 3.2))
    turn = np.eye(n_axes + 1)
    turn[-3:-1, -3:-1] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    mirror = np.diag([*draw(st.tuples(*[st.sampled_from([1.0, -1.0])] * n_axes)), 1.0])
    matrix = turn @ matrix @ mirror
    matrix[:-1, -1] = [draw(st.floats(-1000, 1000)) for _ in range(n_axes)]
    return matrix


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    axes = draw(st.sampled_from(["yx", "zyx", "tyx", "tzyx"]))
    longest = 9 if len(axes) == 2 else 4
    shape = tuple(draw(st.integers(1, longest)) for _ in axes)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    ids = [label for label in LABELS if label <= np.iinfo(dtype).max]
    pool = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    blocks = draw(st.integers(1, 3))  # objects of several pixels, cut by the border
    coarse = rng.choice(np.array(pool, dtype), size=[-(-side // blocks) for side in shape])
    labels = coarse
    for axis in range(len(axes)):
        labels = labels.repeat(blocks, axis=axis)
    labels = labels[tuple(slice(side) for side in shape)]
    scene = Scene(
        labels,
        labels,
        axes,
        draw(st.none() | affines(len(axes))),
        draw(st.sampled_from(STORAGES)),
        draw(st.integers(1, 5)),
    )
    return dataclasses.replace(scene, image=_named_pixels(scene))


def _named_pixels(scene: Scene) -> np.ndarray:
    image = np.zeros(scene.labels.shape, np.uint16)
    frames = image if "t" in scene.axes else image[np.newaxis]
    for number, (frame, label) in enumerate(scene.objects, start=1):
        frames[frame][scene.mask(frame, label)] = number
    return image


def cut(scene: Scene, **options: Any):
    """Samples of a scene, through tiles that are smaller than it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles_module, "TILE_PIXELS", 16)
        return samples_from_labels(
            scene.stored(scene.image),
            scene.stored(scene.labels),
            axes=scene.axes,
            affine=scene.affine,
            source="scene",
            **options,
        )


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
    """The centroid if it lies on the object, else the object's nearest pixel: its own place."""
    middle, mean = samples.centroids[row], places.mean(axis=0)
    who, source = samples.identities[row], samples.sources["scene"]
    point = [who.frame, *middle] if "t" in scene.axes else middle
    assert source.label_at(source.to_world(point)) == who
    distances = np.linalg.norm(places - mean, axis=1)
    if (np.floor(mean + 0.5) == places).all(axis=1).any():
        np.testing.assert_array_equal(np.floor(middle + 0.5), np.floor(mean + 0.5))
        assert np.allclose(middle, mean) or (middle == np.floor(mean + 0.5)).all()
    else:
        np.testing.assert_allclose(np.linalg.norm(middle - mean), distances.min())


def shows_all_of(mask: np.ndarray, scene: Scene, options: dict[str, Any]) -> bool:
    """Whether a crop reaches over the whole image, and nothing stands before the object."""
    flat = mask.ndim == 2
    reaches = options["size"] >= 2 * max(mask.shape) and (flat or scene.affine is None)
    free = flat or options["volume"] == "volume" or options["background"] == "zero"
    return reaches and free and not options["align"]


def n_shown(mask: np.ndarray, volume: str) -> int:
    """Pixels that an object covers, of a volume after it was flattened if it is."""
    return int((mask.any(axis=0) if mask.ndim == 3 and volume == "project" else mask).sum())


@trials(few=200, many=10_000)
def test_places_in_the_world_belong_to_their_object(trials):
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
        names = [scene.name(*who) for who in zip(table["frame"], table["label"], strict=True)]
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
        expected = [scene.name(*who) for who in scene.objects]
        np.testing.assert_array_equal(samples.X[rows, 0], expected)
        ids_repeat = len(np.unique(labels)) < len(labels)
        if ids_repeat:  # without the frame nobody can tell them apart, so nobody guesses
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
        rows = {who: row for row, who in enumerate(columns)}
        assert [identities.row(who) for who in identities] == list(range(len(columns)))
        for number, name in enumerate(names):
            looked_for = [who for who in wanted if who[0] == number]
            _, frames, labels = np.array(looked_for, np.int64).reshape(-1, 3).T
            found = identities.rows(name, labels, frames)
            assert found.tolist() == [rows.get(who, -1) for who in looked_for]

    check()


@trials(few=60, many=2_000)
def test_joining_and_subsets_keep_who_is_who(trials):
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
            for row, who in enumerate(samples.identities):
                own = scene.name(who.frame, who.label)
                assert set(np.unique(samples.images[row])) <= {0, own}
                assert samples.identities.row(who) == row

    check()
