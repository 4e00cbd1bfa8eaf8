"""Tracks: the same label from frame to frame, joined by lines on the map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedscope.samples import Samples


def track_segments(samples: Samples) -> npt.NDArray[np.int64]:
    """Pairs of samples that follow each other in a track.

    Meaningful only where labels were linked over time; where labels start again in each frame, the
    pairs mean nothing.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    ndarray of shape (n_pairs, 2), int64
        Rows, the earlier frame first. Where an object is missing in some frames, its track
        continues from the last frame that has it.
    """
    ids = samples.identities
    order = np.lexsort((ids.frame, ids.label, ids.source))
    before, after = order[:-1], order[1:]
    same = (ids.source[before] == ids.source[after]) & (ids.label[before] == ids.label[after])
    return np.stack([before[same], after[same]], axis=1).astype(np.int64)


def segments_of(
    segments: npt.NDArray[np.int64], samples: Samples, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The segments of the tracks that some samples belong to.

    Parameters
    ----------
    segments : ndarray of shape (n_pairs, 2), int64
        From `track_segments`.
    samples : Samples
    rows : ndarray of shape (k,), int64
        One sample selects its whole track.

    Returns
    -------
    ndarray of shape (m, 2), int64
    """
    ids = samples.identities
    tracks = np.stack([ids.source, ids.label], axis=1)
    _, track = np.unique(tracks, axis=0, return_inverse=True)
    chosen = np.unique(track.ravel()[rows])
    return segments[np.isin(track.ravel()[segments[:, 0]], chosen)]


def has_frames(samples: Samples) -> bool:
    """Whether there is more than one frame in some source."""
    return bool(len(samples)) and int(samples.identities.frame.max()) > 0
