"""Texts in quotes, as models write them: with stray quotes in them, or without their end."""

from __future__ import annotations

import json
import re

from app.client.grounding.answers.tolerant_json.values import NUMBER, Text

MAX_STRAYS = 20
"""Stray quotes in one text."""
NEAR = 1000
"""Letters within which a damaged text is searched for what cannot belong to it."""

QUOTE = r"(?:\\*[\"']|[\u201c\u201d\u201e\u2018\u2019])"
OPENING_QUOTE = re.compile(QUOTE)
_CLOSING = {"\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019"}
_SINGLE, _DOUBLE = re.compile(r"[\[{,:=(>]\s{0,99}'"), re.compile(r'[\[{,:=(>]\s{0,99}\\?"')
COLON = r"(?::|=>)"
"""JSON's, or Ruby's and PHP's arrow."""
KEY = rf"{QUOTE}[^\"'\n:{{}}\[\]]{{1,60}}{QUOTE}\s{{0,99}}{COLON}"
END = re.compile(r"```|<\s?\|?\s?(?:object_ref_|box_|ref\b|b?box\b|points?\b|det\b)")
"""The end of a code block, or a tag: no JSON goes on behind it."""
_LOST_QUOTE = re.compile(KEY)
_NUMBERS = re.compile(rf"\s*\[?\s*{NUMBER}\s*,\s*{NUMBER}\s*,")
_BEHIND_TEXT = re.compile(rf"{KEY}|```")
_BOUNDARY = re.compile(
    rf"[}}\]]\s{{0,99}},?\s{{0,99}}[{{\[]|,\s{{0,99}}(?:\{{\s{{0,99}}[\"']|\[\s{{0,99}}{NUMBER}\s*,)"
)
"""Between two objects or two rows; in a text that already has a stray quote, that is its end."""
AFTER_TEXT = re.compile(
    rf"""\s{{0,99}}(?:
        \Z | [:}}\])\[{{] | \(\s{{0,9}}(?:[(\[] | {NUMBER}\s{{0,9}},) | ``` | // | \# | /\*
        | [,;][,;\s]{{0,99}}(?:\Z | [{{}}\[\](] | {QUOTE} | {NUMBER} | // | \# | /\*
            | (?:null|true|false|NaN|None|True|False)\b | \w{{1,60}}\s*[:=]
            | [^\s,\"']{{1,6}}\s{{0,9}},\s{{0,9}}{NUMBER}\s{{0,9}}, )
        | {KEY}
    ) | [ \t]*\r?\n""",
    re.VERBOSE,
)
"""What can stand behind a closing quote. Another quote is part of the text: ``"12" pizza"``."""


class Strings:
    """Reads the texts in quotes of one answer."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.single_quoted = len(_SINGLE.findall(text)) >= len(_DOUBLE.findall(text))
        """Whether apostrophes quote here, as in Python's literals."""
        self.endless = dict[str, int]()
        """Of each quote: where a text begins that has no end; so has none that begins later."""

    def read(self, start: int, quote: str) -> tuple[Text | None, int]:
        """The text that begins with this quote, and where the value behind it can begin.

        ``None`` where the text has no end, or the quote is a stray one.
        """
        text, begin = self.text, start + len(quote)
        closing = _CLOSING.get(quote, quote)
        if begin >= self.endless.get(closing, len(text)):
            return None, begin if _stray(text, begin, closing) else len(text)
        at, strays = begin - len(closing), 0
        while strays < MAX_STRAYS:
            at = text.find(closing, at + len(closing))
            if at < 0:
                self.endless[closing] = begin
                break
            if _is_escaped(text, begin, at):
                continue
            end = at + len(closing)
            if AFTER_TEXT.match(text, end):
                return Text(unquoted(f"{quote[-1]}{text[begin:at]}{quote[-1]}"), start, end), end
            if _LOST_QUOTE.match(text, at):
                content = text[begin:at].rstrip(" \t\r\n,;{}[]")
                return Text(content, start, begin + len(content)), begin + len(content)
            if boundary := _BOUNDARY.search(text, max(begin, at - NEAR), at):
                cut = boundary.start()
                return Text(text[begin:cut], start, cut), cut
            if not strays and _NUMBERS.match(text, begin, at):
                return None, begin  # the quote is a stray one before a list's numbers
            strays += 1
        return None, begin if _stray(text, begin, closing) else len(text)


def _stray(text: str, begin: int, quote: str) -> bool:
    """Whether a text without an end cannot hold what comes behind its quote."""
    until = begin + NEAR
    if quote == "'" and (text.find('"', begin, until) >= 0 or END.search(text, begin, until)):
        return True
    return _BEHIND_TEXT.search(text, begin, until) is not None


def _is_escaped(text: str, begin: int, at: int) -> bool:
    slashes = 0
    while at - slashes > begin and text[at - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


_UNESCAPED_QUOTE = re.compile(r'\\.|"', re.DOTALL)


def unquoted(string: str) -> str:
    """The text within the quotes, its escapes read; a lone surrogate becomes U+FFFD."""
    content = string[1:-1]
    inner = _UNESCAPED_QUOTE.sub(
        lambda m: {'"': r"\"", r"\'": "'"}.get(m.group(), m.group()), content
    )
    try:
        text = str(json.loads(f'"{inner}"', strict=False))
    except ValueError:  # an escape that is none
        text = content
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
