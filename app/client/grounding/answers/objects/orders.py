"""What the numbers of a box's list are, where a key beside it or its own key says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from app.client.grounding.answers.numbers import numbers, with_size
from app.client.grounding.answers.tolerant_json.values import (
    Array,
    Number,
    Object,
    Pair,
    Text,
    Value,
)
from app.client.grounding.answers.words import (
    CENTRE_AND_SIZE_LISTS,
    CONTAINERS,
    COORDINATES,
    CORNER_AND_SIZE_LISTS,
    CORNER_LISTS,
    OF_COCO,
    OF_GOOGLE,
    ORDERS,
    Y_FIRST_LISTS,
    plain,
)

_ORDERED = (*CORNER_LISTS, *CORNER_AND_SIZE_LISTS, *CENTRE_AND_SIZE_LISTS, *Y_FIRST_LISTS)
"""Keys that say what the numbers of their lists are, also the values of a ``format``."""
_PLACES = frozenset((*COORDINATES, *CONTAINERS))


def is_of_google(pair: Pair) -> bool:
    """A list with y first, if it is no ``bbox_2d`` that has lost its b."""
    return plain(pair.key or "") in OF_GOOGLE and bool(numbers(pair.value))


def in_corners(value: Object) -> Object:
    """With corners in its boxes' lists, where it says what they have.

    ``{"format": "xywh", "boxes": [[10, 20, 20, 20]]}``, ``{"box_xywh": [10, 20, 20, 20]}``, and
    COCO's annotations.
    """
    order = _order(value)
    if order is None and any(plain(pair.key or "") in OF_COCO for pair in value.pairs):
        value = _with_corners(value, "xywh", {"bbox"})
    elif order is not None:
        value = _with_corners(value, order, _PLACES)
    return replace(value, pairs=[_by_its_key(pair, order) for pair in value.pairs])


def _by_its_key(pair: Pair, order: str | None) -> Pair:
    key = plain(pair.key or "")
    if key not in _ORDERED:
        return pair
    return replace(pair, key="xyxy", value=_value_in_corners(pair.value, order or key))


def _order(value: Object) -> str | None:
    """One of ``_ORDERED``; ``None`` if it says nothing."""
    told = {
        plain(pair.value.value)
        for pair in value.pairs
        if plain(pair.key or "") in ORDERS and isinstance(pair.value, Text)
    }
    if "coco" in told:
        return "xywh"
    return next((o for o in _ORDERED if o in told or f"{o}abs" in told), None)


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
        case Text() if len(group := numbers(value)) == 4:
            corners = list(_corners_of_list(order, group))
            return Array(value.start, value.end, [*corners], closed=True)
        case Array(items=[Number() as a, Number() as b, Number() as c, Number() as d, *rest]):
            return replace(value, items=[*_corners_of_list(order, [a, b, c, d]), *rest])
        case Array() if len(group := numbers(value)) == 4 == len(value.items):  # in texts
            return replace(value, items=[*_corners_of_list(order, group)])
        case Array():
            return replace(value, items=[_value_in_corners(item, order) for item in value.items])
        case _:
            return value


def _corners_of_list(order: str, group: Sequence[Number]) -> Sequence[Number]:
    """Of four numbers in this order."""
    if order in CORNER_LISTS:
        sides = group
    elif order in Y_FIRST_LISTS:
        sides = [group[i] for i in (1, 0, 3, 2)]
    else:
        sides = with_size(group, at_centre=order in CENTRE_AND_SIZE_LISTS)
    return [replace(number, is_side=True) for number in sides]
