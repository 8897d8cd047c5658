"""What an object's keys say together: the parts of a place under several keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from app.client.grounding.answers.numbers import (
    is_name,
    is_of_names,
    is_open,
    is_pair,
    name_of,
    numbers,
    size_in,
)
from app.client.grounding.answers.tolerant_json.values import (
    Array,
    Number,
    Object,
    Pair,
    Text,
    Value,
    Word,
)
from app.client.grounding.answers.words import (
    ALL_CORNERS,
    CENTRES,
    CONTAINERS,
    COORDINATES,
    FIRST_CORNERS,
    GEOMETRIES,
    KINDS_OF_SHAPES,
    LABELS,
    NUMBERED_CORNERS,
    OF_GEOJSON,
    OUTLINES,
    PAIRS_OF_CORNERS,
    POSITIONS,
    SETS_OF_SIDES,
    SIZES,
    WRAPPERS,
    is_no_place,
    plain,
)

_NUMBERED = re.compile(r"(\D{2,40})(\d{1,3})")
_WORDS_TO_NUMBER = frozenset((*COORDINATES, *LABELS))
_AXES = (("xrange", "yrange"), ("horizontal", "vertical"), ("xs", "ys"), ("x", "y"))
_RANGES = {"xrange", "yrange"}
_PARTS = {*chain(*SETS_OF_SIDES, *PAIRS_OF_CORNERS, *_AXES)}
MAX_NUMBERS = 5
"""Of one place: four, and a score."""
Pairs = Sequence[tuple[str, Pair]]
"""An object's pairs with their keys in plain letters."""


def pair_of_corners(keys: Iterable[str]) -> Sequence[str]:
    present = set(keys)
    return next((pair for pair in PAIRS_OF_CORNERS if present.issuperset(pair)), ())


def parts_of_a_place(by_key: Mapping[str, Value]) -> set[str]:
    """Those keys whose values are one place together, or several."""
    corners, origins = pair_of_corners(by_key), with_its_size(by_key, FIRST_CORNERS)
    more = (*(ALL_CORNERS if corners else ()), *(FIRST_CORNERS if origins else ()))
    lone = () if origins else lone_corners(by_key)
    return {*corners, *columns(by_key), *ranges(by_key), *more, *lone}


def lone_corners(by_key: Mapping[str, Value]) -> Sequence[str]:
    """Of an object without a pair of corners or a size: those opposite have damaged names."""
    corners = (*ALL_CORNERS, *NUMBERED_CORNERS)
    return [key for key in corners if key in by_key and is_pair(by_key[key])]


def damaged_parts(pairs: Pairs) -> list[Pair]:
    """Pairs of numbers that are no places of their own, since another part has a damaged key.

    ``{"top_lft": [10, 20], "bottom_right": [30, 40]}``, ``{"enter": [10, 20], "size": [5, 5]}``;
    and ``{"label": "cup", "in": [10, 20], "max": [30, 40]}``: but a thing may be called max.
    """
    by_key = {key: pair.value for key, pair in pairs}
    if pair_of_corners(by_key) or columns(by_key) or ranges(by_key):
        return []
    has_a_size = len(_size(by_key)) == 2
    if has_a_size and any(with_its_size(by_key, each) for each in (CENTRES, FIRST_CORNERS)):
        return []
    known = {*ALL_CORNERS, *NUMBERED_CORNERS, *COORDINATES, *CONTAINERS, *SIZES, *WRAPPERS}
    parts = [
        (key, pair)
        for key, pair in pairs
        if key not in known
        and is_pair(pair.value)
        and (key in _PARTS or not is_no_place(pair.key or ""))
    ]
    is_sure = bool(lone_corners(by_key)) or not _RANGES.isdisjoint(by_key)
    is_sure = is_sure or (has_a_size and any(key in ("x", "y") for key, _ in parts))
    has_a_part = has_a_size or (len(parts) > 1 and any(key in _PARTS for key, _ in parts))
    is_named = any(key in LABELS for key in by_key)
    return [pair for _, pair in parts] if is_sure or (has_a_part and is_named) else []


def ranges(by_key: Mapping[str, Value]) -> Sequence[str]:
    """The keys of a range of x and one of y, or of a list of each."""
    return next((keys for keys in _AXES if _have_lists(by_key, keys)), ())


def columns(by_key: Mapping[str, Value]) -> Sequence[str]:
    """The keys of a box's sides, if each has a list of numbers."""
    return next((sides for sides in SETS_OF_SIDES if _have_lists(by_key, sides)), ())


def _have_lists(by_key: Mapping[str, Value], keys: Sequence[str]) -> bool:
    """Whether each of these keys has a list of numbers."""
    values = [by_key.get(key) for key in keys]
    return all(isinstance(value, Array) and numbers(value) for value in values)


def several_things(value: Object) -> tuple[list[Object], Object]:
    """An object for each thing, if there is more than one in it; and the rest."""
    if things := _repeated(value):
        return things, replace(value, pairs=[])
    return _numbered(value)


