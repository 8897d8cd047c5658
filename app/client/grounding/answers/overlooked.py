"""Numbers that no form has read, told so that nothing is lost without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.client.grounding.answers.forms import tags
from app.client.grounding.answers.items import Found, Item, Piece, Unreadable
from app.client.grounding.answers.side_names import side_or_corner
from app.client.grounding.answers.tolerant_json.values import NUMBER
from app.client.grounding.answers.words import is_no_place

_QUOTED = rf"[\"']?{NUMBER}[\"']?"
_LIST = rf"\[\s*{_QUOTED}(?:\s*,\s*{_QUOTED}){{3,4}}\s*\]"
_PLACE = (
    r"[xy]\d?|left|right|top|bottom|upper|lower|corners?|edge|side|rows?|columns?|col|point"
    r"|position|coordinates?|horizontally|vertically"
)
_SIZE = r"size|width|height|wide|high|tall|[wh]"
_STRAY = r"(?<![^\W\d])(?![xywhXYWH]\d)[^\W\d](?![^\W\d])"
"""A letter alone, as one that has got into a list."""
_APART = (
    rf"(?:[^\w\n.()\[{{]|\.(?!\d)|(?<=\d)[(\[{{](?=\d)|\)(?=\s?\d|,?\s?(?:size|with)\b)"
    rf"|\n[ \t]*[^\w\n]?-[^\w\n]?[ \t]*|\n[ \t]+(?=\d)"
    rf"|(?<=\d)(?:px|x(?=\d))|{_STRAY}"
    r"|\b(?:pixels?|to|and|by|from|until"
    rf"|through|between|with|its?|is|are|at|the|of|in|{_SIZE}|{_PLACE})\b){{1,24}}+"
)
"""What may stand between the numbers of one place in a sentence."""
_UNDER_A_BOX = (
    rf"\b(?:bbox|box|coords|coordinates)(?:_2d)?[\"']?(?:\s?[:=]\s?[\"'\[(]{{0,3}}"
    rf"{NUMBER}(?:[\s,;]{{1,9}}{NUMBER}){{1,9}}|\s{NUMBER}(?:[\s,;]{{1,9}}{NUMBER}){{2,9}})"
    rf"|\b[xy]\s?(?:[:=]\s?(?:from\s|between\s)?|(?:from|between)\s){NUMBER}"
    rf"\s?(?:to|and|[-=]?>|[-~\u2013\u2192])\s?{NUMBER}"
)
"""``bbox="10 20 30``, and one range: ``x from 10 to 30``."""
_FOUR = re.compile(
    rf"{_LIST}|{_UNDER_A_BOX}|(?<![\d.]){NUMBER}(?:\s?,\s?{NUMBER}){{3,}}(?![\w.])"
    rf"|(?<![\d_./])(?:(?<![A-Za-z])|(?<=[A-Za-z]{{2}}))(?<!\d[:,])(?:{_STRAY})?"
    rf"{NUMBER}(?:{_APART}{NUMBER}){{3,}}(?:\s?px|%)?(?![\w.])"
    rf"|{tags.LOCATIONS}",
    re.IGNORECASE,
)
_WITH_UNIT = rf"{NUMBER}(?:\s?(?:px|pixels?|%))?"
_MEASURED = rf"{NUMBER}\s?(?:px|pixels?|%)"
_BESIDE = (
    rf"(?:</?[^<>\d]{{1,30}}>|\W|{_STRAY}|\b(?:{_PLACE})(?=[\W\d])"
    r"|\b(?:to|until|and|bis)\b){1,30}+"
)
_TWO = re.compile(
    rf"(?:(?:[(\[{{<>:=|\"'`]|\b(?:{_PLACE}|at|click))[\W_]{{0,9}})"
    rf"{_WITH_UNIT}(?:{_BESIDE}{_WITH_UNIT})+"
    r"|<?[A-Za-z_]{0,14}\d{3,4}(?:>\s*|(?=<))(?:<?[A-Za-z_]{0,14}\d{3,4}>\s*)+"
    rf"|(?<![\w.]){NUMBER}(?:\s?,\s?{NUMBER}){{2,}}"
    rf"|(?<![\w.]){_MEASURED}[^\d\n]{{1,30}}\b(?:{_PLACE})\b[^\d\n]{{1,30}}{_MEASURED}",
    re.IGNORECASE,
)
"""At least two, behind a bracket, a colon or a word of place, or with units beside it; or three."""
_NEAR_THE_BEGIN = 400
"""Letters of a name in which such numbers are looked for."""
_SWALLOWED = re.compile(
    rf"{NUMBER}(?:\D{{1,6}}{NUMBER}){{2}}.*?[,(\[{{=:]\s*[\"']"
    rf"|\w:\s?\[(?:{NUMBER}\W{{1,3}}){{4}}\Z",
    re.DOTALL,
)
"""What a text without its end has of the next place."""
_UNDER_A_WORD = re.compile(rf"\b([^\W\d_]\w{{0,30}})[^\w\n]{{1,6}}{NUMBER}")
"""``ymin="20"``, ``"y_top": 20`` and ``CUP_Y1=20``."""
_CUT = re.compile(rf"[(\[]\s?{NUMBER}(?:\s?,\s?{NUMBER}){{1,2}}\s?,?\s?\Z")
"""What the answer's end leaves of a place in brackets."""
_NEAR = 60
"""Letters between the sides of one place."""
_NEAR_THE_END = 20
"""Letters from the answer's end: it may cut the other sides."""
_NO_PLACE = re.compile(
    r"[^\d(\[{]*\d{1,3}(?:,\d{3}){1,2}\D*|\D*\d+\s?[x\u00d7]\s?\d+\D*|.*\b\d{4}-\d\d-\d\d\b.*"
    r"|\D*\d{1,2}:\d\d(?::\d\d)?\D*",
    re.DOTALL,
)
"""``1,000``, ``640x480`` and ``2026-11-29 at 10:30:15``."""
_AMOUNT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d{1,2}(?!\d))?"
_PRICE = (
    rf"(?:[$\u00a3\u00a5\u20a9\u20ac\u20b9]\s?(?:{_AMOUNT})"
    rf"|(?<![\d.,])(?:{_AMOUNT})\s?(?:[\u20ac$]|\u00b0[CF]?))"
)
_COUNTED = re.compile(
    rf"{_PRICE}(?:(?:[\s,;/\u2013-]|\b(?:and|or|to)\b){{1,9}}{_PRICE})+"
    r"|\bviewBox=\"[^\"<>]{0,60}\""
)
"""``$1,299.00, $499.99 and $20``, ``12°C, 14°C``, and the whole of a drawing in SVG.

One sign of money alone may have got into a list.
"""
_NO_PLACES_KEY = re.compile(r"\"(\w{1,40})\"\s?:\s?\[[^\[\]]{0,200}\]")
"""``"rgb": [255, 0, 0]``."""
_HELD = "\0"
"""For each letter of what was found: it parts the numbers beside it."""


