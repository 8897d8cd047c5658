"""The name of a place that stands before it: in its line, or above it."""

from __future__ import annotations

import re

from app.client.grounding.answers.names.behind import IN_BRACKETS
from app.client.grounding.answers.names.parts import (
    ARTICLE,
    AT,
    BULLET,
    BULLET_OR_NUMBER,
    LETTERS,
    LONGEST_LINE,
    NO_PARTS_OF_A_NAME,
    SCORE,
    WORDS,
    are_a_name,
    begin_of_line,
)
from app.client.grounding.answers.words import COORDINATES, LABELS, plain

_MARK = r"[*_`\"'\u3010\u3011]{0,3}"
_LINE = re.compile(
    rf"(?:\A|\n)[ \t]*(?:{BULLET_OR_NUMBER}?[ \t]*{_MARK}({WORDS}){_MARK}{SCORE}[ \t]*"
    r"(?:[:\uff1a=|]|[-=]>|\u2192|(?<=[ \t])[-\u2013\u2014])[*_`]{0,2}"
    rf"|{BULLET_OR_NUMBER}[ \t]+{_MARK}({WORDS}){_MARK}|\(({WORDS})\))[ \t]*\[?\Z"
)
_CLAUSE = re.compile(
    rf"(?:</[^<>]{{1,40}}>)?[\])]?[\s,;.&|\uff0c\u3001\u3002]{{0,9}}(?:{BULLET}[ \t]+|and[ \t]+)?"
    rf"(?:<(?={LETTERS}>))?[*_`\"'\[(\u201c]{{0,3}}({LETTERS}){AT}[*_`\"'\])>\u201d]{{0,3}}"
    rf"{SCORE}[ \t]*(?:[:\uff1a=|@]|[-=]>|\u2192|[-\u2013\u2014])?[ \t]*[*_`\"'(\[]{{0,3}}\Z"
)
"""``cup [10, …`` and ``**cup**: `[10, …``, from the line's begin or the place before."""
_KEY = re.compile(
    r"(?:의[ \t]+|(?<![\w*`]))[*_`\"']{0,3}((?:bounding[ _-])?\w{1,20})[*_`\"']{0,3}[ \t]*"
    r"[:=]?[*_`]{0,3}[ \t]*`?\Z",
    re.IGNORECASE,
)
"""``bbox_2d = `` before its list; ``centre`` before its numbers."""
_OF_A_THING = re.compile(
    r"\b(?:box|bbox|coordinates|location|position|cent(?:er|re)|middle)"
    r"[ ](?:for|of|around)[ ](?:(?:the|an?)[ ])?"
    rf"({LETTERS})(?:[ ](?:is|are))?(?:[ ]at)?[ ]?[:=]?[ ]?[*_`\"']{{0,3}}\Z"
    rf"|\b(?:detected|found|see)[ ](?:(?:an?|the)[ ])?({LETTERS})"
    r"(?:[ ]with[ ](?:confidence|score|probability)[ :]{1,3}[\d.%]{1,20})?"
    r"[ ](?:at|in)[ ](?:location[ ]|box[ ])?\Z"
    rf"|({LETTERS})'s[ ](?:bounding[ ]box|b?box|coordinates|location|position)"
    r"(?:[ ](?:is|are))?(?:[ ]at)?[ :=]{1,3}[*_`\"']{0,3}\Z",
    re.IGNORECASE,
)
"""``the bounding box of the cup is [10, …``, ``Detected cup with confidence 0.9 at [10, …``."""
_NAME_WITH_KEY = re.compile(
    r"\b(?:label|name|object|class)[*_`\"']{0,3}\s*[:=]\s*"
    r"(?:([^,;\n:=\[\](){}]{1,60})[,;]\s*|(?<==)([\w\"'-]{1,60})\s)\Z",
    re.IGNORECASE,
)
_EMPHASISED = re.compile(
    rf"(?:\A|\n)[ \t]*(?:{BULLET_OR_NUMBER}[ \t]+)?\*\*({WORDS}):?\*\*:?[ \t]*\Z"
)
_EMPHASISED_BESIDE = re.compile(rf"\*\*({WORDS})\*\*(?:{AT}[ \t]+|[ \t:(\u2013\u2014-]{{0,3}})`?\Z")
"""``I found **cup** at `[10, …``."""
_FENCE = re.compile(r"(?:\A|\n)[ \t]*```\w{0,12}[ \t]*\Z")
_ABOVE = re.compile(
    rf"(?:(?:\A|\n)[ \t]*(?:{BULLET_OR_NUMBER}[ \t]+)?({WORDS}):"
    rf"|(?:\A|\n[ \t]*\n)({WORDS}))[ \t]*\Z"
)
"""``cup:``, or ``cup`` alone in a paragraph's first line."""
_ABOVE_A_FENCE = re.compile(
    rf"(?:\A|\n)[ \t]*(?:#{{1,6}}[ \t]+|(?:{BULLET_OR_NUMBER}[ \t]+)?(?=\*\*|[^\n]*:))"
    rf"\*{{0,2}}({WORDS}):?\*{{0,2}}:?[ \t]*\Z"
)
"""``**cup**``, ``cup:`` and ``### cup``."""
_ATTACHED = re.compile(r"(?:[^\W\d_][\w'-]*[ \t]){0,3}[^\W\d_][\w'-]*\Z")
_ARTICLES = {"a", "an", "the"}
_WITH_ITS_ARTICLE = re.compile(rf"({LETTERS}){AT}[ ]?\Z")


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
    above = text[max(0, fence.start() - LONGEST_LINE) : fence.start()].rstrip()
    line = _ABOVE_A_FENCE.search(above)
    name = line.group(1) if line else ""
    return name if are_a_name(name.split()) else ""


