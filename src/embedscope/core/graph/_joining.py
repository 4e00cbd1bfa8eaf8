"""Lists of nearest rows, improved by the lists of the rows that they link to."""

from __future__ import annotations

import numba
import numpy as np

from embedscope.core.graph._kernels import one_at_a_time

_HOLDERS = 15  # rows with this one in their list, whose lists are tried
_TRIED = 20  # rows at the beginning of another row's list
_FAR = np.float32(3e38)  # not infinity, which fast mathematics may not compare


def holders_of(lists: np.ndarray, n_first: int) -> np.ndarray:
    """For each row, some rows that have it among the first `n_first` of their lists.

    Parameters
    ----------
    lists : ndarray of shape (n_samples, n_listed), int32
        Rows near each row: itself, and then the nearest first.
    n_first : int

    Returns
    -------
    ndarray of shape (n_samples, 15), int32
        Those with the row at the lowest ranks; -1 where fewer lists hold it.
    """
    holders = np.full((len(lists), _HOLDERS), -1, dtype=np.int32)
    _find_holders(lists, n_first, holders)
    return holders


def improve(
    points: np.ndarray,
    lists: np.ndarray,
    holders: np.ndarray,
    n_first: int,
    start: int,
    out: np.ndarray,
) -> None:
    """Write the nearest rows found in a row's list and the lists of its links, itself first.

    The links of a row are the `n_first` first rows of its list, and its holders.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_components), float32
    lists : ndarray of shape (n_samples, n_listed), int32
    holders : ndarray of shape (n_samples, n_holders), int32
    n_first : int
    start : int
        The first row to improve.
    out : ndarray of shape (n_rows, n_kept), int32
        The new lists of the rows from `start` on, nearest first. A list of which too few rows were
        found ends with the row itself.
    """
    n_tried = min(_TRIED, lists.shape[1])
    most = lists.shape[1] + (n_first + holders.shape[1]) * (1 + n_tried)
    n_slots = 1 << (3 * most // 2).bit_length()  # a power of two
    _join(points, lists, holders, n_first, start, n_tried, n_slots, out)


@one_at_a_time
@numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)
def _join(
    points: np.ndarray,
    lists: np.ndarray,
    holders: np.ndarray,
    n_first: int,
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
        for link in range(-1, n_first + holders.shape[1]):
            if link < 0:
                source = row
            elif link < n_first:
                source = lists[row, link]
            else:
                source = holders[row, link - n_first]
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
def _find_holders(lists: np.ndarray, n_first: int, holders: np.ndarray) -> None:
    used = np.zeros(len(lists), dtype=np.int32)
    for rank in range(1, n_first):
        for row in range(len(lists)):
            other = lists[row, rank]
            if used[other] < holders.shape[1]:
                holders[other, used[other]] = row
                used[other] += 1
