"""Places in sentences and lines: numbers that brackets, words or the names of axes stand beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.client.grounding.items import Found, Item, Piece, Unreadable, bare, item_of
from app.client.grounding.lines import BULLET
from app.client.grounding.numbers import numbers_in, with_size
from app.client.grounding.tags import NAME_ATTRIBUTE
from app.client.grounding.values import NUMBER, Number
from app.client.grounding.words import CONTAINERS, COORDINATES, NO_NAMES, Kind, plain

_PAIR = rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
_IN_A_ROW = rf"{NUMBER}(?:\s{{0,9}}[,\s]\s{{0,9}}{NUMBER}){{3}}"
_PLAIN = r"\d+(?:\.\d+)?"
_CALL = r"\b(?:start_box|end_box|point|click)\s{0,9}[=:(]"
_WORD_FOR_A_BOX = r"\b(?:bbox|box|bounding box|coordinates|coords)(?:_2d)?(?:\s{0,9}[:=]\s{0,9}|\s)"
_CELL = r"(?<=\|)[ \t]{0,9}"
_UPPER_LEFT = r"\b(?:top|upper)[- ]left\b"


def _axis(name: str) -> str:
    to = r"\s{0,3}(?:-|\u2013|\u2014|\.{2,3}|to|until)\s{0,3}"
    return rf"\b{name}\s{{0,3}}[:=]?\s{{0,3}}({_PLAIN}){to}(?:{name}\s?=\s?)?({_PLAIN})"


_CORNERS = re.compile(
    rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*"
    rf"(?:\)\s*(?:,|to|through|until|[-\u2013\u2014\u2192]>?)?\s*\(|,)"
    rf"\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
)
"""``(10, 20), (30, 40)`` and ``(10, 20, 30, 40)``."""
_FOUR = re.compile(
    rf"{_WORD_FOR_A_BOX}(?:{_IN_A_ROW}|\"{_IN_A_ROW}\"|'{_IN_A_ROW}')"
    rf"|{_CELL}{_IN_A_ROW}(?=[ \t]{{0,9}}(?:\||\n))"
    rf"|{_UPPER_LEFT}[^()\n]{{0,40}}{_PAIR}"
    rf"[^()\n]{{0,60}}\b(?:bottom|lower)[- ]right\b[^()\n]{{0,40}}{_PAIR}",
    re.IGNORECASE,
)
"""``bbox: 10, 20, 30, 40``, also alone in a table's cell; ``top-left (10, 20), bottom-right …``."""
_RANGES = re.compile(rf"{_axis('x')}[,;\s]{{1,9}}(?:and\s)?(?:from\s)?{_axis('y')}", re.IGNORECASE)
"""``x 10-30, y 20-40``."""
_CORNER_AND_SIZE = re.compile(
    rf"{_PAIR}(?:[,;:\s]{{1,5}}(?:size\W{{0,3}})?{_PLAIN}\s?[x\u00d7]\s?{_PLAIN}"
    rf"|[^()\d\n]{{1,30}}width\D{{1,8}}{_PLAIN}\D{{1,24}}height\D{{1,8}}{_PLAIN})",
    re.IGNORECASE,
)
"""``(10, 20), 20x30``."""
_ACTION = re.compile(
    rf"{_CALL}\s{{0,9}}(?:point\s?=\s?)?[\"']?[\[(]\s{{0,9}}{NUMBER}\s{{0,9}},\s{{0,9}}{NUMBER}\s{{0,9}}[\])]",
    re.IGNORECASE,
)
"""``click(start_box='(10,20)')``, UI-TARS' and others' action on a screen."""
_X_AND_Y = re.compile(
    rf"\bx\s{{0,3}}[:=]\s{{0,3}}{NUMBER}[,;\s]{{1,9}}(?:and\s)?y\s{{0,3}}[:=]\s{{0,3}}{NUMBER}",
    re.IGNORECASE,
)
_ENDS_WITH_CENTRE = re.compile(r"\bcent(?:er|re)(?:ed)?[ \t]*(?:is|at|:|=)?[ \t]*\Z", re.IGNORECASE)
_ENDS_WITH_NUMBERS = re.compile(r"(?:[\])}][^\n]{0,3}|\d\s?,\s?[\d.]+[^\n]{1,5})\Z")
_NUMBER_OF_LINE = re.compile(r"\A\s*\d{1,3}\)\s")
_MORE_NUMBERS = re.compile(r"[^\n]{0,4}?(?:[\[({]\s?[\d.-]|\d\s?,\s?\d)")
OPENING = rf"\(|\b[xy]\s{{0,9}}[:=]|\bx\s\d|{_WORD_FOR_A_BOX}|{_CELL}\d|{_UPPER_LEFT}|{_CALL}"
"""What may begin one of these."""

