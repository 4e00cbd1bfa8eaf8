"""Whatever the labels and the table of a layer: an object's own row, or a sentence that says why.

The few examples of a usual run are always the same ones; those marked `long` are new every time.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from napari.layers import Image, Labels

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._layer_features import numeric_features, samples_of_features
from embedscope.napari_dock.data._layer_keys import AUTOMATIC, BY_ROW, TableKeys
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects

USUAL = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
DENSE, WITH_GAPS = tuple(range(1, 8)), (1, 2, 5, 9, 300, 65_536, 2**31, 2**40, 2**53)
ID_NAMES = ("index", "label", "Label", "ObjectNumber", "Cell ID", "labelimage_oid", "id", "who")
FRAME_NAMES = ("frame", "Frame", "t", "time point", "ImageNumber")
SIDE = 9


def trials(few: int, many: int):
    """Run a test on a few examples always, and on many with -m long."""
    return pytest.mark.parametrize(
        "trials",
        [
            pytest.param(settings(USUAL, max_examples=few, derandomize=True), id="few"),
            pytest.param(
                settings(USUAL, max_examples=many),
                marks=[pytest.mark.long, pytest.mark.timeout(3600)],
                id="many",
            ),
        ],
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer's labels, its table, and what is true."""

    labels: np.ndarray
    axes: str
    table: pd.DataFrame
    keys: TableKeys  # the true ones
    truth: dict[tuple[int, int], float]


def drawn_plane(rng: np.random.Generator, pool: tuple[int, ...]) -> np.ndarray:
    """Squares, rings with neighbours in them, pieces under one id, drawn over each other."""
    plane = np.zeros((SIDE, SIDE), np.int64)
    for label in rng.permutation(pool)[: rng.integers(1, len(pool) + 1)]:
        for _ in range(rng.integers(1, 3)):
            y, x = rng.integers(0, SIDE - 2, 2)
            height, width = rng.integers(1, 6, 2)
            plane[y : y + height, x : x + width] = label
            if rng.random() < 0.3:
                hole = rng.choice([0, *pool])
                plane[y + 1 : y + height - 1, x + 1 : x + width - 1] = hole
    return plane


def drawn_labels(rng: np.random.Generator, axes: str) -> np.ndarray:
    pool = DENSE if rng.random() < 0.5 else WITH_GAPS
    if axes == "yx":
        return drawn_plane(rng, pool)
    n_first = int(rng.integers(1, 4))
    if rng.random() < 0.4:  # tracks that last, or a volume
        plane = drawn_plane(rng, pool)
        frames = [np.roll(plane, k, axis=1) for k in range(n_first)]
    else:
        frames = [drawn_plane(rng, pool) for _ in range(n_first)]
    if axes == "tzyx":
        frames = [np.stack([frame, frame]) for frame in frames]
    return np.stack(frames)


