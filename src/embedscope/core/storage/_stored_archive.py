"""Check the zip archives of a saved model or session before they are read.

Both ``arrays.npz`` and the ``.keras`` files are zip archives. An archive of unknown origin may name
files outside itself or unpack to more than the disk holds. So everything that embedscope does not
write itself is refused.
"""

from __future__ import annotations

import re
import stat
import zipfile
from typing import BinaryIO

from embedscope._errors import InvalidModelError


def check_members(archive: BinaryIO, file: str, expected: frozenset[str]) -> None:
    """Refuse a zip archive that embedscope cannot have written.

    Parameters
    ----------
    archive : binary file
        Open for reading; left at its start.
    file : str
        Its name, for the message.
    expected : frozenset of str
        The required members. Files below ``assets/`` are allowed too: Keras layers such as
        ``StringLookup`` store their vocabulary there.

    Raises
    ------
    InvalidModelError
        If it is not a zip archive; if a member is missing, repeated, encrypted, a link, or has an
        unexpected name; or if one is compressed. Neither numpy nor Keras compresses, and without
        compression an archive cannot unpack to more than its own size.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise InvalidModelError(
            f"{file} must be a zip archive; got {error}. "
            "It is damaged or another kind of file: copy it again, or save the model again."
        ) from error
    archive.seek(0)
    for member in members:
        if reason := _why_unsafe(member, expected):
            raise InvalidModelError(
                f"{file} must hold plain files of a model only; got the member "
                f"{member.filename!r}, which {reason}. Do not use this file."
            )
    names = [member.filename for member in members]
    if missing := sorted(expected - set(names)):
        raise InvalidModelError(
            f"{file} must hold {', '.join(sorted(expected))}; got none named "
            f"{', '.join(missing)}. Copy the file again, or save the model again."
        )
    if len(names) != len(set(names)):
        raise InvalidModelError(
            f"{file} must hold each member once; got one twice. Do not use this file."
        )


def _why_unsafe(member: zipfile.ZipInfo, expected: frozenset[str]) -> str | None:
    """The reason why a member of an archive is unsafe, or None."""
    parts = member.filename.split("/")
    is_asset = parts[0] == "assets" and all(
        re.fullmatch(r"\w[\w.-]*", part, re.ASCII) for part in parts
    )
    mode = member.external_attr >> 16
    if member.filename not in expected and not is_asset:
        return "does not belong there"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or another special file"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        return "is compressed, and embedscope does not compress"
    return None
