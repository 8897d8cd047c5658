"""What people and models wrote, as Markdown that shows it and asks nobody for anything.

A picture's text can tell a model to answer with ``![](https://…?what-was-said)``: shown as it
stands, the browser would carry the conversation to that address. Which characters are code or a
formula is Streamlit's to say, and a text can be made on which two parsers differ. So no Markdown
made here has ``![`` anywhere, and no parser can find a picture in it.

Streamlit reads more into a text than Markdown does: ``$`` as formulas, ``:red[…]`` and ``:name:``
as colours and signs. For the last it knows no escape, so an invisible character (U+2060, "no break
here") follows the colon.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MARKS = frozenset("\\`*_{}[]()<>#+-.!|$:~=&^\"'@")
"""What can mean something to Markdown, or to what Streamlit adds to it."""
_FENCED = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^`\n]*\n"
    r"(?P<code>.*?)(?:^ {0,3}(?P=fence)[`~]*[ \t]*$\n?|\Z)",
    re.DOTALL | re.MULTILINE,
)
_VERBATIM = re.compile(
    r"\\[^\w\s]"  # begins none of the others
    r"|^[ \t>*+-]+(?P<fence>`{3,}|~{3,})[^`\n]*\n.*?(?:^[ \t>]+(?P=fence)|\Z)"  # code in a list
    r"|(?P<ticks>`+)"  # may begin code within a paragraph
    r"|\$\$(?:\\.|[^$\\])+\$\$(?!\$)",  # a formula
    re.DOTALL | re.MULTILINE,
)
_TICKS = re.compile(r"`+")
_BLANK_LINE = re.compile(r"\n\s*\n")
_SIGN = re.compile(r"(:)(?=[a-zA-Z][\w/+-]*:)")
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Code:
    """To be shown as it is; never Markdown."""

    text: str
    language: str


def plain(text: str) -> str:
    """Nothing of it is read as Markdown; lines stay lines."""
    text = _SIGN.sub(rf"\1{_JOINER}", text)
    escaped = "".join(f"\\{c}" if c in _MARKS else c for c in text)
    return re.sub(r"\n", "  \n", re.sub(r"^ +| +$", "", escaped, flags=re.MULTILINE))


def answer(text: str) -> Iterator[str | Code]:
    """Markdown, and the blocks of code apart from it: these may be copied, and keep each letter."""
    end = 0
    for block in _FENCED.finditer(text):
        yield _markdown(text[end : block.start()])
        yield Code(block["code"].removesuffix("\n"), block["language"])
        end = block.end()
    yield _markdown(text[end:])


def _markdown(text: str) -> str:
    """Markdown stays; no picture is loaded, and a single ``$`` or ``:word[`` is only itself."""
    pieces: list[str] = []
    end = 0
    for start, stop in _verbatim(text):
        pieces += [_harmless(text[end:start]), text[start:stop]]
        end = stop
    pieces.append(_harmless(text[end:]))
    return "".join(pieces).replace("![", f"!{_JOINER}[")


def _verbatim(text: str) -> Iterator[tuple[int, int]]:
    """Where code and formulas begin and end."""
    ends_by_length: dict[int, list[int]] = {}
    for run in _TICKS.finditer(text):
        ends_by_length.setdefault(len(run[0]), []).append(run.end())
    blank_lines = [line.start() for line in _BLANK_LINE.finditer(text)]
    at = 0
    while found := _VERBATIM.search(text, at):
        at = found.end()
        if not found["ticks"]:
            yield found.span()
        elif end := _next(ends_by_length.get(len(found["ticks"]), []), at):
            blank_line = _next(blank_lines, at)
            if blank_line is None or end < blank_line:
                at = end
                yield found.start(), end


def _next(places: Sequence[int], after: int) -> int | None:
    """The first of these, which are sorted, that is larger."""
    index = bisect_right(places, after)
    return places[index] if index < len(places) else None


def _harmless(text: str) -> str:
    text = text.replace("![", "\\!\\[").replace("$", "\\$")
    text = _SIGN.sub(rf"\1{_JOINER}", text)
    return re.sub(r":(?=[a-zA-Z][\w/+-]*\[)", "\\:", text)