def objects_of(labels: np.ndarray, axes: str) -> list[tuple[int, int]]:
    frames = labels if "t" in axes else labels[np.newaxis]
    return [(t, int(k)) for t, frame in enumerate(frames) for k in np.unique(frame) if k]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    axes = draw(st.sampled_from(["yx", "zyx", "tyx", "tzyx"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = drawn_labels(rng, axes)
    if not labels.any():
        labels[..., 0, 0] = 1
    who = objects_of(labels, axes)
    truth = {each: float(number) for number, each in enumerate(who, start=1000)}
    rows = pd.DataFrame(who, columns=["f", "l"]).assign(value=list(truth.values()))
    has_ids = draw(st.booleans()) or draw(st.booleans())
    if draw(st.booleans()):
        background = pd.DataFrame({"f": rows["f"].unique(), "l": 0, "value": -1.0})
        rows = pd.concat([rows, background], ignore_index=True).sort_values(["f", "l"])
    if draw(st.booleans()) and len(rows) > 1:
        rows = rows[rng.random(len(rows)) < 0.7] if rng.random() < 0.7 else rows[1:]
        rows = rows if len(rows) else pd.DataFrame({"f": [0], "l": [0], "value": [-1.0]})
    if has_ids:
        if draw(st.integers(0, 3)) == 0:
            again = rows.sample(1, random_state=0).assign(value=-5.0)
            rows = pd.concat([rows, again])
        if draw(st.integers(0, 3)) == 0:
            gone = pd.DataFrame({"f": [0, 0], "l": [3, 77], "value": -7.0})
            gone = gone[[(0, int(k)) not in truth for k in gone["l"]]]
            rows = pd.concat([rows, gone])
        if draw(st.booleans()):
            rows = rows.sample(frac=1, random_state=int(rng.integers(1000)))
    return Case(labels, axes, *named(draw, rng, rows, axes, has_ids=has_ids), truth)


def named(draw, rng, rows: pd.DataFrame, axes: str, *, has_ids: bool):
    """The table as some program wrote it, and the keys that are true."""
    id_name = draw(st.sampled_from(ID_NAMES)) if has_ids else None
    frame_name = draw(st.sampled_from([None, *FRAME_NAMES]))
    first = draw(st.integers(0, 1)) if "t" in axes else draw(st.sampled_from([0, 1, 5]))
    columns: dict[str, object] = {"value": rows["value"].to_numpy()}
    # Others that look like keys, and are none.
    odd = draw(st.sampled_from([None, "class", "rows", "second", "text"]))
    free = [name for name in ("label", "index") if name != id_name]
    name = draw(st.sampled_from(free))
    if odd == "class" and len(rows) > 1:
        # One is there twice, within a frame if frames are known: else nobody could tell them from
        # labels.
        classes = rng.permutation(np.r_[1, 1, rng.integers(1, 3, len(rows) - 2)])
        frames = rows["f"].to_numpy() if frame_name else np.zeros(len(rows))
        if pd.DataFrame({"class": classes, "frame": frames}).duplicated().any():
            columns[name] = classes
    if odd == "rows":
        columns["index" if "index" in free else "number"] = np.arange(len(rows))
    if odd == "second" and id_name == "index":
        columns["label"] = rng.permutation(rows["l"].to_numpy())
    if odd == "text":
        columns[name] = pd.Categorical(rng.choice(["a", "b"], len(rows)))
    columns["noise"] = rng.normal(size=len(rows))
    if id_name:
        is_float = draw(st.booleans())
        columns[id_name] = rows["l"].to_numpy(np.float64 if is_float else np.int64)
    if frame_name:
        columns[frame_name] = rows["f"].to_numpy() + first
    order = draw(st.permutations(list(columns)))
    table = pd.DataFrame(columns)[order]
    return table, TableKeys(id_name or BY_ROW, frame_name or (BY_ROW if "t" not in axes else None))


def check_own(samples, case: Case) -> int:
    """How many values were joined; all are the object's own."""
    if "value" not in samples.features:
        assert any("features of" in name for name, _ in samples.left_out)
        return 0
    who = [(each.frame, each.label) for each in samples.identities]
    joined = samples.column("value")
    for each, value in zip(who, joined, strict=True):
        if each in case.truth:
            assert np.isnan(value) or value == case.truth[each]
        else:
            assert value < 0  # a row of something that is not in the image stays what it is
    return int(np.isfinite(joined).sum())


@trials(few=100, many=10_000)
def test_every_value_is_the_object_s_own(trials):
    counts = {"joined": 0, "refused": 0}
    said: list[str] = []

    def count(make, case: Case) -> None:
        try:
            n_joined = check_own(make(), case)
        except InvalidInputError as error:
            said.append(str(error))
            n_joined = 0
        counts["joined" if n_joined else "refused"] += 1
        event("joined" if n_joined else "refused")

    @trials
    @given(case=cases())
    def check(case):
        layer = Labels(case.labels, name="cells", features=case.table)
        axis = case.axes[0] if len(case.axes) == 3 else ""
        options = CropOptions(size_px=3, third_axis=axis)
        image = Image(np.asarray(case.labels % 251, np.uint8))
        assert "value" in numeric_features(layer)
        for keys in (AUTOMATIC, case.keys):
            count(lambda keys=keys: samples_of_objects(layer, [image], options, keys), case)
            count(lambda keys=keys: samples_of_features(layer, ["value"], axis, keys), case)

    check()
    assert all(" must " in each and "; got " in each for each in said)
    assert counts["joined"] > sum(counts.values()) / 5, counts
