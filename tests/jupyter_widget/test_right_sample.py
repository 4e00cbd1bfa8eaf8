"""For any labels and storage, each pixel of a page belongs to the sample in its label picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from scenes import Scene, cut, scenes, trials

from embedscope.jupyter_widget.pictures._images import PictureReader, describe_image, locate
from embedscope.jupyter_widget.protocol._intents import WantPicture, WantPlace
from embedscope.samples import SampleId


def planes(scene: Scene) -> dict[tuple[int, int], np.ndarray]:
    """The label planes of a scene by their time point and depth."""
    films = scene.labels if "t" in scene.axes else scene.labels[np.newaxis]
    stacks = films if "z" in scene.axes else films[:, np.newaxis]
    return {(t, z): plane for t, stack in enumerate(stacks) for z, plane in enumerate(stack)}


@trials(few=60, many=10_000)
def test_pixels_and_places_are_of_their_sample(trials):
    @trials
    @given(scene=scenes())
    def check(scene):
        if not scene.objects:
            return
        samples = cut(scene, size=2, features=False)
        item = describe_image(samples.sources["scene"])
        by_plane = planes(scene)
        assert item is not None
        assert (item.n_t, item.n_z) == tuple(np.add(max(by_plane), 1))
        reader = PictureReader(samples)
        for (t, z), labels in by_plane.items():
            height, width = labels.shape
            intent = WantPicture(1, "scene", t, z, 0, 0, width, height, width, height)
            _, (_, rows) = reader.read(intent)
            shown = np.frombuffer(rows, "<u4").reshape(labels.shape).astype(int)
            assert ((shown > 0) == (labels > 0)).all()
            for label in np.unique(labels[labels > 0]):
                (row,) = np.unique(shown[labels == label]) - 1
                assert samples.identities[row] == SampleId("scene", t, int(label))
        for row, (_, frame, label) in enumerate(samples.identities):
            found = locate(samples, WantPlace(1, row))
            assert found is not None
            assert found.t_index == frame
            assert by_plane[frame, found.z_index][round(found.y), round(found.x)] == label

    check()
