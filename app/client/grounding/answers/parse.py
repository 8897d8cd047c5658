"""Boxes and points in an answer, however it is written.

A JSON schema holds most servers' models to one form; this reads what comes without one. JSON,
well-formed or not, becomes values (``tolerant_json/``) in which places are looked for
(``objects/``); other forms have patterns (``forms/``), and names stand beside them (``names/``).

Every group of coordinates becomes an :class:`Item`, or an :class:`Unreadable` that tells it. No
coordinates are the numbers in a thought, and a range that covers the whole picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.client.grounding.answers import stated
from app.client.grounding.answers.forms import prose, tags
from app.client.grounding.answers.forms.lines import without_lines
from app.client.grounding.answers.items import Found, Item, Unreadable, labelled
from app.client.grounding.answers.names import naming
from app.client.grounding.answers.objects.places import places
from app.client.grounding.answers.overlooked import overlooked
from app.client.grounding.answers.thoughts import without_thoughts
from app.client.grounding.answers.tolerant_json.scan import CALL, Scanner
from app.client.grounding.answers.writing import in_plain_letters

_LOCATIONS = re.compile(tags.LOCATIONS)
_LIST_OF_SIDES = re.compile(
    rf"\[(?:\s{{0,9}}{tags.SIDES.pattern}|\w{{0,9}} ?x=[\"'])", re.IGNORECASE
)
"""``[x1=10, y1=20, x2=30, y2=40]``, and ``[`` in a tag: no list of JSON."""
_TUPLE = re.compile(r"\(\s*[\"'][^\"'\n]{1,60}[\"']\s*(?:,|=>)")
_NOTHING = re.compile(r"^[ \t]*(?:\[\s*\]|\{\s*\})[ \t]*$", re.MULTILINE)
"""An answer in a form that has no place."""
_A_DIGIT_BEHIND_MORE = re.compile(r"\d{2}[^\d.\])}]{1,20}\d\Z")
_OPENING = re.compile(
    rf"[{{\[]|\"[^\"\n]{{1,60}}\"\s*:|{tags.BOXES}|{tags.POINTS}|{tags.LOCATIONS}|<"
    rf"|{tags.SIDE}|{prose.OPENING}|{CALL.pattern}",
    re.IGNORECASE,
)


def items(answer: str, *, whole: bool | None = None) -> list[Found]:
    """Each place, in the answer's order. ``whole``: whether the answer has its end, if known.

    Bare numbers in prose are places only where nothing else is: beside JSON or tags they are told
    as problems, unless they repeat a place or name the range of the coordinates. Never raises,
    whatever the text.
    """
    text, cut = without_thoughts(in_plain_letters(answer))
    rest, in_lines = without_lines(text, _inside)
    found = [*in_lines, *_found(rest), *cut]
    found = sorted([*found, *overlooked(text, found)], key=lambda each: each.piece.start)
    in_corners = stated.in_corners(text)
    found = [in_corners(each) if isinstance(each, Item) else each for each in found]
    if found and not whole and _may_be_cut(found[-1], text, surely=whole is False):
        found[-1] = Unreadable("the answer may break off inside a number", found[-1].piece)
    return list(_told_once(found, text))


def _may_be_cut(last: Found, text: str, *, surely: bool) -> bool:
    """Whether a digit of it may be missing, since its last one ends the answer.

    If the answer was not ``surely`` cut, its last number must look like a beginning: a box's
    corners are not in order, as in ``y1: 340, x2: 560, y2: 78``, of which a 0 is lost; or it has
    one digit behind a number of more, as in ``height: 180, width: 1``.
    """
    ends_in_it = last.piece.end == len(text) and (text[-1:].isdecimal() or text.endswith("."))
    if not isinstance(last, Item) or not ends_in_it:
        return False
    if surely or len(last.numbers) != 4:
        return surely
    left, top, right, bottom = last.numbers
    is_short = _A_DIGIT_BEHIND_MORE.search(last.piece.text) is not None
    return right < left or bottom < top or is_short


def _told_once(found: Sequence[Found], text: str) -> Iterator[Found]:
    """Without bare numbers that repeat a place, or are the picture's size or range.

    Beside an answer in a form other bare numbers are told, and are no places.
    """
    marked = {one.numbers for one in found if isinstance(one, Item) and not one.bare}
    in_a_form = bool(marked) or _NOTHING.search(text) is not None
    seen = set(marked)
    for one in found:
        if isinstance(one, Item) and one.bare:
            repeats = one.numbers in seen and (in_a_form or not one.label)
            is_whole = stated.is_of_the_picture(one, text) or (in_a_form and stated.is_a_range(one))
            if repeats or is_whole:
                continue
            seen.add(one.numbers)
            yield _beside_others(one) if in_a_form else one
        else:
            yield one


def _beside_others(item: Item) -> Unreadable:
    return Unreadable("bare numbers beside an answer in a form", item.piece)


def _inside(text: str) -> list[Found]:
    """Of a text within an answer, by all forms."""
    rest, in_lines = without_lines(text, _inside)
    found = [*in_lines, *_found(rest)]
    return [*found, *overlooked(text, found)] if found else []


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
        is_named = name_until >= 0 and not text[name_until:start].strip(" ,;\n")
        if told := prose.pairs(text, start, last):
            more, at = [told[0]], told[1]
        elif _is_json(text, opening):
            value, at = scanner.scan(start)
            before = found[-1].label if found and isinstance(found[-1], Item) else ""
            read = places(value, text, _inside)
            more = naming.all_named(read, text, start, last, before)
        elif opened.startswith("<point"):
            more, at = tags.points(text, start)
        elif start >= no_call_until and CALL.match(text, start):
            value, no_call_until = scanner.scan(text.index("(", start))
            more = places(value, text, _inside)
            at = no_call_until if more else start + 1
            more = [labelled(each, naming.name_beside(text, start, at, last)) for each in more]
        elif unmarked := _unmarked(text, start, last, names_behind=behind):
            more, at = unmarked
        elif opened == "<" or not tags.is_tag(opened):
            at = start + 1
        else:
            more, at = tags.boxes(text, start)
            label = "" if is_named else _name_of_tag(text, opening, at, last, names_behind=behind)
            more = [labelled(each, label) for each in more]
        if is_named and more:
            more, name_until = [labelled(each, name) for each in more], at
        found += more
        last = at if more else last
    return found


def _is_json(text: str, opening: re.Match[str]) -> bool:
    """Or Python's tuple, which is read like it."""
    start = opening.start()
    if opening.group()[0] in '{["':
        return _LIST_OF_SIDES.match(text, start) is None
    return _TUPLE.match(text, start) is not None


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
