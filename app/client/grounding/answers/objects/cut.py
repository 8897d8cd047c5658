"""What is told of an object that the answer's end cuts: its name may still follow."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from itertools import chain

from app.client.grounding.answers.items import Found, Item, Piece, Unreadable
from app.client.grounding.answers.numbers import is_innermost, is_open, is_pair
from app.client.grounding.answers.tolerant_json.values import Object
from app.client.grounding.answers.words import SETS_OF_SIDES, plain

_BREAKS_OFF = "the answer breaks off inside an object"
_SIDES = {*chain.from_iterable(SETS_OF_SIDES), "xs", "ys"}


def own_places(value: Object, found: Sequence[Found], piece: Piece) -> Generator[Found]:
    """The object's own places, of which those in an object of their own are whole."""
    for item in found:
        is_inner = item.piece.text.startswith("{") and item.piece != piece
        yield item if is_inner else Unreadable(_BREAKS_OFF, item.piece)
    inside_a_value = bool(value.pairs) and is_open(value.pairs[-1].value)
    if is_innermost(value) and (inside_a_value or not found):
        yield Unreadable(_BREAKS_OFF, piece, quoted=False)


def _is_a_side(key: str) -> bool:
    """Not by one letter: a thing may be called h."""
    return sum(map(str.isalnum, key)) > 1 and plain(key) in _SIDES


def unfinished(value: Object, found: Iterable[Found]) -> Generator[Found]:
    """All inside it but what may still become another place, or have the object's name.

    ``{"origin": [10, 20], "size": …`` is a box, and so are lists of sides.
    """
    parts = {
        start
        for pair in value.pairs
        if is_pair(pair.value) or _is_a_side(pair.key or "")
        for start in (pair.start, pair.value.start)
    }
    for each in found:
        is_whole = not isinstance(each, Item) or (each.label and each.piece.start not in parts)
        yield each if is_whole else Unreadable(_BREAKS_OFF, each.piece)
