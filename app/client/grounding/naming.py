"""The name of a place that no form gives one: in its line, before it or behind it, in its tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from app.client.grounding.items import Found, Item, labelled
from app.client.grounding.side_names import side_or_corner
from app.client.grounding.tables import BULLET
from app.client.grounding.tags import NAME_ATTRIBUTE
from app.client.grounding.words import (
    ALL_CORNERS,
    CONTAINERS,
    COORDINATES,
    LABELS,
    NO_NAMES,
    SCORES,
    UNITS,
    plain,
)

_OPENING_BRACKETS = re.compile(r"[\[({]+")
_WORD = r"[^\s*_`\"'.:|<>{}\[\]()\u201c\u201d\u3010\u3011]+"
MAX_WORDS = 3
"""Of a name that stands beside its place."""
_MARK = r"[*_`\"'\u3010\u3011]{0,3}"
_WORDS = rf"{_WORD}(?:[ \t]+{_WORD}){{0,2}}"
_LETTERS = r"(?:[^\W_][\w'-]*[ \t]){0,2}?[^\W\d_][\w'-]*"
_SCORE = r"(?:[ \t]*[(\[]?(?:[01]?\.\d{1,6}|\d{1,3}[ \t]?%)[)\]]?)?"
_AT = (
    r"(?:(?:[ \t]+(?:is|starts|begins|goes))?(?:[ \t]+(?:located|centere?d))?[ \t]+at"
    r"|[ \t]+(?:goes|reaches|extends)[ \t]+from)?"
)
_BULLET = rf"(?:{BULLET}|\d{{1,3}}:|\|(?:[ \t]*\d{{1,3}}[ \t]*\|)?)"
_LINE = re.compile(
    rf"(?:\A|\n)[ \t]*(?:{_BULLET}?[ \t]*{_MARK}({_WORDS}){_MARK}{_SCORE}[ \t]*"
    r"(?:[:\uff1a=|]|[-=]>|\u2192|(?<=[ \t])[-\u2013\u2014])[*_`]{0,2}"
    rf"|{_BULLET}[ \t]+{_MARK}({_WORDS}){_MARK}|\(({_WORDS})\))[ \t]*\[?\Z"
)
_CLAUSE = re.compile(
    rf"(?:</[^<>]{{1,40}}>)?[\])]?[\s,;.&|\uff0c\u3001\u3002]{{0,9}}(?:{BULLET}[ \t]+|and[ \t]+)?"
    rf"(?:<(?={_LETTERS}>))?[*_`\"'\[(\u201c]{{0,3}}({_LETTERS}){_AT}[*_`\"'\])>\u201d]{{0,3}}"
    rf"{_SCORE}[ \t]*(?:[:\uff1a=|@]|[-=]>|\u2192|[-\u2013\u2014])?[ \t]*[*_`\"'(]{{0,3}}\Z"
)
"""``cup [10, …`` and ``**cup**: `[10, …``, from the line's begin or the place before."""
_KEY = re.compile(
    r"(?:의[ \t]+|(?<![\w*`]))[*_`\"']{0,3}((?:bounding[ _-])?\w{1,20})[*_`\"']{0,3}[ \t]*"
    r"[:=]?[*_`]{0,3}[ \t]*`?\Z",
    re.IGNORECASE,
)
"""``bbox_2d = `` before its list; ``centre`` before its numbers."""
_CALL = re.compile(r"(?<![\w.])(?:\w{1,10}\.)?(?:as)?(?:array|tensor)\(?\Z", re.IGNORECASE)
"""``tensor(`` before its list, which is not its name."""
_QUOTED = re.compile(
    r"[\"']([^\"'\n\[\](){}]{1,60})[\"']\]?\s{0,9}(?:=|[-=]>|,|\bto\b)\s{0,9}(?:[\w.:]{1,40}\(?)?\Z"
)
"""``boxes["cup"] = [10, …``, ``"cup" to listOf(10, …`` and ``"cup" -> List(10, …``."""
_OF_A_THING = re.compile(
    r"\b(?:box|bbox|coordinates|location|position)[ ](?:for|of|around)[ ](?:(?:the|an?)[ ])?"
    rf"({_LETTERS})(?:[ ](?:is|are))?(?:[ ]at)?[ ]?[:=]?[ ]?[*_`\"']{{0,3}}\Z"
    rf"|\b(?:detected|found|see)[ ](?:(?:an?|the)[ ])?({_LETTERS})"
    r"(?:[ ]with[ ](?:confidence|score|probability)[ :]{1,3}[\d.%]{1,20})?"
    r"[ ](?:at|in)[ ](?:location[ ]|box[ ])?\Z"
    rf"|({_LETTERS})'s[ ](?:bounding[ ]box|b?box|coordinates|location|position)"
    r"(?:[ ](?:is|are))?(?:[ ]at)?[ :=]{1,3}[*_`\"']{0,3}\Z",
    re.IGNORECASE,
)
"""``the bounding box of the cup is [10, …``, ``Detected cup with confidence 0.9 at [10, …``."""
_NAME_WITH_KEY = re.compile(
    r"\b(?:label|name|object|class)[*_`\"']{0,3}\s*[:=]\s*"
    r"(?:([^,;\n:=\[\](){}]{1,60})[,;]\s*|(?<==)([\w\"'-]{1,60})\s)\Z",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(rf"[*_`\"']{{0,3}}[ \t]?\(({_LETTERS})\)(?=[ \t]*(?:[,;.]|and\b|\n|\Z))")
"""``[10, 20, 30, 40] (cup) and …``."""
_FENCE = re.compile(r"(?:\A|\n)[ \t]*```\w{0,12}[ \t]*\Z")
_EMPHASISED = re.compile(rf"(?:\A|\n)[ \t]*(?:{_BULLET}[ \t]+)?\*\*({_WORDS}):?\*\*:?[ \t]*\Z")
_ABOVE_A_FENCE = re.compile(
    rf"(?:\A|\n)[ \t]*(?:#{{1,6}}[ \t]+|(?:{_BULLET}[ \t]+)?(?=\*\*|[^\n]*:))"
    rf"\*{{0,2}}({_WORDS}):?\*{{0,2}}:?[ \t]*\Z"
)
"""``**cup**``, ``cup:`` and ``### cup``."""
_NO_LABELS = {*COORDINATES, *CONTAINERS, *NO_NAMES, *ALL_CORNERS}
_SAY_MORE = {
    *SCORES,
    *UNITS,
    *("approx", "approximate", "approximately", "estimated", "normalized", "pixels", "px"),
}
"""Words in brackets behind a place, beside names."""
_LONGEST_LINE = 120
"""Letters before a place in which its name is looked for."""
ALONE_IN_ITS_LINE = re.compile(rf"(?:\A|\n)[ \t]*(?:{_BULLET}[ \t]+)?\Z")
_REST_OF_LINE = re.compile(
    r"[*_`\"']{0,3}[ \t]*(?:[:=|]|[-=]>|[\u2192\u2013\u2014-])?[ \t]*"
    rf"\(?([^\W\d]{_WORDS})\)?[ \t.]*(?:\n|\Z)"
)
_ATTACHED = re.compile(r"(?:[^\W\d_][\w'-]*[ \t]){0,3}[^\W\d_][\w'-]*\Z")
_ELEMENT = re.compile(r"<([^\W\d][\w-]{0,40})>\s{0,40}<\Z")
_TAG, _CUT_TAG = re.compile(r"<[^<>]{0,400}>"), re.compile(r"<[A-Za-z][^<>]{0,400}\Z")
_TEXT_OF_ELEMENT = re.compile(r"\s*([^<>\s][^<>]{0,80}?)\s*</")
_GOES_ON = re.compile(r"[ \t]{0,3}(?:[,;&]|,?[ \t]{0,3}and\b)[ \t]{0,3}")
"""Between two places of one name: ``cups: [10, …], [50, …] and [90, …]``."""
_IS_AT = re.compile(
    r"(?<=\w)(?:(?:の|的)(?:(?:座標|位置|坐标|边界框|邊界框)(?:は|是|为|為)?)?|位于|位於|在|は)\Z"
)
_ARTICLES = {"a", "an", "the"}
_ARTICLE = re.compile(r"(?:an?|the)[ ]", re.IGNORECASE)
_NO_PARTS_OF_A_NAME = re.compile(
    r"(?:an?|the|and|or|of|on|in|at|to|with|is|are|was|be|by|near|this|that|its|here|there|i|it"
    r"|found|detected|located|yes|no|sure|from|for|as|has|see|bounding|final|answer|one|another|print|image|format|solution)\Z",
    re.IGNORECASE,
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
        or _name_of_thing(text, start)
        or _name_behind(text, start, end)
        or _name_attached(text, start)
        or _name_of_clause(text, start, last)
        or _name_in_tag(text, start)
        or _name_of_element(text, start)
    )
    if not label or plain(label) in _NO_LABELS:
        label = _name_in_brackets(text, end) or name_above_a_fence(text, start)
    return "" if plain(label) in _NO_LABELS else _IS_AT.sub("", label)


def _brackets_end(text: str, start: int) -> int:
    brackets = _OPENING_BRACKETS.match(text, start)
    return brackets.end() if brackets else start


def name_of_line(text: str, start: int) -> str:
    """What stands before the place in its line, if it is a name; or alone in the line above."""
    begin = begin_of_line(text, start)
    end = _before_its_key(text, begin, start)
    if pair := _NAME_WITH_KEY.search(text, begin, end):
        return next(filter(None, pair.groups()), "").strip(" \"'")
    line = _LINE.search(text, begin, end)
    if line is None and begin > 0 and not text[begin:start].strip():
        line = _EMPHASISED.search(text, begin_of_line(text, begin), begin)
    return next(filter(None, line.groups()), "") if line else ""


def name_above_a_fence(text: str, start: int) -> str:
    """Of the code block that the place begins, if it is a name."""
    begin = begin_of_line(text, start)
    fence = _FENCE.search(text, begin_of_line(text, begin), begin)
    if not fence or text[begin:start].strip():
        return ""
    above = text[max(0, fence.start() - _LONGEST_LINE) : fence.start()].rstrip()
    line = _ABOVE_A_FENCE.search(above)
    name = line.group(1) if line else ""
    return name if are_a_name(name.split()) else ""


def are_a_name(words: Sequence[str]) -> bool:
    return not any(plain(word) in _NO_LABELS or _NO_PARTS_OF_A_NAME.match(word) for word in words)


def _name_in_brackets(text: str, end: int) -> str:
    """``[10, 20, 30, 40] (cup)``, also in a sentence."""
    name = _IN_BRACKETS.match(text, end)
    if not name or plain(name.group(1)) in _SAY_MORE or side_or_corner(plain(name.group(1))):
        return ""
    return name.group(1) if are_a_name(name.group(1).split()) else ""


def _name_of_clause(text: str, start: int, last: int) -> str:
    """What alone stands between the line's begin, or the place before, and the place."""
    begin = max(begin_of_line(text, start), last)
    if behind_the_last := _IN_BRACKETS.match(text, last) if last else None:
        begin = max(begin, behind_the_last.end())
    end = _before_its_key(text, begin, start)
    clause = _CLAUSE.match(text[begin:end].rstrip(", ") if end < start else text[begin:end])
    words = clause.group(1).split() if clause else []
    without_article = words[1:] if words[:1] and words[0].lower() in _ARTICLES else words
    if any(map(_NO_PARTS_OF_A_NAME.match, without_article)):
        return ""
    return " ".join(without_article).rstrip("'")


def _before_its_key(text: str, begin: int, start: int) -> int:
    """Where a place begins with the key before it, as in ``bbox_2d = [10, …``."""
    key = _KEY.search(text, begin, start)
    return key.start() if key and plain(key.group(1)) in COORDINATES else start


def begin_of_line(text: str, start: int) -> int:
    """Where a line that ends at ``start`` begins; if it is long, only its end: it is no name."""
    near = max(0, start - _LONGEST_LINE)
    return max(text.rfind("\n", near, start), near)


def _name_of_thing(text: str, start: int) -> str:
    thing = _OF_A_THING.search(text, begin_of_line(text, start), start)
    name = next(filter(None, thing.groups()), "") if thing else ""
    return _ARTICLE.sub("", name)


def _name_behind(text: str, start: int, end: int) -> str:
    """``[10, 20, 30, 40] cup``, alone in its line."""
    if not ALONE_IN_ITS_LINE.search(text, begin_of_line(text, start), start):
        return ""
    rest = _REST_OF_LINE.match(text, end)
    return rest.group(1) if rest else ""


def _name_attached(text: str, start: int) -> str:
    """``a red cup[[10, 20, 30, 40]]``, as CogVLM and Shikra write it."""
    until = start - (text[start - 1 : start + 2] == " [[")
    words = _ATTACHED.search(text, max(0, start - 80), until) if text[start] == "[" else None
    name: list[str] = []
    for word in reversed(words.group().split() if words else []):
        if _NO_PARTS_OF_A_NAME.match(word):
            break
        name.insert(0, word)
    return " ".join(name)


def is_in_a_cut_tag(text: str, start: int) -> bool:
    """Whether a name may still follow."""
    tag = text.rfind("<", max(0, start - _LONGEST_LINE), start)
    return tag >= 0 and _CUT_TAG.match(text, tag) is not None


def _name_of_element(text: str, start: int) -> str:
    """``<cup><x1>10</x1>``."""
    element = _ELEMENT.search(text, max(0, start - _LONGEST_LINE), start)
    return element.group(1) if element and plain(element.group(1)) not in LABELS else ""


def _name_in_tag(text: str, start: int) -> str:
    """``<area coords="10,20,30,40" alt="cup">``, and ``<span title="bbox 10 20 30 40">cup<``."""
    tag = _TAG.match(text, max(text.rfind("<", max(0, start - _LONGEST_LINE), start), 0))
    if not tag or tag.end() <= start:
        return ""
    name = NAME_ATTRIBUTE.search(tag.group())
    if not name and "=" in text[tag.start() : start]:
        name = _TEXT_OF_ELEMENT.match(text, tag.end())
    return name.group(1) if name else ""