def _repeated(value: Object) -> list[Object]:
    """Of ``{"label": "cup", "bbox": […], "label": "plate", "bbox": […]}`` an object each."""
    words = [plain(pair.key or "") for pair in value.pairs]
    counts = Counter(word for word in words if word in _WORDS_TO_NUMBER)
    first = next(iter(counts), "")
    other = COORDINATES if first in LABELS else LABELS
    enough = (counts[first],) if value.closed else (counts[first], counts[first] - 1)
    if counts[first] < 2 or not any(counts[word] in enough for word in counts if word in other):
        return []
    begins = [index for index, word in enumerate(words) if word == first]
    parts = [value.pairs[a:b] for a, b in pairwise((0, *begins[1:], len(words)))]
    things = [Object(pairs[0].start, pairs[-1].value.end, pairs, closed=True) for pairs in parts]
    things[-1].closed = value.closed
    return things


def _numbered(value: Object) -> tuple[list[Object], Object]:
    """Of ``{"label_1": "cup", "bbox_1": […], "label_2": …}`` an object each; and the rest."""
    by_number: dict[str, list[Pair]] = {}
    rest: list[Pair] = []
    for pair in value.pairs:
        told = _NUMBERED.fullmatch(plain(pair.key or ""))
        if told and told[1] in _WORDS_TO_NUMBER:
            by_number.setdefault(told[2], []).append(replace(pair, key=told[1]))
        else:
            rest.append(pair)
    paired = [pair for pairs in by_number.values() for pair in pairs]
    if not any(pair.key in COORDINATES and numbers(pair.value) for pair in paired):
        return [], value
    things = [
        Object(pairs[0].start, pairs[-1].value.end, pairs, closed=True)
        for pairs in by_number.values()
    ]
    things[-1].closed = value.closed
    return things, replace(value, pairs=rest)


def with_its_size(by_key: Mapping[str, Value], names: Sequence[str]) -> Sequence[Number]:
    """``{"center": [20, 30], "size": [20, 20]}``; the size also as width and height.

    ``names`` are keys of the point.
    """
    point = next((numbers(by_key[key]) for key in names if key in by_key), ())
    size = _size(by_key)
    return (*point, *size) if len(point) == len(size) == 2 else ()


def _size(by_key: Mapping[str, Value]) -> Sequence[Number]:
    size = next((size_in(by_key[key]) for key in SIZES if key in by_key), ())
    if not size and {"width", "height"} <= by_key.keys():
        size = (*numbers(by_key["width"]), *numbers(by_key["height"]))
    return size


def with_sizes(by_key: Mapping[str, Value]) -> Sequence[str]:
    """The keys of a point that has a size beside it."""
    return next((keys for keys in (CENTRES, POSITIONS) if with_its_size(by_key, keys)), ())


def is_of_geojson(pairs: Pairs) -> bool:
    return any(key == "type" and text_under(pair) in OF_GEOJSON for key, pair in pairs)


def is_an_outline(pairs: Pairs) -> bool:
    """``"type": "Polygon"``, beside its coordinates."""
    return any(
        (key == "type" and text_under(pair) in GEOMETRIES)
        or (key == "shapetype" and text_under(pair) not in ("", "point"))
        or key == "polygonlabels"  # of Label Studio
        for key, pair in pairs
    )


def is_a_shape(pairs: Pairs) -> bool:
    """``"type": "RECTANGLE"``: VoTT's points beside it are its corners."""
    return any(word == "type" and text_under(pair) in KINDS_OF_SHAPES for word, pair in pairs)


def text_under(pair: Pair) -> str:
    return plain(pair.value.value) if isinstance(pair.value, Text) else ""


def says_no_place(key: str, value: Value, *, has_place: bool) -> bool:
    """``position: absolute`` of CSS, and ``"geometry": null`` beside a place."""
    if not isinstance(value, Word) or not value.value.isalpha():
        return False
    return has_place or (COORDINATES[key] == "either" and name_of(value) is not None)


def only_structure(pairs: Pairs) -> Pair | None:
    """The only one of these whose value may hold a place, if its key is no word that is known."""
    structures = [(key, pair) for key, pair in pairs if _may_hold_a_place(pair)]
    if len(structures) != 1:
        return None
    [(key, pair)] = structures
    known = key in CONTAINERS or key in OUTLINES or key in WRAPPERS
    return None if known or is_no_place(pair.key or "") else pair


def _may_hold_a_place(pair: Pair) -> bool:
    value = pair.value
    is_list = isinstance(value, Array) and bool(value.items) and not is_of_names(value)
    return (
        is_open(value)
        or isinstance(value, Object)
        or (is_list and len(numbers(value)) not in (1, 3))
    )


def are_four_numbers(pairs: Pairs) -> bool:
    """Of a thing with a name, and numbers under keys that are no words for its sides."""
    if any(isinstance(pair.value, (Array, Object)) for _, pair in pairs):
        return False
    counted = [
        pair
        for key, pair in pairs
        if pair.key
        and len(numbers(pair.value)) == 1
        and (key in ("width", "height") or not is_no_place(pair.key or ""))
    ]
    return len(counted) >= 4 and any(is_name(pair.value) or key in LABELS for key, pair in pairs)
