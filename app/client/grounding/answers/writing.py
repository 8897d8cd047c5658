"""The letters of an answer, as the rest of this package expects them."""

from __future__ import annotations

import html
import json
import re

from app.client.grounding.answers.forms.html_tables import in_markdown
from app.client.grounding.answers.tolerant_json.values import NUMBER

_ESCAPED = re.compile(
    r"[\[{,:]\s{0,9}&(?:quot|apos|#34|#39|#x22|#x27|nbsp);|&lt;\s?\|?/?\w{1,20}\|?\s?&gt;"
)
"""Quotes and tags that were escaped for HTML. An ``&amp;`` in a name alone is the name's."""
_HALF_AN_ESCAPE = re.compile(r"&[#\w]{0,6}\Z")
_BEGIN, _END = "\u00ab\u300c\u300e\uff02\u2033", "\u00bb\u300d\u300f\uff02\u2033"
_OTHER_QUOTES = re.compile(
    rf"(?<=[{{\[,:\s\uff0c\uff1a\uff5b])[{_BEGIN}]([^{_BEGIN}{_END}\n]{{0,60}})[{_END}]"
    r"(?=\s*[:,}\]\uff0c\uff1a\uff5d])"
)
"""French and Chinese ones, wide ones, and the signs of inches."""
_BACKTICKS = re.compile(
    r"([{\[:(]\s{0,9}|(?P<more>,\s{0,9}))`([^`\n\"\[({\d][^`\n\"]{0,99})`"
    r"(?=\s*(?:[,}\])]|(?(more)(?!)|:)))"
)
"""A text of JavaScript, also one with ``${…}`` in it, but no list that Markdown has as code."""
_QUOTED = r"(?:\"[^\"\n{}]{1,60}\"|'[^'\n{}]{1,60}')"
_NUMBERS = r"(?:-?\d[\d\s.,+-]{6,99}|[\[{(][\d\s.,+-]{7,99}(?:[\]})]|\Z))"
_ROW_IN_BRACES = re.compile(
    rf"\{{\s*(?:{_QUOTED}\s*,\s*{_NUMBERS}|{_NUMBERS}\s*,\s*{_QUOTED})\s*(?:\}}|\Z)"
)
"""``{"cup", 10, 20, 30, 40}`` and ``{"cup", {10, 20, 30, 40}}`` of C and Go, a list of JSON."""
_BRACES = str.maketrans("{}", "[]")
_TAG = r"(?:parameter|param|argument)"
_ARGUMENT = (
    rf"(?:<{_TAG}(?:=|\sname=)[\"']?(\w{{1,40}})[\"']?>([^<]*)"
    r"|<arg_key>(\w{1,40})</arg_key>\s*<arg_value>([^<]*))"
    rf"(?:</(?:{_TAG}|arg_value)>\s*|(?:</?\w*)?\Z)"
)
_ARGUMENTS = re.compile(rf"(?:{_ARGUMENT})+(?P<end></)?")
"""Of a call, as Claude and Qwen (``<parameter=label>cup</parameter>``), and GLM write them."""
_IS_JSON = re.compile(rf"\s*(?:[\[{{\"]|{NUMBER}\s*\Z)")
_OPEN, _SHUT = "\uff3b\uff08\u3010", "\uff3d\uff09\u3011"
_ASIAN_PUNCTUATION = re.compile(
    rf"(?<=[\d\"'\u2019\u201d\])}}{_SHUT}])[\uff1a\uff0c\u3001\uff1b\u060c\u061b](?=\s*[-\d\"'\u2018\u201c\[({{{_OPEN}])"
    rf"|(?<=\d)[\uff0c\u3001\uff1b\u060c](?=\s?[A-Za-z])|(?<=[A-Za-z_])\uff1a(?=\s?-?\d)"
    rf"|[{_OPEN}](?=\s*-?\d)|(?<=\d)[{_SHUT}]"
    rf"|\uff5b(?=\s*[\"'\u2018\u201c])|(?<=[\d\"'\u2019\u201d\]{_SHUT}])\uff5d"
)
"""Of Chinese and Japanese, where JSON has its own; in a name it stays as it is."""
_BESIDE_NUMBERS = re.compile(
    r"(?<=[\d,\[(:\s])[\u200b\u200c\u200d\u2060\ufeff]|\u2212(?=\d)|\u2248(?=\s?\d)"
    r"|(?<=[xy])[\u2080-\u2089]"
)
"""Invisible letters, the minus sign of print, "almost equal", and the small digits of x\u2081."""
_QUOTED_LINES = re.compile(r"^(?:[ \t]{0,9}>){1,3}(?=[ \t])", re.MULTILINE)
"""Of Markdown: ``> cup: [10, …``."""
_FRAMES = str.maketrans("│┃║" + "─━═┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬", "|" * 3 + "-" * 21)
"""Of a table that is drawn."""
_MARKS = re.compile(r"<\|(?:begin|end)_of_box\|>")
"""Of GLM, around any answer."""
_ASCII = str.maketrans(
    "\u060c\u061b\uff5b\uff5d\u3010\u3011\uff1a\uff0c\u3001\uff1b\uff3b\uff08\uff3d\uff09\u2212\u200b\u200c\u200d\u2060\ufeff\u2248"
    "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089",
    ",;{}[]:,,;[(])-     =0123456789",
)


def in_plain_letters(answer: str) -> str:
    """With ASCII's punctuation where the answer's structure has another."""
    escaped = _ESCAPED.search(answer)
    text = html.unescape(_HALF_AN_ESCAPE.sub("", answer)) if escaped else answer
    text = in_markdown(text)
    text = _QUOTED_LINES.sub(lambda begin: " " * len(begin.group()), text.translate(_FRAMES))
    text = _OTHER_QUOTES.sub(r'"\1"', text)
    for other in (_ASIAN_PUNCTUATION, _BESIDE_NUMBERS):
        text = other.sub(lambda mark: mark.group().translate(_ASCII), text)
    text = _ARGUMENTS.sub(_as_an_object, _MARKS.sub(" ", text))
    text = _ROW_IN_BRACES.sub(lambda row: row.group().translate(_BRACES), text)
    return _BACKTICKS.sub(r'\1"\3"', text)


def _as_an_object(arguments: re.Match[str]) -> str:
    """``{"label": "cup"}``, open as long as another argument may follow."""
    pairs = [
        (name or key, value or told)
        for name, value, key, told in re.findall(_ARGUMENT, arguments.group())
    ]
    texts = [
        f'"{name}": {value if _IS_JSON.match(value) else json.dumps(value.strip())}'
        for name, value in pairs
    ]
    return f"{{{', '.join(texts)}{'}</' if arguments['end'] else ', '}"
