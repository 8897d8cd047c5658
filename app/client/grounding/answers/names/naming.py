"""The name of a place that no form gives one: in its line, before it or behind it, in its tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from app.client.grounding.answers.items import Found, Item, labelled
from app.client.grounding.answers.names.before import (
    name_above,
    name_above_a_fence,
    name_attached,
    name_emphasised,
    name_of_clause,
    name_of_line,
    name_of_thing,
    name_with_its_article,
)
from app.client.grounding.answers.names.behind import (
    name_behind,
    name_in_tag,
    name_of_element,
    name_remarked,
)
from app.client.grounding.answers.names.parts import NO_LABELS, begin_of_line
from app.client.grounding.answers.words import plain

_OPENING_BRACKETS = re.compile(r"[\[({]+")
_CALL = re.compile(r"(?<![\w.])(?:\w{1,10}\.)?(?:as)?(?:array|tensor)\(?\Z", re.IGNORECASE)
"""``tensor(`` before its list, which is not its name."""
_QUOTED = re.compile(
    r"[\"']([^\"'\n\[\](){}]{1,60})[\"']\]?\s{0,9}(?:=|[-=]>|,|\bto\b)\s{0,9}(?:[\w.:]{1,40}\(?)?\Z"
)
"""``boxes["cup"] = [10, …``, ``"cup" to listOf(10, …`` and ``"cup" -> List(10, …``."""
_GOES_ON = re.compile(r"[ \t]{0,3}(?:[,;&]|,?[ \t]{0,3}and\b)[ \t]{0,3}")
"""Between two places of one name: ``cups: [10, …], [50, …] and [90, …]``."""
_IS_AT = re.compile(
    r"(?<=\w)(?:(?:の|的)(?:(?:座標|位置|坐标|边界框|邊界框)(?:は|是|为|為)?)?|位于|位於|在|は)\Z"
)


def named(found: Found, text: str, start: int, last: int) -> Found:
    """With the name that stands beside it, as in ``- cup: [10, 20, 30, 40]``, if it has none.

    ``last`` is where the place before it ended.
    """
    if not isinstance(found, Item) or found.label or not found.bare:
        return found
    if _brackets_end(text, start) < found.piece.start:
        return found
    return replace(found, label=name_beside(text, start, found.piece.end, last))


def all_named(
    found: Sequence[Found], text: str, start: int, last: int, before: str
) -> Sequence[Found]:
    """The places of one list: what names its first one names those that nothing else names.

    ``before`` is the name of the place before it, which goes on behind a comma.
    """
    if above := name_above_a_fence(text, start):
        found = [labelled(each, above) for each in found]
    if not found or not isinstance(first := named(found[0], text, start, last), Item):
        return found
    if first.bare and not first.label and _GOES_ON.fullmatch(text, last, start):
        first = replace(first, label=before)
    others = [
        replace(each, label=first.label)
        if isinstance(each, Item) and each.bare and not each.label and first.bare
        else each
        for each in found[1:]
    ]
    return [first, *others]


def name_beside(text: str, start: int, end: int, last: int) -> str:
    """What names the place from ``start`` to ``end``, in its line or its tag; or nothing."""
    if call := _CALL.search(text, max(0, start - 40), start):
        start = call.start()
    quoted = _QUOTED.search(text, begin_of_line(text, start), start)
    label = (
        (quoted.group(1) if quoted else "")
        or name_of_line(text, start)
        or name_of_thing(text, start)
        or name_behind(text, start, end)
        or name_attached(text, start)
        or name_of_clause(text, start, last)
        or name_in_tag(text, start)
        or name_of_element(text, start)
    )
    if not label or plain(label) in NO_LABELS:
        label = (
            name_remarked(text, end)
            or name_emphasised(text, start)
            or name_above_a_fence(text, start)
            or name_above(text, start)
            or name_with_its_article(text, start, last)
        )
    return "" if plain(label) in NO_LABELS else _IS_AT.sub("", label)


def _brackets_end(text: str, start: int) -> int:
    brackets = _OPENING_BRACKETS.match(text, start)
    return brackets.end() if brackets else start
