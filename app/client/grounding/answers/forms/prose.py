"""Places in sentences and lines: numbers that brackets, words or the names of axes stand beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.client.grounding.answers.items import Found, Item, Piece, Unreadable, bare, item_of
from app.client.grounding.answers.names.before import name_of_line
from app.client.grounding.answers.names.behind import is_in_a_cut_tag
from app.client.grounding.answers.names.naming import named
from app.client.grounding.answers.names.parts import ALONE_IN_ITS_LINE, begin_of_line
from app.client.grounding.answers.numbers import numbers_in, with_size
from app.client.grounding.answers.tolerant_json.values import NUMBER, QUOTED_NUMBER, Number
from app.client.grounding.answers.words import Kind

_PAIR = rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
_AN_X_AND_A_Y = (
    rf"\bx\s{{0,3}}[:=]\s{{0,3}}{QUOTED_NUMBER}[,;\s]{{1,9}}"
    rf"(?:and\s)?y\s{{0,3}}[:=]\s{{0,3}}{QUOTED_NUMBER}"
)
_IN_A_ROW = rf"{NUMBER}(?:\s{{0,9}}[,;\s]\s{{0,9}}{NUMBER}){{3}}"
_PLAIN = r"\d+(?:\.\d+)?"
_UNIT = r"[ \t]?(?:px|pixels?)?[ \t]?"
_CALL = r"\b(?:start_box|end_box|point|click)\s{0,9}[=:(]"
_WORD_FOR_A_BOX = r"\b(?:bbox|box|bounding box|coordinates|coords)(?:_2d)?(?:\s{0,9}[:=]\s{0,9}|\s)"
_CELL = r"(?<=\|)[ \t]{0,9}"
_UPPER_LEFT = r"(?:\b(?:(?:top|upper)[- ]left|links oben|oben links)\b|左上角?|좌상단|왼쪽 위)"
_LOWER_RIGHT = (
    r"(?:\b(?:(?:bottom|lower)[- ]right|rechts unten|unten rechts)\b|右下角?|우하단|오른쪽 아래)"
)


def _axis(name: str) -> str:
    begins = r"(?:(?:(?:ranges?|spans?|goes|runs)\s)?(?:from|between)\s)?"
    to = r"(?:px)?\s{0,3}(?:[-=]?>|\u2192|[-~\u2013\u2014]|\.{2,3}|to|until|and)\s{0,3}"
    again = rf"(?:{name}\s?=\s?)?"
    listed = rf"\[\s?({_PLAIN})\s?,\s?({_PLAIN})\s?\]"
    words = rf"{begins}{again}({_PLAIN}){to}{again}({_PLAIN})(?:px)?"
    return rf"\b{name}\s{{0,3}}[:=]?\s{{0,3}}(?:{listed}|{words})"


_TO = (
    r"(?:to|through|rectangle|until|(?:and\s)?ends\sat|bis|到|至|부터|에서"
    r"|[-~\u2013\u2014\u2192]>?)"
)
_CORNERS = re.compile(
    rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*"
    rf"(?:\)\s*(?:,|{_TO})?\s*\(|,)"
    rf"\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
)
"""``(10, 20), (30, 40)`` and ``(10, 20, 30, 40)``."""
_BOUNDS = re.compile(rf"\[{NUMBER},\s?{NUMBER}\]\[{NUMBER},\s?{NUMBER}\](?!\[)")
"""``[10,20][30,40]``, two corners as Android has them."""
_FOUR = re.compile(
    rf"{_WORD_FOR_A_BOX}(?:{_IN_A_ROW}|\"{_IN_A_ROW}\"|'{_IN_A_ROW}')"
    rf"|{_CELL}{_IN_A_ROW}(?=[ \t]{{0,9}}(?:\||\n))"
    rf"|{_UPPER_LEFT}[^()\n]{{0,40}}{_PAIR}"
    rf"[^()\n]{{0,60}}{_LOWER_RIGHT}[^()\n]{{0,40}}{_PAIR}"
    rf"|{_UPPER_LEFT}[^()\d\n]{{0,40}}{NUMBER}\s?,\s?{NUMBER}"
    rf"[^()\d\n]{{1,60}}{_LOWER_RIGHT}[^()\d\n]{{0,40}}{NUMBER}\s?,\s?{NUMBER}",
    re.IGNORECASE,
)
"""``bbox: 10, 20, 30, 40``, also alone in a table's cell; ``top-left (10, 20), bottom-right …``."""
_RANGES = re.compile(
    rf"{_axis('x')}[,;\s]{{1,9}}(?:and\s)?(?:(?:from|between)\s)?{_axis('y')}", re.IGNORECASE
)
"""``x 10-30, y 20-40``."""
_CORNER_AND_SIZE = re.compile(
    rf"(?:{_PAIR}|{_AN_X_AND_A_Y})(?:[,;:\s]{{1,5}}(?:(?:with|and)\s(?:an?\s|its\s)?)?(?:size(?:\sis|\sof)?\W{{0,3}})?{_PLAIN}\s?[x\u00d7]\s?{_PLAIN}"
    rf"|[^()\d\n]{{1,30}}width\D{{1,8}}{_PLAIN}\D{{1,24}}height\D{{1,8}}{_PLAIN}"
    rf"|[^()\d\n]{{1,30}}{_PLAIN}{_UNIT}wide[^()\d\n]{{1,12}}{_PLAIN}{_UNIT}(?:high|tall))",
    re.IGNORECASE,
)
"""``(10, 20), 20x30``; ``(10, 20), 20 px wide and 30 px high``."""
_ROUND, _SQUARE = _PAIR, rf"\[\s*{NUMBER}\s*,\s*{NUMBER}\s*\]"
_BESIDE = r"[ \t]{0,3}(?:[,;]|and|to|[-\u2013\u2014\u2192]>?)?[ \t]{0,3}"
_CHAIN = re.compile(
    rf"{_ROUND}(?:[ \t]{{0,3}}[,;]?[ \t]{{0,3}}{_ROUND}){{2,}}|{_SQUARE}(?:{_BESIDE}{_SQUARE})+"
)
"""``(10, 20), (30, 20), (30, 40)``: an outline, or several things' corners or points."""
_SAYS_WHERE = re.compile(
    r"\b(?:at|around|position|point|coordinates?|cent(?:er|re))[ \t:=]{0,3}\Z", re.IGNORECASE
)
_REST_IS_EMPTY = re.compile(r"[ .,;\"'`*]*(?:\n|\Z)")
_PAIR_IN_A_LIST = re.compile(_SQUARE)
_ACTION = re.compile(
    rf"{_CALL}\s{{0,9}}(?:point\s?=\s?)?[\"']?[\[(]\s{{0,9}}{NUMBER}\s{{0,9}},\s{{0,9}}{NUMBER}\s{{0,9}}[\])]",
    re.IGNORECASE,
)
"""``click(start_box='(10,20)')``, UI-TARS' and others' action on a screen."""
_X_AND_Y = re.compile(_AN_X_AND_A_Y, re.IGNORECASE)
_A_SIDE_MORE = re.compile(
    rf"[,;\s]{{0,4}}(?:and\s)?\b(?:w|h|width|height)\s?[:=]?\s?{QUOTED_NUMBER}", re.IGNORECASE
)
_FROM_TO = re.compile(rf"{_AN_X_AND_A_Y}\)?\s(?:to|until|bis)\s\(?{_AN_X_AND_A_Y}", re.IGNORECASE)
_ENDS_WITH_CENTRE = re.compile(r"\bcent(?:er|re)(?:ed)?[ \t]*(?:is|at|:|=)?[ \t]*\Z", re.IGNORECASE)
_CELLS = r"[ \t]{0,40}\|[ \t]{0,40}"
_ENDS_WITH_NUMBERS = re.compile(
    rf"(?:\d[\])]{_CELLS}"
    rf"|[\])}}](?:[^\n]{{0,3}}|\s?{_TO}[^\n()\d]{{0,3}})|\d\s?,\s?[\d.]+[^\n]{{1,5}}|\d\s?[x\u00d7]\s?\d+[^\n\d]{{1,12}})\Z"
)
_OF_CORNERS = re.compile(r"\bcorners?\b[^\n]{0,40}\Z", re.IGNORECASE)
_A_CORNER = rf"(?<!\bin the )(?<!\bon the )(?:{_UPPER_LEFT}|{_LOWER_RIGHT})"
_ITS_NUMBERS = r"[^\w\n()]{0,9}(?:(?:corner|point|is|at|of)\b[^\w\n()]{0,9}){0,3}"
_NEAR = 160
"""Letters in which a pair's corner is looked for, also in the line above."""
_ONE_CORNER = "one of a box's corners"
_A_PAIR = rf"[(\[]\s?(?:x\s?=\s?)?{NUMBER}\s?,\s?(?:y\s?=\s?)?{NUMBER}\s?[)\]]"
_BEHIND_A_CORNER = re.compile(
    rf"{_A_CORNER}{_ITS_NUMBERS}[(\[]?"
    rf"(?:{_A_PAIR}[^()\[\]\n]{{0,60}}(?:\n[^()\[\]\n]{{0,40}})?)?\Z",
    re.IGNORECASE,
)
_BEFORE_A_CORNER = re.compile(
    rf"[)\]]?[^()\[\]\n]{{0,40}}?(?:\n[^()\[\]\n]{{0,20}}?)?"
    rf"{_A_CORNER}{_ITS_NUMBERS}{_A_PAIR}",
    re.IGNORECASE,
)
"""The other corner's word is damaged, or in another line: else they are a box."""
_IN_A_CALL = re.compile(r"\w\((?:[^()\n]*,)?\s*\Z")
_NUMBER_OF_LINE = re.compile(r"\A\s*\d{1,3}\)\s")
_MORE_NUMBERS = re.compile(
    rf"{_CELLS}[(\[]\s?\d|[^\n]{{0,4}}?(?:[\[({{]\s?[\d.-]|\d\s?,\s?\d)|\s?(?:,\s?|{_TO}[^\n()\d]{{0,3}})\([^()\n]{{0,9}}\d"
    rf"|[^\n\w]{{0,4}}\d+\s?[x\u00d7]\s?\d"
)
OPENING = (
    rf"\(|\b[xy]\s{{0,9}}[:=]|\bx\s(?:\d|from|between|rang|span|goes|runs)|{_WORD_FOR_A_BOX}"
    rf"|{_CELL}\d|{_UPPER_LEFT}|{_CALL}"
)
"""What may begin one of these."""


