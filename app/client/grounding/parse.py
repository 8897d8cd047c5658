"""Boxes and points in an answer, however it is written.

A JSON schema holds most servers' models to one form; this reads what comes without one. JSON,
well-formed or not, becomes values (:mod:`.values`) in which places are looked for
(:mod:`.places`); other forms have patterns (:mod:`.lines`, :mod:`.tags`, :mod:`.prose`).

Every group of coordinates becomes an :class:`Item`, or an :class:`Unreadable` that tells it. No
coordinates are the numbers in a thought, and a range that covers the whole picture.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from app.client.grounding import prose, tags
from app.client.grounding.items import Found, Item, Piece, Unreadable
from app.client.grounding.lines import without_lines
from app.client.grounding.places import places
from app.client.grounding.scan import CALL, Scanner
from app.client.grounding.values import NUMBER
from app.client.grounding.writing import in_plain_letters

_THOUGHT_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>|◁(/?)think▷", re.IGNORECASE)
_QUOTED = rf"[\"']?{NUMBER}[\"']?"
_LIST = rf"\[\s*{_QUOTED}(?:\s*,\s*{_QUOTED}){{3,4}}\s*\]"
_APART = r"[ \t,;/|\u00d7:]{1,4}"
_SIDE = rf"{NUMBER}(?:\s?px)?"
_FOUR = re.compile(
    rf"{_LIST}|(?<![\w.,/])(?<!\d:){_SIDE}(?:{_APART}{_SIDE}){{3,}}(?![\w.])|{tags.LOCATIONS}"
)
_LOCATIONS = re.compile(tags.LOCATIONS)
_TUPLE = re.compile(r"\(\s*[\"'][^\"'\n]{1,60}[\"']\s*(?:,|=>)")
_OPENING = re.compile(
    rf"[{{\[]|\"[^\"\n]{{1,60}}\"\s*:|{tags.BOXES}|{tags.POINTS}|{tags.LOCATIONS}|<"
    rf"|{tags.SIDE}|{prose.OPENING}|{CALL.pattern}",
    re.IGNORECASE,
)
_RANGES = {
    *((0.0, 0.0, most, most) for most in (999.0, 1000.0)),
    *((0.0, most) for most in (999.0, 1000.0)),
}


def items(answer: str) -> list[Found]:
    """Each place, in the answer's order.

    Bare numbers in prose are places only where nothing else is: beside JSON or tags they are told
    as problems, unless they repeat a place or name the range of the coordinates. Never raises,
    whatever the text.
    """
    text, cut = _without_thoughts(in_plain_letters(answer))
    text, in_lines = without_lines(text)
    found = [*in_lines, *_found(text), *cut]
    found = sorted([*found, *_overlooked(text, found)], key=lambda each: each.piece.start)
    marked = [item for item in found if isinstance(item, Item) and not item.bare]
    if marked:
        known = {item.numbers for item in marked} | _RANGES
        found = [
            _beside_others(item) if isinstance(item, Item) and item.bare else item
            for item in found
            if not (isinstance(item, Item) and item.bare and item.numbers in known)
        ]
    return found


def _beside_others(item: Item) -> Unreadable:
    return Unreadable("bare numbers beside an answer in a form", item.piece)


def _overlooked(text: str, found: Iterable[Found]) -> Iterator[Unreadable]:
    """Groups of four numbers that no piece holds, as when a damaged text hides them."""
    pieces = sorted((each.piece.start, each.piece.end) for each in found)
    starts = [start for start, _ in pieces]
    ends = list(accumulate((end for _, end in pieces), max))
    for group in _FOUR.finditer(text):
        before = bisect_right(starts, group.start())
        if before == 0 or ends[before - 1] < group.end():
            piece = Piece(group.group(), group.start())
            yield Unreadable("numbers that could not be read", piece)


def _found(text: str) -> list[Found]:
    found: list[Found] = []
    scanner = Scanner(text)
    at, name, name_until, last, no_call_until = 0, "", -1, 0, 0
    while opening := _OPENING.search(text, at):
        start = opening.start()
        if told := tags.NAMED.match(text, start):
            name, at = tags.name(told), told.end()
            name_until = at
            continue
        more: Sequence[Found] = ()
        opened = opening.group()
        if opened[0] in '{["' or _TUPLE.match(text, start):
            value, at = scanner.scan(start)
            more = [prose.named(each, text, start, last) for each in places(value, text)]
        elif opened.startswith("<point"):
            more, at = tags.points(text, start)
        elif start >= no_call_until and CALL.match(text, start):
            value, no_call_until = scanner.scan(text.index("(", start))
            more = places(value, text)
            at = no_call_until if more else start + 1
        elif unmarked := _unmarked(text, start, last):
            more, at = unmarked
        elif opened == "<" or not tags.is_tag(opened):
            at = start + 1
        else:
            named = name_until >= 0 and not text[name_until:start].strip(" ,;\n")
            label = name if named else tags.name_before(text, last, opening.end())
            more, at = tags.boxes(text, start, label)
            name_until = at if named else -1
        found += more
        last = at if more else last
    return found


def _unmarked(text: str, start: int, last: int) -> tuple[Sequence[Found], int] | None:
    """What has no brackets or tags of its own; ``last``: the end of what was found before."""
    if locations := _LOCATIONS.match(text, start):
        return [tags.locations(locations)], locations.end()
    if sides := tags.SIDES.match(text, start):
        return [prose.named(tags.sides(sides, last), text, start, last)], sides.end()
    if told := prose.place(text, start, last):
        return [told[0]], told[1]
    return None


def _without_thoughts(answer: str) -> tuple[str, list[Found]]:
    """Thoughts become spaces, so that all positions stay; an unfinished one is told."""
    text, at, begun = "", 0, -1
    for tag in _THOUGHT_TAG.finditer(answer):
        is_end = bool(tag.group(1) or tag.group(2))
        if is_end:
            # Without a beginning: it was in the prompt.
            start = begun if begun >= 0 else at
            text += answer[at:start] + " " * (tag.end() - start)
            at, begun = tag.end(), -1
        elif begun < 0:
            begun = tag.start()
    if begun < 0:
        return text + answer[at:], []
    piece = Piece(answer[begun:], begun)
    cut = Unreadable("the answer breaks off inside a thought", piece, quoted=False)
    return text + answer[at:begun] + " " * len(piece.text), [cut]
