"""A list that is one place: a row, its corners, or numbers that only brackets mark."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.client.grounding.answers.items import Found, Piece, Unreadable, bare, in_any_order, item_of
from app.client.grounding.answers.numbers import (
    has_other_than_numbers,
    is_name,
    is_pair,
    items_of,
    name_of,
    numbers,
    score_of,
)
from app.client.grounding.answers.tolerant_json.values import (
    NUMBER,
    Array,
    Number,
    Object,
    Text,
    Value,
    Word,
)
from app.client.grounding.answers.words import Kind

_LETTER, _DIGIT = re.compile(r"[^\W\d]"), re.compile(r"\d")
_RANGE = re.compile(r"\d\s*:\s*\d")
"""``[10:30, 20:40]``: of rows and columns, or of columns and rows."""

_GOES_ON_WITH_NUMBERS = re.compile(
    rf"\s*,\s*{NUMBER}\s*,|[\s,]*{NUMBER}(?:[\s,]{{1,9}}{NUMBER}){{0,4}}\s*\][\s\],]*\Z"
)
"""``, 30, `` and `` 30, 40]``."""


def goes_on_with_numbers(value: Value) -> bool:
    """Whether it is what stands behind a stray quote in a list of numbers."""
    return isinstance(value, Text) and _GOES_ON_WITH_NUMBERS.match(value.value) is not None


def row(array: Array, own: Sequence[Number], others: Sequence[Value], piece: Piece) -> Found:
    """``[10, 20, 30, 40, "cup"]``."""
    label = name_of(others[0])
    if len(others) > 1 or label is None:
        return Unreadable("not only numbers and a name", piece)
    if not array.closed:
        return Unreadable("the answer breaks off inside a row", piece)
    return in_any_order(item_of(label, own, "either", piece))


def corners(array: Array, pairs: Sequence[Array], texts: Sequence[Text], piece: Piece) -> Found:
    """``[(10, 20), (30, 40), "cup"]``; without a name, nothing tells that the two are a box."""
    if len(pairs) != 2 or not texts:
        return Unreadable("pairs of numbers without a key", piece)
    if not array.closed:
        return Unreadable("the answer breaks off inside a row", piece)
    group = [number for pair in pairs for number in numbers(pair)]
    return item_of(texts[0].value, group, "box", piece)


def is_a_phrase_with_its_place(array: Array, texts: Sequence[Text], lists: Sequence[Array]) -> bool:
    """``("cup", (12, 21), [(0.1, 0.2, 0.3, 0.4)])``: Kosmos-2 tells where the phrase stood."""
    return (
        len(array.items) == 3
        and (len(texts), len(lists)) == (1, 2)
        and is_pair(lists[0])
        and any(isinstance(item, Array) for item in lists[1].items)
    )


def only_numbers(array: Array, name: str, piece: Piece) -> Found | None:
    """Numbers that only brackets mark: two are no place (a range, a reference)."""
    group = numbers(array)
    words = [item for item in array.items if isinstance(item, Word) and _DIGIT.search(item.value)]
    if len(group) + len(words) < 3:
        return None
    if not array.closed:
        return Unreadable("the answer breaks off inside a list of numbers", piece, quoted=False)
    if _RANGE.search(piece.text):
        return Unreadable("ranges, whose order is not known", piece)
    if has_other_than_numbers(array):
        return Unreadable("not only numbers", piece)
    return bare(item_of(name, group, "box", piece))


def under_a_key(value: Value, label: str, kind: Kind, piece: Piece) -> Found:
    """The place that a text or a list without lists in it is."""
    group = numbers(value)
    others = [item for item in items_of(value) if not isinstance(item, Number)]
    if any(map(goes_on_with_numbers, others)):
        return Unreadable("a stray quote among numbers", piece)
    if not label and isinstance(value, Array) and len(others) == 1 and is_name(others[0]):
        label = others[0].value
    elif has_other_than_numbers(value) and group:
        return Unreadable("not only numbers", piece)
    found = item_of(label, group, kind, piece)
    is_told = isinstance(value, Object) or any(number.is_side for number in group)
    return found if is_told else in_any_order(found)


def each_place(array: Array) -> Sequence[Value]:
    """Its lists, or itself where it has none."""
    return array.items if any(isinstance(item, Array) for item in array.items) else [array]


def are_named_lists(value: Array) -> bool:
    """``[["cup", [10, 20, 30, 40]], …]``."""
    rows = [item.items for item in value.items if isinstance(item, Array)]
    return any(any(map(is_name, r)) and any(isinstance(i, Array) for i in r) for r in rows)


def unpaired(places: Sequence[Value], names: Sequence[str], piece: Piece) -> Unreadable:
    what = f"{len(places)} places with {len(names)} names, so that none has its own"
    return Unreadable(what, piece)


def is_no_place(own: Sequence[Number]) -> bool:
    """Whether the numbers beside a name and its list are none, or a score."""
    return not own or (len(own) == 1 and score_of(own[0]) is not None)


def are_a_name(others: Sequence[Value]) -> bool:
    return any(map(is_name, others)) or (len(others) == 1 and not _is_of_signs(others[0]))


def _is_of_signs(value: Value) -> bool:
    """``+ 5``, of ``[10 + 5, 20, 30, 40]``."""
    return isinstance(value, Word) and _LETTER.search(value.value) is None