def pairs(text: str, start: int, last: int) -> tuple[Found, int] | None:
    """Pairs in a row that begins here; or one in square brackets, with a name or its line alone.

    Others in square brackets are ranges and references, as in ``see [1, 2]``.
    """
    if bounds := _BOUNDS.match(text, start):
        return _named_or_cut(_box(bounds), bounds, last), bounds.end()
    if chain := _CHAIN.match(text, start):
        return Unreadable("pairs of numbers without a key", _piece(chain)), chain.end()
    told = _PAIR_IN_A_LIST.match(text, start)
    if not told:
        return None
    says_where = _SAYS_WHERE.search(text, max(0, start - 20), start)
    if _is_a_corner(told, text[begin_of_line(text, start) : start]):
        return Unreadable(_ONE_CORNER, _piece(told)), told.end()
    if not says_where and not _REST_IS_EMPTY.match(text, told.end()):
        return None
    found = named(_pair(told), text, start, last)
    is_alone = ALONE_IN_ITS_LINE.search(text, begin_of_line(text, start), start)
    is_named = isinstance(found, Item) and found.label and name_of_line(text, start)
    return (found, told.end()) if says_where or is_alone or is_named else None


def place(text: str, start: int, last: int) -> tuple[Found, int] | None:
    """The place that begins here, and where the text goes on behind it."""
    for form, read in _FORMS:
        if told := form.match(text, start):
            return _named_or_cut(read(told), told, last), told.end()
    return None


