"""Buffers in a page without a kernel: pictures as image files, everything else deflated.

Browsers decode both without further code (see ``js/src/unpacking.ts``). Both are lossless.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.jupyter_widget.protocol._decoder_messages import Atlas
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.protocol._messages import Picture, Thumbnails
from embedscope.jupyter_widget.wire._outbox import Buffers

Packed = dict[str, Any]


def pack_message(message: Message, buffers: Buffers) -> dict[str, Any]:
    """A message for JSON: its head, and each buffer packed."""
    packed = [deflate(buffer) for buffer in buffers]
    cells = _cells_of(message, buffers)
    if cells is not None and cells.size:
        packed[0] = pack_sheet(cells)
    return {"head": message.to_dict(), "buffers": packed}


def deflate(buffer: Any) -> Packed:
    """Bytes as deflated base64."""
    return {"deflated": _text(zlib.compress(bytes(buffer), 9))}


def pack_sheet(cells: npt.NDArray[np.uint8]) -> Packed:
    """Pictures of equal size as one image, `across` in a row, compressed without loss.

    Parameters
    ----------
    cells : ndarray of shape (n, h, w, 1) or (n, h, w, 3), uint8
        At least one picture of one pixel.
    """
    from PIL import Image, features

    n, h, w, depth = cells.shape
    across = math.isqrt(n - 1) + 1
    n_rows = -(-n // across)
    sheet = np.zeros((n_rows * across, h, w, depth), np.uint8)
    sheet[:n] = cells
    sheet = sheet.reshape(n_rows, across, h, w, depth).swapaxes(1, 2)
    pixels = sheet.reshape(n_rows * h, across * w, depth)
    picture = Image.fromarray(pixels[:, :, 0] if depth == 1 else pixels)
    written = io.BytesIO()
    if features.check("webp"):
        picture.save(written, "WEBP", lossless=True)
    else:  # larger, but every build of Pillow can write it
        picture.save(written, "PNG", optimize=True)
    size = {"n": n, "w": w, "h": h, "depth": depth, "across": across}
    return {"sheet": _text(written.getvalue()), **size}


def _cells_of(message: Message, buffers: Buffers) -> npt.NDArray[np.uint8] | None:
    """The pictures in the first buffer of a message; None if it has none."""
    if isinstance(message, Thumbnails):
        shape = (len(message.rows), message.h, message.w, 3)
    elif isinstance(message, Atlas):
        shape = (message.nx * message.ny, message.h, message.w, 3)
    elif isinstance(message, Picture):
        shape = (len(message.low), message.h, message.w, 1)
    else:
        return None
    return np.frombuffer(buffers[0], np.uint8).reshape(shape)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
