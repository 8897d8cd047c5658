"""The places in a list: of objects, of rows, of names beside boxes, or one place itself."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Protocol

from app.client.grounding.answers.items import Found, Piece, Unreadable, counted, scored
from app.client.grounding.answers.numbers import (
    is_name,
    is_of_names,
    is_of_places,
    is_pair,
    name_of,
    numbers,
)
from app.client.grounding.answers.objects import rows
from app.client.grounding.answers.tolerant_json.values import (
    NUMBER,
    Array,
    Number,
    Object,
    Text,
    Value,
)
from app.client.grounding.answers.words import Kind

_BEGINS_A_LIST = re.compile(rf"\[\s*{NUMBER}\s*,")


class Walk(Protocol):
    """Through the values of one answer."""

    def value(self, value: Value, name: str) -> Generator[Found]:
        """Each place in a value below this name."""
        ...

    def groups(self, value: Value, label: str, kind: Kind, piece: Piece) -> Generator[Found]:
        """One place or several, all with one name."""
        ...

    def piece(self, value: Value) -> Piece: ...


def places(array: Array, name: str, walk: Walk) -> Generator[Found]:
    """A list: of objects, of rows, or the bare numbers of one place."""
    own = [item for item in array.items if isinstance(item, Number)]
    texts = [i for i in array.items if is_name(i) and not _BEGINS_A_LIST.search(i.value)]
    lists = [item for item in array.items if isinstance(item, Array)]
    nested = [item for item in array.items if isinstance(item, (Array, Object))]
    others = [item for item in array.items if not isinstance(item, Number)]
    if any(map(rows.goes_on_with_numbers, array.items)):
        yield Unreadable("a stray quote among numbers", walk.piece(array))
    elif not nested and len(own) > 1 and rows.are_a_name(others):
        yield rows.row(array, own, others, walk.piece(array))
    elif not nested and is_of_places(array):
        if found := rows.only_numbers(array, name, walk.piece(array)):
            yield found
    elif texts and len(texts) == len(lists) == len(nested) and rows.is_no_place(own):
        score = own[0].value if own and len(lists) == 1 else None
        for found in _named_lists(walk, array, texts, lists):
            yield scored(found, score)
    elif rows.is_a_phrase_with_its_place(array, texts, lists):
        if array.closed:
            yield from walk.groups(lists[1], texts[0].value, "box", walk.piece(array))
        else:
            yield Unreadable("the answer breaks off inside a row", walk.piece(array))
    elif _are_only_pairs(lists, texts, nested) and not rows.are_named_lists(array):
        yield rows.corners(array, lists, texts, walk.piece(array))
    else:
        yield from _items(walk, array, own, lists, name)


def _are_only_pairs(lists: Sequence[Array], texts: Sequence[Text], nested: Sequence[Value]) -> bool:
    return bool(lists) and len(lists) == len(nested) and len(texts) < 2 and all(map(is_pair, lists))


def _items(
    walk: Walk, array: Array, own: Sequence[Number], lists: Sequence[Array], name: str
) -> Generator[Found]:
    """Of a list with lists or objects in it."""
    if len(lists) == 2 == len(array.items) and is_of_names(lists[0]) and numbers(lists[1]):
        yield from _beside_names(walk, array, *lists)
        return
    if own:
        yield Unreadable(f"{counted(len(own))} beside other places", walk.piece(array))
    if any(isinstance(item, Object) for item in array.items):
        for item in filter(is_pair, lists):
            yield Unreadable("a pair of numbers beside other places", walk.piece(item))
    found = [
        each
        for item in array.items
        if not (own and isinstance(item, Array) and len(numbers(item)) < 4)
        for each in walk.value(item, name)
    ]
    yield from found
    if not found and not own and any(map(is_name, array.items)) and len(numbers(array)) > 2:
        yield Unreadable("numbers beside a name that make no place", walk.piece(array))


def _named_lists(
    walk: Walk, array: Array, texts: Sequence[Text], lists: Sequence[Array]
) -> Generator[Found]:
    """``["cup", [10, 20, 30, 40]]``, also with the name behind, also several."""
    for text, group in zip(texts, lists, strict=True):
        if rows.are_named_lists(group):  # Kosmos-2's caption and its phrases
            yield from walk.value(group, "")
            continue
        is_whole = text.start < group.start and group.closed and not is_pair(group)
        if array.closed or is_whole:
            yield from walk.groups(group, text.value, "either", walk.piece(array))
        else:
            yield Unreadable("the answer breaks off before a name", walk.piece(group))


def _beside_names(walk: Walk, array: Array, names: Array, boxes: Array) -> Generator[Found]:
    """``[["cup", "plate"], [[10, 20, 30, 40], [50, 60, 70, 80]]]``."""
    groups = rows.each_place(boxes)
    labels = [name_of(each) or "" for each in names.items]
    if not array.closed:
        yield Unreadable("the answer breaks off inside a list of names", walk.piece(array))
        return
    if len(groups) != len(labels):
        yield rows.unpaired(groups, labels, walk.piece(boxes))
        labels = [""] * len(groups)
    for group, label in zip(groups, labels, strict=True):
        yield from walk.groups(group, label, "either", walk.piece(group))