def name_above(text: str, start: int) -> str:
    """Of the line above, if the place begins its own; a list of definitions has a colon there."""
    begin = begin_of_line(text, start)
    if text[begin:start].strip(" \t\n:"):
        return ""
    line = _ABOVE.search(text[max(0, begin - LONGEST_LINE) : max(begin, 0)])
    words = next(filter(None, line.groups()), "").split() if line else []
    is_a_key = any(plain(word) in LABELS for word in words)
    return " ".join(words) if not is_a_key and are_a_name(words) else ""


def name_of_thing(text: str, start: int) -> str:
    thing = _OF_A_THING.search(text, begin_of_line(text, start), start)
    name = next(filter(None, thing.groups()), "") if thing else ""
    return ARTICLE.sub("", name, count=1)


def name_attached(text: str, start: int) -> str:
    """``a red cup[[10, 20, 30, 40]]``, as CogVLM and Shikra write it."""
    until = start - (text[start - 1 : start + 2] == " [[")
    words = _ATTACHED.search(text, max(0, start - 80), until) if text[start] == "[" else None
    name: list[str] = []
    for word in reversed(words.group().split() if words else []):
        if NO_PARTS_OF_A_NAME.match(word):
            break
        name.insert(0, word)
    return " ".join(name)


def name_of_clause(text: str, start: int, last: int) -> str:
    """What alone stands between the line's begin, or the place before, and the place."""
    begin = max(begin_of_line(text, start), last)
    if behind_the_last := IN_BRACKETS.match(text, last) if last else None:
        begin = max(begin, behind_the_last.end())
    end = _before_its_key(text, begin, start)
    clause = _CLAUSE.match(text[begin:end].rstrip(", ") if end < start else text[begin:end])
    words = clause.group(1).split() if clause else []
    without_article = words[1:] if words[:1] and words[0].lower() in _ARTICLES else words
    if any(map(NO_PARTS_OF_A_NAME.match, without_article)):
        return ""
    return " ".join(without_article).rstrip("'")


def name_emphasised(text: str, start: int) -> str:
    name = _EMPHASISED_BESIDE.search(text, begin_of_line(text, start), start)
    return name.group(1) if name and are_a_name(name.group(1).split()) else ""


def name_with_its_article(text: str, start: int, last: int) -> str:
    """``There is a red cup at [10, …``, where no other thing stands before the place."""
    begin = max(begin_of_line(text, start), last)
    articles = list(ARTICLE.finditer(text, begin, start))
    thing = _WITH_ITS_ARTICLE.match(text, articles[0].end(), start) if len(articles) == 1 else None
    return thing.group(1) if thing and are_a_name(thing.group(1).split()) else ""


def _before_its_key(text: str, begin: int, start: int) -> int:
    """Where a place begins with the key before it, as in ``bbox_2d = [10, …``."""
    key = _KEY.search(text, begin, start)
    return key.start() if key and plain(key.group(1)) in COORDINATES else start