def _named_or_cut(found: Found, told: re.Match[str], last: int) -> Found:
    if is_in_a_cut_tag(told.string, told.start()):
        return Unreadable("the answer breaks off inside a tag", _piece(told), quoted=False)
    return named(found, told.string, told.start(), last)


def _box(told: re.Match[str]) -> Found:
    # The last ones: a word may have a digit, too, as in ``bbox_2d``.
    return _bare(told, "box", numbers_in(told.group(), told.start())[-4:])


def _box_of_ranges(told: re.Match[str]) -> Found:
    left, right, top, bottom = (_number(told, n) for n, text in enumerate(told.groups(), 1) if text)
    return _bare(told, "box", (left, top, right, bottom))


def _box_with_size(told: re.Match[str]) -> Found:
    group = numbers_in(told.group(), told.start())
    before = told.string[max(0, told.start() - 20) : told.start()]
    at_centre = _ENDS_WITH_CENTRE.search(before) is not None
    return _bare(told, "box", with_size(group, at_centre=at_centre))


def _point(told: re.Match[str]) -> Found:
    return _bare(told, "point", numbers_in(told.group(), told.start())[-2:])


def _x_and_y(told: re.Match[str]) -> Found:
    before = told.string[begin_of_line(told.string, told.start()) : told.start()]
    if _is_a_corner(told, before):
        return Unreadable(_ONE_CORNER, _piece(told))
    if more := _A_SIDE_MORE.match(told.string, told.end()):
        piece = Piece(told.string[told.start() : more.end()], told.start())
        return Unreadable("an x and a y, and one side of a size", piece)
    return _point(told)