_OPENING_BRACKETS = re.compile(r"[\[({]+")
_WORD = r"[^\s*_`\"'.:<>{}\[\]()]+"
_WORDS = rf"{_WORD}(?:[ \t]+{_WORD}){{0,2}}"
_LETTERS = r"(?:[^\W_][\w'-]*[ \t]){0,2}[^\W\d_][\w'-]*"
_BULLET = rf"(?:{BULLET}|\|)"
_LINE = re.compile(
    rf"(?:\A|\n)[ \t]*(?:{_BULLET}?[ \t]*[*_`\"']{{0,3}}({_WORDS})[*_`\"']{{0,3}}[ \t]*"
    r"(?:[:\uff1a=|]|[-=]>|\u2192|(?<=[ \t])[-\u2013\u2014])[*_`]{0,2}"
    rf"|{_BULLET}[ \t]+[*_`\"']{{0,3}}({_WORDS})[*_`\"']{{0,3}}|\(({_WORDS})\))[ \t]*\Z"
)
_CLAUSE = re.compile(
    rf"[\s,;.&|]{{0,9}}(?:{BULLET}[ \t]+|and[ \t]+)?"
    rf"(?:<(?={_LETTERS}>))?[*_`\"'\[(]{{0,3}}({_LETTERS})[*_`\"'\])>]{{0,3}}"
    r"[ \t]*(?:[:\uff1a=|@]|[-=]>|\u2192|[-\u2013\u2014])?[ \t]*[*_`\"'(]{0,3}\Z"
)
"""``cup [10, …`` and ``**cup**: `[10, …``, from the line's begin or the place before."""
_KEY = re.compile(r"(?<![\w*`])[*_`\"']{0,3}(\w{1,20})[*_`\"']{0,3}[ \t]*[:=]?[ \t]*\Z")
"""``bbox_2d = `` before its list; ``centre`` before its numbers."""
_NAME_WITH_KEY = re.compile(
    r"\b(?:label|name|object|class)[*_`\"']{0,3}\s*[:=]\s*([^,;\n:=\[\](){}]{1,60})[,;]\s*\Z",
    re.IGNORECASE,
)
_EMPHASISED = re.compile(rf"(?:\A|\n)[ \t]*(?:{_BULLET}[ \t]+)?\*\*({_WORDS}):?\*\*:?[ \t]*\Z")
_NO_LABELS = {*COORDINATES, *CONTAINERS, *NO_NAMES}
_LONGEST_LINE = 120
"""Letters before a place in which its name is looked for."""
_ALONE_IN_ITS_LINE = re.compile(rf"(?:\A|\n)[ \t]*(?:{_BULLET}[ \t]+)?\Z")
_REST_OF_LINE = re.compile(
    r"[*_`\"']{0,3}[ \t]*(?:[:=|]|[-=]>|[\u2192\u2013\u2014-])?[ \t]*"
    rf"\(?([^\W\d]{_WORDS})\)?[ \t.]*(?:\n|\Z)"
)
_ATTACHED = re.compile(r"(?:[^\W\d_][\w'-]*[ \t]){0,3}[^\W\d_][\w'-]*\Z")
_TAG, _CUT_TAG = re.compile(r"<[^<>]{0,400}>"), re.compile(r"<[A-Za-z][^<>]{0,400}\Z")
_ARTICLES = {"a", "an", "the"}
_NO_PARTS_OF_A_NAME = re.compile(
    r"(?:an?|the|and|or|of|on|in|at|to|with|is|are|was|be|by|near|this|that|its|here|there|i|it"
    r"|found|detected|located|yes|no|sure|from|for|as|has|see|bounding|final|answer)\Z",
    re.IGNORECASE,
)


def place(text: str, start: int, last: int) -> tuple[Found, int] | None:
    """The place that begins here, and where the text goes on behind it."""
    for form, read in _FORMS:
        if told := form.match(text, start):
            if _is_in_a_cut_tag(text, start):
                why = "the answer breaks off inside a tag"
                return Unreadable(why, _piece(told), quoted=False), told.end()
            return named(read(told), text, start, last), told.end()
    return None


def _box(told: re.Match[str]) -> Found:
    # The last ones: a word may have a digit, too, as in ``bbox_2d``.
    return _bare(told, "box", numbers_in(told.group(), told.start())[-4:])


def _box_of_ranges(told: re.Match[str]) -> Found:
    left, right, top, bottom = (_number(told, each) for each in range(1, 5))
    return _bare(told, "box", (left, top, right, bottom))


def _box_with_size(told: re.Match[str]) -> Found:
    group = numbers_in(told.group(), told.start())
    before = told.string[max(0, told.start() - 20) : told.start()]
    at_centre = _ENDS_WITH_CENTRE.search(before) is not None
    return _bare(told, "box", with_size(group, at_centre=at_centre))


def _point(told: re.Match[str]) -> Found:
    return _bare(told, "point", numbers_in(told.group(), told.start())[-2:])


