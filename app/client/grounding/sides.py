"""An object's place whose coordinates stand under keys of their own, or in columns."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from app.client.grounding import keys
from app.client.grounding.items import Found, Item, Piece, Unreadable, item_of
from app.client.grounding.numbers import corners_told_by, numbers
from app.client.grounding.values import Array, Object, Value
from app.client.grounding.words import CORNERS, POINTS, SETS_OF_SIDES


def under_keys(by_key: Mapping[str, Value], label: str, piece: Piece) -> Generator[Found]:
    """``{"x1": 10, "y1": 20, "x2": 30, "y2": 40}`` and its like."""
    single = {k: v for k, v in by_key.items() if not isinstance(v, (Array, Object))}
    for told in (*SETS_OF_SIDES, *POINTS):
        if not single.keys() >= set(told):
            continue
        group = [number for key in told for number in numbers(single[key])]
        if told in POINTS:
            yield item_of(label, group, "point", piece)
        else:
            yield item_of(label, corners_told_by(told, group), "box", piece)
        return
    some = {key for each in (*CORNERS, *POINTS) for key in each if key in single}
    if any(numbers(single[key]) for key in some):
        yield Unreadable(f"only {', '.join(sorted(some))}", piece)


def in_columns(
    pairs: keys.Pairs, columns: Sequence[str], label: str, piece: Piece
) -> Generator[Found]:
    """``{"x1": [10, 50], "y1": [20, 60], "x2": [30, 70], "y2": [40, 80]}``."""
    by_key = {key: numbers(pair.value) for key, pair in pairs}
    count = len(by_key[columns[0]])
    if any(len(by_key[key]) != count for key in columns):
        yield Unreadable("sides that are lists of unequal length", piece)
        return
    names = keys.names(pairs)
    labels = names if len(names) == count else [label] * count
    scores = keys.scores(pairs, count)
    rows = zip(*(by_key[key] for key in columns), strict=True)
    for row, own, score in zip(rows, labels, scores, strict=True):
        found = item_of(own, corners_told_by(columns, row), "box", piece)
        yield replace(found, score=score) if isinstance(found, Item) else found
