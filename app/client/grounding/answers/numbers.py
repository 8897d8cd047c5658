"""The numbers of an answer's values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from app.client.grounding.answers.items import is_of_shares, is_score
from app.client.grounding.answers.tolerant_json.values import (
    NUMBER,
    Array,
    Number,
    Object,
    Text,
    Value,
    Word,
)
from app.client.grounding.answers.words import CENTRE_AND_SIZE, CORNERS, POINTS, plain

_A_NUMBER = re.compile(NUMBER)
_PIXELS = rf"{NUMBER}(?:\s?px)?"
_BETWEEN = r"[\s()\[\],;]"
_MARKS = re.compile(r"</?\|?\w+\|?>|\b[xy]\d?\s*[=:]")
"""``<box>10, 20, 30, 40</box>`` and ``x1=10, y1=20, x2=30, y2=40``."""
_SIZE = re.compile(rf"\s*({NUMBER})\s?(?:px)?\s?[x\u00d7]\s?({NUMBER})\s?(?:px|pixels)?\s*")
_ONLY_NUMBERS = re.compile(rf"{_BETWEEN}*{_PIXELS}(?:{_BETWEEN}+{_PIXELS})*{_BETWEEN}*")


def numbers(value: Value) -> tuple[Number, ...]:
    """Of a number, a text of numbers, a list of such, or an object with x and y."""
    match value:
        case Number():
            return (value,)
        case Text() if _ONLY_NUMBERS.fullmatch(text := _MARKS.sub(" ", value.value)):
            return tuple(
                Number.of(number, value.start, value.end) for number in re.findall(NUMBER, text)
            )
        case Array():
            return tuple(number for item in value.items for number in numbers(item))
        case Object():
            sides = {plain(pair.key or ""): pair.value for pair in value.pairs}
            told = (keys for keys in POINTS if keys[0] in sides)
            keys = next(told, ("width", "height"))
            return tuple(n for key in keys if key in sides for n in numbers(sides[key]))
        case _:
            return ()


def size_in(value: Value) -> tuple[Number, ...]:
    """Also of ``"20 x 30"``."""
    told = _SIZE.fullmatch(value.value) if isinstance(value, Text) else None
    if not told:
        return numbers(value)
    return tuple(Number.of(number, value.start, value.end) for number in told.groups())


def numbers_in(text: str, at: int) -> tuple[Number, ...]:
    """Each number of a piece of the answer that begins ``at`` this letter."""
    return tuple(
        Number.of(match.group(), at + match.start(), at + match.end())
        for match in _A_NUMBER.finditer(text)
    )


def corners_told_by(keys: Sequence[str], group: Sequence[Number]) -> Sequence[Number]:
    """A box's two corners, of the numbers under one of ``SETS_OF_SIDES``."""
    return group if keys in CORNERS else with_size(group, at_centre=keys in CENTRE_AND_SIZE)


def with_size(group: Sequence[Number], *, at_centre: bool) -> Sequence[Number]:
    """The sides of a box of which a corner or the centre, a width and a height are told."""
    if len(group) != 4:
        return group
    x, y, width, height = group
    share = 0.5 if at_centre else 0.0
    left, top = x.value - share * width.value, y.value - share * height.value
    sides = (left, top, left + width.value, top + height.value)
    if is_of_shares(group):
        sides = (min(max(side, 0.0), 1.0) for side in sides)  # or they would count as pixels
    return [replace(number, value=side) for number, side in zip(group, sides, strict=True)]


def has_other_than_numbers(value: Value) -> bool:
    return isinstance(value, Array) and not all(map(numbers, value.items))


def is_pair(value: Value) -> bool:
    return isinstance(value, (Array, Object)) and len(numbers(value)) == 2


def is_pair_in_brackets(text: Text) -> bool:
    """``"(10, 20)"``."""
    return text.value.lstrip()[:1] in {"(", "["} and len(numbers(text)) == 2


def is_of_places(array: Value) -> bool:
    """Whether it is a list of numbers, or of lists or texts of numbers."""
    return (
        isinstance(array, Array)
        and not any(isinstance(item, Object) for item in array.items)
        and any(
            isinstance(item, Number)
            or (isinstance(item, Array) and is_of_places(item))
            or (isinstance(item, Text) and bool(numbers(item)))
            for item in array.items
        )
    )


def is_of_lists_in_texts(array: Array) -> bool:
    """``["10, 20, 30, 40", "50, 60, 70, 80"]``."""
    return all(isinstance(item, Text) and len(numbers(item)) > 1 for item in array.items)


def is_name(value: Value) -> TypeGuard[Text]:
    return isinstance(value, Text) and not numbers(value)


def is_of_names(value: Value) -> TypeGuard[Array]:
    return isinstance(value, Array) and bool(value.items) and all(map(is_name, value.items))


def is_open(value: Value) -> bool:
    """Whether the answer ends inside it."""
    return isinstance(value, (Array, Object)) and not value.closed


def is_innermost(value: Object) -> bool:
    """Whether the answer ends in this object itself, not in an object inside it."""
    last: Value | None = value.pairs[-1].value if value.pairs else None
    while isinstance(last, Array) and not last.closed:
        last = last.items[-1] if last.items else None
    return not (isinstance(last, Object) and not last.closed)


def score_of(value: Value) -> float | None:
    """A number from 0 to 1."""
    match numbers(value):
        case (number,) if is_score(number.value):
            return number.value
        case _:
            return None


def name_of(value: Value) -> str | None:
    match value:
        case Text():
            return value.value
        case Array() if value.items and all(isinstance(item, Text) for item in value.items):
            return ", ".join(name_of(item) or "" for item in value.items)
        case Number():
            return f"{value.value:g}"
        case Word() if value.value not in ("null", "None", ""):
            return value.value
        case _:
            return None


def items_of(value: Value) -> Sequence[Value]:
    return value.items if isinstance(value, Array) else [value]