def _pair(told: re.Match[str]) -> Found:
    """Two numbers in round brackets are a point, unless more coordinates are next to them."""
    before = told.string[_begin_of_line(told.string, told.start()) : told.start()]
    before = _NUMBER_OF_LINE.sub("", before)
    if _ENDS_WITH_NUMBERS.search(before) or _MORE_NUMBERS.match(told.string, told.end()):
        return Unreadable("a pair of numbers beside others", _piece(told))
    return _point(told)


def _bare(told: re.Match[str], kind: Kind, group: Sequence[Number]) -> Found:
    return bare(item_of("", group, kind, _piece(told)))


def _piece(told: re.Match[str]) -> Piece:
    return Piece(told.group(), told.start())


def _number(told: re.Match[str], group: int) -> Number:
    text = told.group(group)
    return Number(float(text), told.start(group), told.end(group), "." in text)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Found]], ...] = (
    (_CORNERS, _box),
    (_CORNER_AND_SIZE, _box_with_size),
    (_FOUR, _box),
    (_RANGES, _box_of_ranges),
    (_ACTION, _point),
    (_X_AND_Y, _point),
    (re.compile(_PAIR), _pair),
)


def named(found: Found, text: str, start: int, last: int) -> Found:
    """With the name that stands beside it, as in ``- cup: [10, 20, 30, 40]``, if it has none.

    ``last`` is where the place before it ended.
    """
    if not isinstance(found, Item) or found.label or not found.bare:
        return found
    if _brackets_end(text, start) < found.piece.start:
        return found
    label = (
        _name_of_line(text, start)
        or _name_behind(text, start, found.piece.end)
        or _name_attached(text, start)
        or _name_of_clause(text, start, last)
        or _name_in_tag(text, start)
    )
    return replace(found, label=label) if plain(label) not in _NO_LABELS else found


def _brackets_end(text: str, start: int) -> int:
    brackets = _OPENING_BRACKETS.match(text, start)
    return brackets.end() if brackets else start


def _name_of_line(text: str, start: int) -> str:
    """What stands before the place in its line, if it is a name; or alone in the line above."""
    begin = _begin_of_line(text, start)
    key = _KEY.search(text, begin, start)
    end = key.start() if key and plain(key.group(1)) in COORDINATES else start
    if pair := _NAME_WITH_KEY.search(text, begin, end):
        return pair.group(1).strip(" \"'")
    line = _LINE.search(text, begin, end)
    if line is None and begin > 0 and not text[begin:start].strip():
        line = _EMPHASISED.search(text, _begin_of_line(text, begin), begin)
    return next(filter(None, line.groups()), "") if line else ""


def _name_of_clause(text: str, start: int, last: int) -> str:
    """What alone stands between the line's begin, or the place before, and the place."""
    begin = max(_begin_of_line(text, start), last)
    key = _KEY.search(text, begin, start)
    end = key.start() if key and plain(key.group(1)) in COORDINATES else start
    clause = _CLAUSE.match(text[begin:end].rstrip(", ") if end < start else text[begin:end])
    words = clause.group(1).split() if clause else []
    without_article = words[1:] if words[:1] and words[0].lower() in _ARTICLES else words
    return "" if any(map(_NO_PARTS_OF_A_NAME.match, without_article)) else " ".join(without_article)


def _begin_of_line(text: str, start: int) -> int:
    """Where a line that ends at ``start`` begins; if it is long, only its end: it is no name."""
    near = max(0, start - _LONGEST_LINE)
    return max(text.rfind("\n", near, start), near)


def _name_behind(text: str, start: int, end: int) -> str:
    """``[10, 20, 30, 40] cup``, alone in its line."""
    if not _ALONE_IN_ITS_LINE.search(text, _begin_of_line(text, start), start):
        return ""
    rest = _REST_OF_LINE.match(text, end)
    return rest.group(1) if rest else ""


def _name_attached(text: str, start: int) -> str:
    """``a red cup[[10, 20, 30, 40]]``, as CogVLM and Shikra write it."""
    words = _ATTACHED.search(text, max(0, start - 80), start) if text[start] == "[" else None
    name: list[str] = []
    for word in reversed(words.group().split() if words else []):
        if _NO_PARTS_OF_A_NAME.match(word):
            break
        name.insert(0, word)
    return " ".join(name)


def _is_in_a_cut_tag(text: str, start: int) -> bool:
    """Whether a name may still follow."""
    tag = text.rfind("<", max(0, start - _LONGEST_LINE), start)
    return tag >= 0 and _CUT_TAG.match(text, tag) is not None


def _name_in_tag(text: str, start: int) -> str:
    """``<area coords="10,20,30,40" alt="cup">``."""
    tag = _TAG.match(text, max(text.rfind("<", max(0, start - _LONGEST_LINE), start), 0))
    name = NAME_ATTRIBUTE.search(tag.group()) if tag and tag.end() > start else None
    return name.group(1) if name else ""
