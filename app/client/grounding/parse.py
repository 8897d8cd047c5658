"""Boxes and points in an answer, however it is written.

A JSON schema holds most servers' models to one form; this reads what comes without one. JSON,
well-formed or not, becomes values (:mod:`.values`) in which places are looked for
(:mod:`.places`); other forms have patterns (:mod:`.lines`, :mod:`.tags`, :mod:`.prose`), and names
stand beside them (:mod:`.naming`).

Every group of coordinates becomes an :class:`Item`, or an :class:`Unreadable` that tells it. No
coordinates are the numbers in a thought, and a range that covers the whole picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.client.grounding import naming, prose, tags
from app.client.grounding.items import Found, Item, Piece, Unreadable
from app.client.grounding.lines import without_lines
from app.client.grounding.places import places
from app.client.grounding.scan import CALL, Scanner
from app.client.grounding.values import NUMBER
from app.client.grounding.writing import in_plain_letters

_THOUGHT_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>|◁(/?)think▷", re.IGNORECASE)
_QUOTED = rf"[\"']?{NUMBER}[\"']?"
_LIST = rf"\[\s*{_QUOTED}(?:\s*,\s*{_QUOTED}){{3,4}}\s*\]"
_APART = (
    r"(?:[ \t,;:/|@=+\u00d7\u2192-]|(?<=\d)(?:px|x(?=\d))|\b(?:pixels?|[xywh]|to|and|by|from|until"
    r"|through|between|with|its?|is|are|at|the|of|in|size|width|height|wide|high|tall|left|right|top"
    r"|bottom|upper|lower|corners?|edge|side|rows?|columns?|point|position|horizontally|vertically)\b){1,24}+"
)
"""What may stand between the numbers of one place in a sentence."""
_FOUR = re.compile(
    rf"{_LIST}|(?<![\w./])(?<!\d[:,]){NUMBER}(?:{_APART}{NUMBER}){{3,}}(?:\s?px)?(?![\w.])"
    rf"|{tags.LOCATIONS}",
    re.IGNORECASE,
)
_HELD = "\0"
"""For each letter of what was found: it parts the numbers beside it."""
_LOCATIONS = re.compile(tags.LOCATIONS)
_LIST_OF_SIDES = re.compile(rf"\[\s{{0,9}}{tags.SIDES.pattern}", re.IGNORECASE)
"""``[x1=10, y1=20, x2=30, y2=40]``: no list of JSON."""
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
    parts, at = list[str](), 0
    for start, end in sorted((each.piece.start, each.piece.end) for each in found):
        parts += [text[at:start], _HELD * (end - max(start, at))]
        at = max(at, end)
    for group in _FOUR.finditer("".join([*parts, text[at:]])):
        yield Unreadable("numbers that could not be read", Piece(group.group(), group.start()))


def _found(text: str) -> list[Found]:
    found: list[Found] = []
    scanner = Scanner(text)
    at, name, name_until, last, no_call_until = 0, "", -1, 0, 0
    behind = tags.names_are_behind(text)
    while opening := _OPENING.search(text, at):
        start = opening.start()
        if not behind and (told := tags.NAMED.match(text, start)):
            name, at = tags.name(told), told.end()
            name_until = at
            continue
        more: Sequence[Found] = ()
        opened = opening.group()
        if _LIST_OF_SIDES.match(text, start):
            at = start + 1
        elif told := prose.pairs(text, start, last):
            more, at = [told[0]], told[1]
        elif opened[0] in '{["' or _TUPLE.match(text, start):
            value, at = scanner.scan(start)
            before = found[-1].label if found and isinstance(found[-1], Item) else ""
            more = naming.all_named(places(value, text), text, start, last, before)
        elif opened.startswith("<point"):
            more, at = tags.points(text, start)
        elif start >= no_call_until and CALL.match(text, start):
            value, no_call_until = scanner.scan(text.index("(", start))
            more = places(value, text)
            at = no_call_until if more else start + 1
        elif unmarked := _unmarked(text, start, last, names_behind=behind):
            more, at = unmarked
        elif opened == "<" or not tags.is_tag(opened):
            at = start + 1
        else:
            named = name_until >= 0 and not text[name_until:start].strip(" ,;\n")
            more, at = tags.boxes(text, start)
            label = name if named else _name_of_tag(text, opening, at, last, names_behind=behind)
            more = [replace(each, label=label) if isinstance(each, Item) else each for each in more]
            name_until = at if named else -1
        found += more
        last = at if more else last
    return found


def _name_of_tag(text: str, tag: re.Match[str], end: int, last: int, *, names_behind: bool) -> str:
    """Of a place between tags, if no tag before it names it."""
    if names_behind and (name := tags.name_behind(text, end)):
        return name
    return tags.name_before(text, last, tag.end()) or naming.name_beside(
        text, tag.start(), end, last
    )


def _unmarked(
    text: str, start: int, last: int, *, names_behind: bool
) -> tuple[Sequence[Found], int] | None:
    """What has no brackets or tags of its own; ``last``: the end of what was found before."""
    if locations := _LOCATIONS.match(text, start):
        return [tags.locations(locations)], locations.end()
    if sides := tags.SIDES.match(text, start):
        found = tags.sides(sides, last, names_behind=names_behind)
        return [naming.named(found, text, start, last)], sides.end()
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
