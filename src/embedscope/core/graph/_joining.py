"""Lists of nearest rows, improved by the lists of the rows that they link to."""

from __future__ import annotations

import numba
import numpy as np

from embedscope.core.graph._kernels import one_at_a_time

_LINKED_BY = 15  # rows with this one in their list, whose lists are tried
_TRIED = 20  # rows at the beginning of another row's list
_FAR = np.float32(3e38)  # not infinity, which fast mathematics may not compare


def links_of(lists: np.ndarray, n_first: int) -> np.ndarray:
    """The first rows of each row's list, and some rows that have it in their lists.

    Parameters
    ----------
    lists : ndarray of shape (n_samples, n_listed), int32
        Rows near each row, the nearest first.
    n_first : int
        How many of each list are links.

    Returns
    -------
    ndarray of shape (n_samples, n_first + 15), int32
        -1 where fewer lists hold the row.
    """
    links = np.empty((len(lists), n_first + _LINKED_BY), dtype=np.int32)
    _write_links(lists, n_first, links)
    return links


def improve(
    points: np.ndarray, lists: np.ndarray, links: np.ndarray, start: int, out: np.ndarray
) -> None:
    """Write the nearest of all rows that a row's list or its links' lists hold, itself first.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_components), float32
    lists : ndarray of shape (n_samples, n_listed), int32
    links : ndarray of shape (n_samples, n_links), int32
    start : int
        The first row to improve.
    out : ndarray of shape (n_rows, n_kept), int32
        The new lists of the rows from `start` on, nearest first. A list of which too few rows were
        found ends with the row itself.
    """
    n_tried = min(_TRIED, lists.shape[1])
    most = 1 + lists.shape[1] + links.shape[1] * (1 + n_tried)
    _join(points, lists, links, start, n_tried, 1 << int(1.5 * most).bit_length(), out)


@one_at_a_time
@numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)
def _join(
    points: np.ndarray,
    lists: np.ndarray,
    links: np.ndarray,
    start: int,
    n_tried: int,
    n_slots: int,
    out: np.ndarray,
) -> None:
    n_kept = out.shape[1]
    for place in numba.prange(out.shape[0]):
        row = start + place
        seen = np.full(n_slots, -1, dtype=np.int32)  # a hash table of the rows that were tried
        scores = np.full(n_kept, _FAR, dtype=np.float32)
        best = np.full(n_kept, row, dtype=np.int32)
        scores[0] = np.float32(-1.0)
        seen[(row * 40503) & (n_slots - 1)] = row
        for link in range(-1, links.shape[1]):
            source = row if link < 0 else links[row, link]
            if source < 0:
                continue
            for rank in range(-1, lists.shape[1] if link < 0 else n_tried):
                other = source if rank < 0 else lists[source, rank]
                slot = (other * 40503) & (n_slots - 1)
                while seen[slot] >= 0 and seen[slot] != other:
                    slot = (slot + 1) & (n_slots - 1)
                if seen[slot] == other:
                    continue
                seen[slot] = other
                score = np.float32(0.0)
                for component in range(points.shape[1]):
                    difference = points[row, component] - points[other, component]
                    score += difference * difference
                if score >= scores[n_kept - 1]:
                    continue
                at = n_kept - 1
                while scores[at - 1] > score:
                    scores[at], best[at] = scores[at - 1], best[at - 1]
                    at -= 1
                scores[at], best[at] = score, other
        out[place] = best


@numba.njit(nogil=True, cache=True)
def _write_links(lists: np.ndarray, n_first: int, links: np.ndarray) -> None:
    """Write the links; of the rows that hold a row, those with it at the lowest ranks."""
    used = np.full(len(lists), n_first, dtype=np.int32)
    links[:, :n_first] = lists[:, :n_first]
    links[:, n_first:] = -1
    for rank in range(1, n_first):
        for row in range(len(lists)):
            other = lists[row, rank]
            if used[other] < links.shape[1]:
                links[other, used[other]] = row
                used[other] += 1
