"""What the numbers of a box's list are, where a key beside it or its own key says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from app.client.grounding.numbers import with_size
from app.client.grounding.values import Array, Number, Object, Text, Value
from app.client.grounding.words import (
    CENTRE_AND_SIZE_LISTS,
    CONTAINERS,
    COORDINATES,
    CORNER_AND_SIZE_LISTS,
    OF_COCO,
    ORDERS,
    Y_FIRST_LISTS,
    plain,
)

LISTS_OF_OTHER_KINDS = (*CORNER_AND_SIZE_LISTS, *CENTRE_AND_SIZE_LISTS, *Y_FIRST_LISTS)
"""Keys whose numbers are not left, top, right and bottom."""
_PLACES = frozenset((*COORDINATES, *CONTAINERS))


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
        case Array(items=[Number() as a, Number() as b, Number() as c, Number() as d, *rest]):
            return replace(value, items=[*corners_of_list(order, [a, b, c, d]), *rest])
        case Array():
            return replace(value, items=[_value_in_corners(item, order) for item in value.items])
        case _:
            return value


def corners_of_list(key: str, group: Sequence[Number]) -> Sequence[Number]:
    """Of a list whose key says what its numbers are."""
    if key in Y_FIRST_LISTS:
        return [group[i] for i in (1, 0, 3, 2)] if len(group) == 4 else group
    return with_size(group, at_centre=key in CENTRE_AND_SIZE_LISTS)
