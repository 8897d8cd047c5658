"""What an object's keys say together: its name, and the parts of a place under several keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.client.grounding.numbers import (
    is_of_names,
    items_of,
    name_of,
    numbers,
    score_of,
)
from app.client.grounding.values import Array, Number, Object, Pair, Value
from app.client.grounding.words import (
    CENTRES,
    COORDINATES,
    LABELS,
    PAIRS_OF_CORNERS,
    SCORE_LISTS,
    SETS_OF_SIDES,
    SIZES,
    plain,
)

_NUMBERED = re.compile(r"(\D{2,40})(\d{1,3})")
_WORDS_TO_NUMBER = frozenset((*COORDINATES, *LABELS))
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


def numbered(value: Object) -> tuple[list[Object], Object]:
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
