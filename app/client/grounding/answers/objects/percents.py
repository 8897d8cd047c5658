"""Shares of the picture, of the percents that an object's keys tell."""

from __future__ import annotations

import re
from dataclasses import replace

from app.client.grounding.answers.items import MAX_OUTSIDE
from app.client.grounding.answers.side_names import side_or_corner
from app.client.grounding.answers.tolerant_json.values import (
    Array,
    Number,
    Object,
    Pair,
    Text,
    Value,
)
from app.client.grounding.answers.words import CONTAINERS, COORDINATES, IN_PERCENTS, UNITS, plain

_PERCENT = re.compile(r"(?i)[\W_]*(?:(?<![^\W_])in_?)?(?:percent(?:s|ages?)?|pct|%)\Z")
"""A unit, and the last word of a key, as in ``left_pct``."""


def in_shares(value: Object) -> Object:
    """With shares of the picture's sides where it says that its places have percents of them.

    ``{"unit": "percent", "box": [10, 20, 30, 40]}``, ``{"left_pct": 10, …}``, and Label Studio's
    ``{"x": 10, …, "rectanglelabels": ["cup"]}``.
    """
    if any(map(_tells_percents, value.pairs)):
        return _with_shares(value)
    return replace(value, pairs=[_by_its_key(pair) for pair in value.pairs])


def _tells_percents(pair: Pair) -> bool:
    key, told = plain(pair.key or ""), pair.value
    is_told = key in UNITS and isinstance(told, Text) and _PERCENT.fullmatch(told.value)
    return key in IN_PERCENTS or bool(is_told)


def _by_its_key(pair: Pair) -> Pair:
    key = _PERCENT.sub("", pair.key or "")
    if key == pair.key or not _is_of_a_place(key):
        return pair
    return replace(pair, key=key, value=_share(pair.value))


def _with_shares(value: Object) -> Object:
    pairs = [
        replace(pair, value=_share(pair.value)) if _is_of_a_place(pair.key or "") else pair
        for pair in value.pairs
    ]
    return replace(value, pairs=pairs)


def _is_of_a_place(key: str) -> bool:
    word = plain(key)
    return word in COORDINATES or word in CONTAINERS or side_or_corner(word) is not None


def _share(value: Value) -> Value:
    match value:
        case Number():
            share = min(max(value.value / 100, -MAX_OUTSIDE), 1 + MAX_OUTSIDE)
            return replace(value, value=share, decimal=True)
        case Array():
            return replace(value, items=[_share(item) for item in value.items])
        case Object():
            return _with_shares(value)
        case _:
            return value