def overlooked(text: str, found: Sequence[Found]) -> Iterator[Unreadable]:
    """Groups of four numbers that no piece holds, as when a damaged text hides them.

    Beside points, and where nothing was found at all, two numbers are enough.
    """
    parts, at = list[str](), 0
    for start, end in sorted((each.piece.start, each.piece.end) for each in found):
        parts += [text[at:start], _HELD * (end - max(start, at))]
        at = max(at, end)
    rest = _COUNTED.sub(_held, _NO_PLACES_KEY.sub(_held_by_its_key, "".join([*parts, text[at:]])))
    yield from filter(None, map(_in_a_name, found))
    told = False
    for group in _FOUR.finditer(rest):
        if not _NO_PLACE.fullmatch(group[0]):
            told = True
            yield _unread(group)
    has_points = any(isinstance(each, Item) and len(each.numbers) == 2 for each in found)
    if (has_points or not found) and not told:
        two = [each for each in _TWO.finditer(rest) if not _counts(each[0])]
        told = bool(two)
        yield from map(_unread, two)
    elif not told and (cut := _CUT.search(rest)):
        told = True
        yield _unread(cut)
    if not told:
        yield from _sides(rest, least=3 if found else 2)


def _in_a_name(each: Found) -> Unreadable | None:
    """Numbers that a text without its end has swallowed: ``"cup], [50, 60, 70, 80, "plate"``."""
    if isinstance(each, Item) and _SWALLOWED.search(each.label[:_NEAR_THE_BEGIN]):
        return Unreadable("numbers in a name", each.piece)
    return None


def _held(told: re.Match[str]) -> str:
    return _HELD * len(told[0])


def _held_by_its_key(pair: re.Match[str]) -> str:
    return _held(pair) if is_no_place(pair[1]) else pair[0]


def _sides(text: str, least: int) -> Iterator[Unreadable]:
    """Numbers behind the names of at least so many sides, one of which says where."""
    groups: list[dict[str, re.Match[str]]] = []
    end = -_NEAR - 1
    for each in _UNDER_A_WORD.finditer(text):
        words = each[1].casefold()
        if side := side_or_corner(words.replace("_", "")) or side_or_corner(words.split("_")[-1]):
            if each.start() - end > _NEAR or side in groups[-1]:
                groups.append({})
            groups[-1][side] = each
            end = each.end()
    for group in groups:
        ends_the_text = group is groups[-1] and len(text) - end < _NEAR_THE_END
        is_enough = len(group) >= (2 if ends_the_text else least)
        if is_enough and not group.keys() <= {
            "width",
            "height",
        }:
            first, *_, last = group.values()
            piece = Piece(text[first.start() : last.end()], first.start())
            yield Unreadable("numbers that could not be read", piece)


def _counts(text: str) -> bool:
    """``[1], [2], [3]``; and what else is no place."""
    numbers = [float(number) for number in re.findall(NUMBER, text)]
    one_by_one = all(second - first == 1 for first, second in pairwise(numbers))
    return one_by_one or _NO_PLACE.fullmatch(text) is not None


def _unread(group: re.Match[str]) -> Unreadable:
    return Unreadable("numbers that could not be read", Piece(group.group(), group.start()))
