"""The name of a place that stands behind it, or in its tag."""

from __future__ import annotations

import re

from app.client.grounding.answers.names.parts import (
    ALONE_IN_ITS_LINE,
    LETTERS,
    NAME_ATTRIBUTE,
    WORDS,
    are_a_name,
    begin_of_line,
)
from app.client.grounding.answers.side_names import side_or_corner
from app.client.grounding.answers.words import LABELS, SCORES, UNITS, plain

IN_BRACKETS = re.compile(rf"[*_`\"']{{0,3}}[ \t]?\(({LETTERS})\)(?=[ \t]*(?:[,;.]|and\b|\n|\Z))")
"""``[10, 20, 30, 40] (cup) and …``."""
_A_COMMENT = re.compile(rf"[;,)\]]{{0,2}}[ \t]{{1,9}}(?:#|//)[ \t]*({WORDS})[ \t]*(?:\n|\Z)")
"""``bbox = [10, 20, 30, 40]  # cup``."""
_SAY_MORE = {
    *SCORES,
    *UNITS,
    *("approx", "approximate", "approximately", "estimated", "normalized", "pixels", "px"),
}
"""Words in brackets behind a place, beside names."""
_REST_OF_LINE = re.compile(
    r"[*_`\"']{0,3}[ \t]*(?:[:=|]|[-=]>|[\u2192\u2013\u2014-])?[ \t]*"
    rf"\(?([^\W\d]{WORDS})\)?[ \t.]*(?:\n|\Z)"
)
_ELEMENT = re.compile(r"<([^\W\d][\w-]{0,40})>\s{0,40}<\Z")
_TAG, _CUT_TAG = re.compile(r"<[^<>]{0,400}>"), re.compile(r"<[A-Za-z][^<>]{0,400}\Z")
_LONGEST_TAG = 400
_TEXT_OF_ELEMENT = re.compile(r"\s*([^<>\s][^<>]{0,200}?)\s*</")


def name_behind(text: str, start: int, end: int) -> str:
    """``[10, 20, 30, 40] cup``, alone in its line."""
    if not ALONE_IN_ITS_LINE.search(text, begin_of_line(text, start), start):
        return ""
    rest = _REST_OF_LINE.match(text, end)
    return rest.group(1) if rest else ""


def name_remarked(text: str, end: int) -> str:
    """``[10, 20, 30, 40] (cup)``, also in a sentence; or a comment behind it."""
    name = IN_BRACKETS.match(text, end) or _A_COMMENT.match(text, end)
    if not name or plain(name.group(1)) in _SAY_MORE or side_or_corner(plain(name.group(1))):
        return ""
    return name.group(1) if are_a_name(name.group(1).split()) else ""


def is_in_a_cut_tag(text: str, start: int) -> bool:
    """Whether a name may still follow."""
    tag = text.rfind("<", max(0, start - _LONGEST_TAG), start)
    return tag >= 0 and _CUT_TAG.match(text, tag) is not None


def name_in_tag(text: str, start: int) -> str:
    """``<area coords="10,20,30,40" alt="cup">``, and ``<span title="bbox 10 20 30 40">cup<``."""
    tag = _TAG.match(text, max(text.rfind("<", max(0, start - _LONGEST_TAG), start), 0))
    if not tag or tag.end() <= start:
        return ""
    names = [*filter(None, NAME_ATTRIBUTE.findall(tag.group()))]
    if not names and "=" in tag.group() and (content := _TEXT_OF_ELEMENT.match(text, tag.end())):
        names = [content.group(1)]
    return names[0] if names else ""


def name_of_element(text: str, start: int) -> str:
    """``<cup><x1>10</x1>``."""
    element = _ELEMENT.search(text, max(0, start - _LONGEST_TAG), start)
    return element.group(1) if element and plain(element.group(1)) not in LABELS else ""
