"""Gates as Gating-ML 2.0, the standard of flow cytometry for gates, which FlowKit reads.

Readers fill a polygon by the even-odd rule, but gates on a map by the non-zero winding rule. So an
outline that crosses itself is written as outlines of the same area that do not.

References
----------
Spidlen, J. et al. ISAC's Gating-ML 2.0 data exchange standard for gating description.
Cytometry A 87 (2015). https://doi.org/10.1002/cyto.a.22690
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._regions import winding_numbers
from embedscope.samples.tables import PLACE_COLUMNS

Outline = npt.NDArray[np.float64]

_GATING = "http://www.isac-net.org/std/Gating-ML/v2.0/gating"
_TYPES = "http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"

# All but what every reader of XML allows in an id: letters of Latin, Greek, Cyrillic, Japanese,
# Chinese and Korean among them.
_NO_ID = re.compile(
    r"[^A-Za-z0-9_.\-\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0391-\u03a1\u03a3-\u03c9"
    r"\u0410-\u044f\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]+"
)


class Piece(NamedTuple):
    """A connected part of the area in a gate, bounded by outlines that do not cross themselves.

    Attributes
    ----------
    outer : ndarray of shape (n_corners, 2), float64
    holes : tuple of ndarray
    """

    outer: Outline
    holes: tuple[Outline, ...] = ()


class _Reference(NamedTuple):
    """A member of a Boolean gate, or what is outside of it."""

    gate: str
    is_outside: bool = False


def gating_ml(gates: GateSet) -> bytes:
    """Write gates on ``umap_1`` and ``umap_2`` as a Gating-ML 2.0 document.

    Parameters
    ----------
    gates : GateSet
        A union becomes "or", an intersection "and", a difference "and" with complements.

    Returns
    -------
    bytes
        XML, UTF-8. The ids are those of `gate_ids`; each gate has its name and colour as custom
        information. A gate of several pieces, or with holes, has helper gates before it.
    """
    ET.register_namespace("gating", _GATING)
    ET.register_namespace("data-type", _TYPES)
    root = ET.Element(_gating("Gating-ML"))
    # A document must have an element, also without gates.
    ET.SubElement(ET.SubElement(root, _types("custom_info")), "embedscope")
    ids = gate_ids(gates.names)
    taken = set(ids.values())
    for gate in gates:
        if gate.polygon is None:
            first, *others = (ids[member] for member in gate.members)
            is_outside = gate.operation == "difference"
            members = [_Reference(first), *(_Reference(other, is_outside) for other in others)]
            _add_boolean(
                root, ids[gate.name], "or" if gate.operation == "union" else "and", members
            )
        else:
            _add_pieces(root, ids[gate.name], simple_pieces(gate.polygon), taken)
        _describe(root[-1], gate)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def gate_ids(names: Iterable[str]) -> dict[str, str]:
    """An id of XML for each name of a gate.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    dict of str to str
        Different ids of letters, digits, ``_``, ``-`` and ``.`` that begin with a letter or ``_``.
    """
    ids: dict[str, str] = {}
    for name in names:
        words = _NO_ID.sub("_", name).strip("_")
        plain = words if words and not re.match(r"[0-9.\-]", words) else f"gate_{words}".rstrip("_")
        ids[name] = _unused(plain, ids.values())
    return ids


def simple_pieces(polygon: Outline) -> list[Piece]:
    """The area that a closed line goes around, by outlines that do not cross themselves.

    Parameters
    ----------
    polygon : ndarray of shape (n_corners, 2), float64

    Returns
    -------
    list of Piece
        The polygon itself if it does not cross itself, or has no area.
    """
    import shapely

    ring = shapely.LinearRing(polygon)
    if ring.is_simple:
        return [Piece(polygon)]
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(ring)]))
    points = shapely.get_coordinates(shapely.point_on_surface(faces))
    area = shapely.union_all(faces[winding_numbers(points, polygon) != 0])
    return [
        Piece(_corners(part.exterior), tuple(map(_corners, part.interiors)))
        for part in shapely.get_parts(area)
        if not part.is_empty
    ] or [Piece(polygon)]


def _corners(ring: object) -> Outline:
    import shapely

    corners: Outline = shapely.get_coordinates(ring)[:-1]  # the last repeats the first
    return corners


def _add_pieces(root: ET.Element, name: str, pieces: list[Piece], taken: set[str]) -> None:
    """Add a gate that holds some pieces; it is the last element then."""
    if len(pieces) == 1:
        _add_piece(root, name, pieces[0], taken)
        return
    members = []
    for piece in pieces:
        members.append(_unused(f"{name}.part", taken))
        taken.add(members[-1])
        _add_piece(root, members[-1], piece, taken)
    _add_boolean(root, name, "or", map(_Reference, members))


def _add_piece(root: ET.Element, name: str, piece: Piece, taken: set[str]) -> None:
    if not piece.holes:
        _add_polygon(root, name, piece.outer)
        return
    members = []
    for place, outline in enumerate((piece.outer, *piece.holes)):
        member = _unused(f"{name}.hole" if place else f"{name}.outer", taken)
        taken.add(member)
        _add_polygon(root, member, outline)
        members.append(_Reference(member, is_outside=place > 0))
    _add_boolean(root, name, "and", members)


def _add_polygon(root: ET.Element, name: str, outline: Outline) -> None:
    polygon = ET.SubElement(root, _gating("PolygonGate"), {_gating("id"): name})
    for axis in PLACE_COLUMNS:
        dimension = ET.SubElement(
            polygon, _gating("dimension"), {_gating("compensation-ref"): "uncompensated"}
        )
        ET.SubElement(dimension, _types("fcs-dimension"), {_types("name"): axis})
    for corner in outline.tolist():
        vertex = ET.SubElement(polygon, _gating("vertex"))
        for coordinate in corner:
            ET.SubElement(vertex, _gating("coordinate"), {_types("value"): repr(coordinate)})


def _add_boolean(
    root: ET.Element, name: str, operation: str, members: Iterable[_Reference]
) -> None:
    gate = ET.SubElement(root, _gating("BooleanGate"), {_gating("id"): name})
    combined = ET.SubElement(gate, _gating(operation))
    for member in members:
        about = {_gating("ref"): member.gate}
        if member.is_outside:
            about[_gating("use-as-complement")] = "true"
        ET.SubElement(combined, _gating("gateReference"), about)


def _describe(element: ET.Element, gate: Gate) -> None:
    """Put name and colour of a gate first, where the standard has information of programs."""
    custom = ET.Element(_types("custom_info"))
    about = ET.SubElement(custom, "embedscope")
    ET.SubElement(about, "name").text = gate.name
    ET.SubElement(about, "color").text = gate.color
    element.insert(0, custom)


def _unused(name: str, taken: Iterable[str]) -> str:
    """The name, with a number at the end if it is taken."""
    return next(each for each in _numbered(name) if each not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _gating(name: str) -> str:
    return f"{{{_GATING}}}{name}"


def _types(name: str) -> str:
    return f"{{{_TYPES}}}{name}"
