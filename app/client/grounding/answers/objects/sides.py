"""An object's place whose coordinates stand under several keys, or in columns."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from app.client.grounding.answers.items import Found, Item, Piece, Unreadable, counted, item_of
from app.client.grounding.answers.numbers import corners_told_by, is_pair, numbers, with_size
from app.client.grounding.answers.objects import key_names, keys
from app.client.grounding.answers.tolerant_json.values import Array, Number, Object, Value
from app.client.grounding.answers.words import (
    CENTRES,
    CORNERS,
    FIRST_CORNERS,
    OF_A_TABLE,
    POINTS,
    POSITIONS,
    SETS_OF_SIDES,
)

_OTHER_SIDES = ("width", "height", "x2", "y2")
"""Beside an x and a y, one of these alone makes no box."""


def told_by(
    pairs: keys.Pairs, by_key: Mapping[str, Value], label: str, piece: Piece, *, has_own: bool
) -> Generator[Found]:
    """The place, or the places, that these keys tell together.

    ``has_own``: there is another key of a place.
    """
    if sized := keys.with_its_size(by_key, CENTRES):
        yield item_of(label, with_size(sized, at_centre=True), "box", piece)
    elif sized := keys.with_its_size(by_key, FIRST_CORNERS):
        yield item_of(label, with_size(sized, at_centre=False), "box", piece)
    elif keys.with_its_size(by_key, POSITIONS):
        yield Unreadable("a position and a size, which may be of a corner or the centre", piece)
    elif corners := keys.pair_of_corners(by_key):
        group = [number for key in corners for number in numbers(by_key[key])]
        yield item_of(label, group, "box", piece)
    elif columns := keys.columns(by_key):
        yield from _in_columns(pairs, columns, label, piece)
    elif ranges := keys.ranges(by_key):
        yield _in_ranges(by_key, ranges, label, piece)
    elif lone := keys.lone_corners(by_key):
        yield Unreadable(f"only {', '.join(lone)}", piece)
    else:
        told = list(_under_keys(by_key, label, piece, has_own=has_own))
        yield from told
        if not told and not has_own and keys.are_four_numbers(pairs):
            yield Unreadable("numbers under keys that are not known", piece)


def without_keys(value: Object, piece: Piece) -> Generator[Found]:
    """Numbers in an object that have lost their keys."""
    strays = [
        number
        for pair in value.pairs
        if pair.key is None and (isinstance(pair.value, Number) or is_pair(pair.value))
        for number in numbers(pair.value)
    ]
    if len(strays) > 1:
        yield Unreadable(f"{counted(len(strays))} without a key", piece)


def _under_keys(
    by_key: Mapping[str, Value], label: str, piece: Piece, *, has_own: bool
) -> Generator[Found]:
    """``{"x1": 10, "y1": 20, "x2": 30, "y2": 40}`` and its like."""
    single = {k: v for k, v in by_key.items() if not isinstance(v, (Array, Object))}
    for told in (*SETS_OF_SIDES, *POINTS, *(() if has_own else OF_A_TABLE)):
        if not single.keys() >= set(told):
            continue
        group = [number for key in told for number in numbers(single[key])]
        lone = [key for key in _OTHER_SIDES if key in by_key and numbers(by_key[key])]
        if len(told) == 2 and lone:
            yield Unreadable(f"a corner or a centre, and of the rest only {lone[0]}", piece)
        elif len(told) == 2:
            yield item_of(label, group, "point", piece)
        else:
            yield item_of(label, corners_told_by(told, group), "box", piece)
        return
    some = {key for each in (*CORNERS, *POINTS) for key in each if key in single}
    if len(some) > has_own and any(numbers(single[key]) for key in some):
        yield Unreadable(f"only {', '.join(sorted(some))}", piece)


def _in_ranges(by_key: Mapping[str, Value], keys: Sequence[str], label: str, piece: Piece) -> Found:
    """``{"x_range": [10, 30], "y_range": [20, 40]}``; lists of x and y may be of points, too."""
    left_right, top_bottom = (numbers(by_key[key]) for key in keys)
    if keys[0] in ("x", "xs") or not len(left_right) == len(top_bottom) == 2:
        return Unreadable("lists of x and y, which are ranges or points", piece)
    (left, right), (top, bottom) = left_right, top_bottom
    return item_of(label, (left, top, right, bottom), "box", piece)


def _in_columns(
    pairs: keys.Pairs, columns: Sequence[str], label: str, piece: Piece
) -> Generator[Found]:
    """``{"x1": [10, 50], "y1": [20, 60], "x2": [30, 70], "y2": [40, 80]}``."""
    by_key = {key: numbers(pair.value) for key, pair in pairs}
    count = len(by_key[columns[0]])
    if any(len(by_key[key]) != count for key in columns):
        yield Unreadable("sides that are lists of unequal length", piece)
        return
    names = key_names.names(pairs)
    labels = names if len(names) == count else [label] * count
    scores = key_names.scores(pairs, count)
    rows = zip(*(by_key[key] for key in columns), strict=True)
    for row, own, score in zip(rows, labels, scores, strict=True):
        found = item_of(own, corners_told_by(columns, row), "box", piece)
        yield replace(found, score=score) if isinstance(found, Item) else found
