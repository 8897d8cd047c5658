"""What people and models wrote, as Markdown that shows it and asks nobody for anything.

A picture's text can tell a model to answer with ``![](https://…?what-was-said)``: shown as it
stands, the browser would carry the conversation to that address. Streamlit reads more into a text
than Markdown does: ``$`` as formulas, ``:red[…]`` and ``:name:`` as colours and signs. For the last
it knows no escape, so an invisible character (U+2060, "no break here") follows the colon.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_MARKS = frozenset("\\`*_{}[]()<>#+-.!|$:~=&^\"'@")
"""What can mean something to Markdown, or to what Streamlit adds to it."""
_VERBATIM = re.compile(
    r"^(?P<fence>```+|~~~+)[^\n]*\n.*?(?:^(?P=fence)[ \t]*$|\Z)"  # a block of code
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"  # code within a line
    r"|\$\$.+?\$\$",  # a formula
    re.DOTALL | re.MULTILINE,
)
_SIGN = re.compile(r"(:)(?=[a-zA-Z][\w/+-]*:)")
_JOINER = "\u2060"
_parser = MarkdownIt("commonmark").enable("table")


def plain(text: str) -> str:
    """Nothing of it is read as Markdown; lines stay lines."""
    text = _SIGN.sub(rf"\1{_JOINER}", text)
    escaped = "".join(f"\\{c}" if c in _MARKS else c for c in text)
    return re.sub(r"\n", "  \n", re.sub(r"^ +| +$", "", escaped, flags=re.MULTILINE))


def answer(text: str) -> str:
    """Markdown stays; no picture is loaded, and a single ``$`` or ``:word[`` is only itself."""
    pieces: list[str] = []
    end = 0
    for found in _VERBATIM.finditer(text):
        pieces += [_harmless(text[end : found.start()]), found[0]]
        end = found.end()
    pieces.append(_harmless(text[end:]))
    shown = "".join(pieces)
    # Where code begins and ends is the parser's to say: if it still sees a picture, it is none.
    return plain(text) if _has_picture(shown) else shown


def _harmless(text: str) -> str:
    text = text.replace("![", "\\!\\[").replace("$", "\\$")
    text = _SIGN.sub(rf"\1{_JOINER}", text)
    return re.sub(r":(?=[a-zA-Z][\w/+-]*\[)", "\\:", text)


def _has_picture(markdown: str) -> bool:
    inner = (child for block in _parser.parse(markdown) for child in block.children or ())
    return any(token.type == "image" for token in inner)