def _pair(told: re.Match[str]) -> Found:
    """Two numbers in round brackets are a point, unless more coordinates are next to them."""
    before = told.string[begin_of_line(told.string, told.start()) : told.start()]
    before = _NUMBER_OF_LINE.sub("", before)
    if _is_a_corner(told, before):
        return Unreadable(_ONE_CORNER, _piece(told))
    if _IN_A_CALL.search(before):
        return Unreadable("a pair of numbers in a call", _piece(told))
    if _ENDS_WITH_NUMBERS.search(before) or _MORE_NUMBERS.match(told.string, told.end()):
        return Unreadable("a pair of numbers beside others", _piece(told))
    return _point(told)


def _is_a_corner(told: re.Match[str], before: str) -> bool:
    near = told.string[max(0, told.start() - _NEAR) : told.start()]
    behind = _OF_CORNERS.search(before) or _BEHIND_A_CORNER.search(near)
    return bool(behind) or _BEFORE_A_CORNER.match(told.string, told.end()) is not None


def _bare(told: re.Match[str], kind: Kind, group: Sequence[Number]) -> Found:
    return bare(item_of("", group, kind, _piece(told)))


def _piece(told: re.Match[str]) -> Piece:
    return Piece(told.group(), told.start())


def _number(told: re.Match[str], group: int) -> Number:
    return Number.of(told.group(group), *told.span(group))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Found]], ...] = (
    (_CORNERS, _box),
    (_CORNER_AND_SIZE, _box_with_size),
    (_FOUR, _box),
    (_RANGES, _box_of_ranges),
    (_FROM_TO, _box),
    (_ACTION, _point),
    (_X_AND_Y, _x_and_y),
    (re.compile(_PAIR), _pair),
)
