"""What an object's keys say together: its name, and the parts of a place under several keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from app.client.grounding.numbers import (
    is_of_names,
    items_of,
    name_of,
    numbers,
    score_of,
    with_size,
)
from app.client.grounding.values import Array, Number, Object, Pair, Text, Value
from app.client.grounding.words import (
    CENTRE_AND_SIZE_LISTS,
    CENTRES,
    CONTAINERS,
    COORDINATES,
    CORNER_AND_SIZE_LISTS,
    LABELS,
    OF_COCO,
    ORDERS,
    PAIRS_OF_CORNERS,
    SCORE_LISTS,
    SETS_OF_SIDES,
    SIZES,
    Y_FIRST_LISTS,
    plain,
)

LISTS_OF_OTHER_KINDS = frozenset((*CORNER_AND_SIZE_LISTS, *CENTRE_AND_SIZE_LISTS, *Y_FIRST_LISTS))
"""Keys whose numbers are not left, top, right and bottom."""
_PLACES = frozenset((*COORDINATES, *CONTAINERS))
_NUMBERED = re.compile(r"(\D{2,40})(\d{1,3})")
Pairs = Sequence[tuple[str, Pair]]
"""An object's pairs with their keys in plain letters."""


def labels(pairs: Pairs) -> list[str]:
    """Of a list of names under a name's key."""
    return names([(key, pair) for key, pair in pairs if key in LABELS])


def names(pairs: Pairs) -> list[str]:
    """Of a list of names beside a list of places."""
    lists = [pair.value for _, pair in pairs if is_of_names(pair.value)]
    return [name_of(each) or "" for each in lists[0].items] if lists else []


def scores(pairs: Pairs, count: int) -> Sequence[float | None]:
    """Of a list of as many scores beside a list of places."""
    rated = [items_of(pair.value) for key, pair in pairs if key in SCORE_LISTS]
    if rated and len(rated[0]) == count:
        return [score_of(each) for each in rated[0]]
    return [None] * count


def pair_of_corners(keys: Iterable[str]) -> Sequence[str]:
    present = set(keys)
    return next((pair for pair in PAIRS_OF_CORNERS if present.issuperset(pair)), ())


def columns(by_key: Mapping[str, Value]) -> Sequence[str]:
    """The keys of a box's sides, if each has a list of numbers."""

    def has_a_list(key: str) -> bool:
        value = by_key.get(key)
        return isinstance(value, Array) and bool(numbers(value))

    return next((sides for sides in SETS_OF_SIDES if all(map(has_a_list, sides))), ())


def in_corners(value: Object) -> Object:
    """With corners in its boxes' lists, where it says that they have something else.

    ``{"format": "xywh", "boxes": [[10, 20, 20, 20]]}``, and COCO's annotations.
    """
    if any(plain(pair.key or "") in OF_COCO for pair in value.pairs):
        return _with_corners(value, "xywh", {"bbox"})
    order = _order(value)
    return _with_corners(value, order, _PLACES) if order else value


def _order(value: Object) -> str | None:
    """One of ``LISTS_OF_OTHER_KINDS``; ``None`` if it says nothing."""
    told = {
        plain(pair.value.value)
        for pair in value.pairs
        if plain(pair.key or "") in ORDERS and isinstance(pair.value, Text)
    }
    if "coco" in told:
        return "xywh"
    return next((o for o in LISTS_OF_OTHER_KINDS if o in told or f"{o}abs" in told), None)


def _with_corners(value: Object, order: str, places: Collection[str]) -> Object:
    pairs = [
        replace(pair, value=_value_in_corners(pair.value, order))
        if plain(pair.key or "") in places
        else pair
        for pair in value.pairs
    ]
    return replace(value, pairs=pairs)


def _value_in_corners(value: Value, order: str) -> Value:
    match value:
        case Object() if _order(value) is None:
            return _with_corners(value, order, _PLACES)
        case Array(items=[Number(), Number(), Number(), Number(), *rest]):
            four = [item for item in value.items[:4] if isinstance(item, Number)]
            return replace(value, items=[*corners_of_list(order, four), *rest])
        case Array():
            return replace(value, items=[_value_in_corners(item, order) for item in value.items])
        case _:
            return value


def numbered(value: Object) -> tuple[list[Object], Object]:
    """Of ``{"label_1": "cup", "bbox_1": […], "label_2": …}`` an object each; and the rest."""
    by_number: dict[str, list[Pair]] = {}
    rest: list[Pair] = []
    for pair in value.pairs:
        told = _NUMBERED.fullmatch(plain(pair.key or ""))
        if told and told[1] in {*COORDINATES, *LABELS} and plain(pair.key or "") not in COORDINATES:
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


def corners_of_list(key: str, group: Sequence[Number]) -> Sequence[Number]:
    """Of a list whose key says what its numbers are."""
    if key in Y_FIRST_LISTS:
        return [group[i] for i in (1, 0, 3, 2)] if len(group) == 4 else group
    return with_size(group, at_centre=key in CENTRE_AND_SIZE_LISTS)


def centre_and_size(by_key: Mapping[str, Value]) -> Sequence[Number]:
    """``{"center": [20, 30], "size": [20, 20]}``; the size also as width and height."""
    centre = next((numbers(by_key[key]) for key in CENTRES if key in by_key), ())
    size = next((numbers(by_key[key]) for key in SIZES if key in by_key), ())
    if not size and {"width", "height"} <= by_key.keys():
        size = (*numbers(by_key["width"]), *numbers(by_key["height"]))
    return (*centre, *size) if len(centre) == len(size) == 2 else ()


def own_name(pairs: Pairs) -> str | None:
    """The name that an object gives itself; ``None`` without one."""
    for wanted in LABELS:
        for key, pair in pairs:
            if key != wanted:
                continue
            if isinstance(pair.value, Object):
                inner = [(plain(each.key or ""), each) for each in pair.value.pairs]
                name = own_name(inner)
            else:
                name = name_of(pair.value)
            if name is not None:
                return name
    return None
