"""What a piece of an answer is found to be: a place, or something that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.client.grounding.answers.tolerant_json.values import Number
from app.client.grounding.answers.words import Kind

MAX_OUTSIDE = 0.05
"""Of the picture's side, by which a share may be outside it."""
MAX_QUOTED = 200
"""Letters of an answer's piece that a problem quotes."""


class Piece(NamedTuple):
    """A piece of the answer."""

    text: str
    start: int
    """Where it begins in the answer."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Item:
    """One box (four numbers) or one point (two), as the answer has it."""

    label: str
    numbers: tuple[float, ...]
    piece: Piece
    """All that belongs to it; several items can share one."""
    score: float | None = None
    fractions: bool = False
    """The numbers are shares of the picture's sides."""
    bare: bool = False
    """Nothing but brackets says that the numbers are a place."""
    in_any_order: bool = False
    """No key says which of the numbers is which side."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece that should have been an item, or is cut."""

    what: str
    piece: Piece
    quoted: bool = True

    @property
    def why(self) -> str:
        return f"{self.what}: {shortened(self.piece.text)}" if self.quoted else self.what


Found = Item | Unreadable


def item_of(label: str, numbers: Sequence[Number], kind: Kind, piece: Piece) -> Found:
    """A box of four numbers, or of five where the last is a score; a point of two."""
    score = numbers[4].value if len(numbers) == 5 and is_score(numbers[4].value) else None
    counted = numbers[:4] if score is not None else numbers
    if len(counted) not in {"box": (4,), "point": (2,), "either": (2, 4)}[kind]:
        return Unreadable(_miscounted(len(numbers), kind), piece)
    values = tuple(number.value for number in counted)
    return Item(label, values, piece, score, is_of_shares(counted))


def bare(found: Found) -> Found:
    """The same, with nothing but its form to say that it is a place."""
    return replace(found, bare=True) if isinstance(found, Item) else found


def in_any_order(found: Found) -> Found:
    """The same, with no key to say which of its numbers is which side."""
    return replace(found, in_any_order=True) if isinstance(found, Item) else found


def in_a_form(found: Found) -> Found:
    """The same, with a key or a tag to say that it is a place."""
    return replace(found, bare=False) if isinstance(found, Item) else found


def labelled(found: Found, label: str) -> Found:
    """The same, with this name if it has none."""
    return replace(found, label=found.label or label) if isinstance(found, Item) else found


def scored(found: Found, score: float | None) -> Found:
    """The same, with this score if it has none."""
    unscored = isinstance(found, Item) and found.score is None
    return replace(found, score=score) if unscored else found


def is_of_shares(numbers: Sequence[Number]) -> bool:
    """Whether they are shares of the picture's sides: about 0 to 1, and one is no whole number.

    Models place a side a little outside the picture, too; it is clipped.
    """
    inside = all(-MAX_OUTSIDE <= number.value <= 1 + MAX_OUTSIDE for number in numbers)
    return inside and any(number.decimal for number in numbers)


def is_score(number: float) -> bool:
    return 0 <= number <= 1


def shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def _miscounted(count: int, kind: Kind) -> str:
    if count == 0:
        return "no numbers where a place should be"
    what = f"no {kind}" if count in (2, 4) else "neither a box nor a point"
    return f"{counted(count)} {what}"


def counted(numbers: int) -> str:
    """``one number is``, ``3 numbers are``."""
    return "one number is" if numbers == 1 else f"{numbers} numbers are"
