"""HTML's tables and lists, written as Markdown has them."""

from __future__ import annotations

import re

_MARK = r"(?:</?(?:b|strong|i|em|code|span|p|tt)>|<br\s?/?>)"
_ATTRIBUTES = (
    r"(?:\s+(?:class|style|scope|align|width|colspan|rowspan)=(?:\"[^\"]*\"|'[^']*'|\w+))*"
)
_TEXT = rf"(?:[^<>|]|{_MARK}){{0,400}}+"
_CELL = rf"\s{{0,99}}<t[hd]{_ATTRIBUTES}>{_TEXT}</t[hd]>"
_GROUP = r"\s{0,99}(?:</?(?:thead|tbody|tfoot)>\s{0,99})?"
_ROW = re.compile(
    rf"{_GROUP}<tr{_ATTRIBUTES}>(?P<cells>(?:{_CELL})*+)\s{{0,99}}"
    rf"(?:(?P<end></tr>{_GROUP}|(?=<tr\b|</t(?:able|body|head)>))"
    rf"|(?:<t[hd]{_ATTRIBUTES}>(?P<begun>{_TEXT}))?(?:<[^<>]{{0,99}})?\Z)",
    re.IGNORECASE,
)
"""A row with no other tags in it; without its end where the answer ends in it."""
_ITEM, _END_OF_ITEM = re.compile(r"(?i)<li>"), re.compile(r"(?i)</li>|</?[uo]l>|<br\s?/?>")
_ONE_CELL = re.compile(r"<t[hd]\b[^<>]*>(.*?)</t[hd]>", re.IGNORECASE | re.DOTALL)
_ANY_TAG = re.compile(r"<[^<>]*>")


def in_markdown(text: str) -> str:
    """With a line ``| cup | 10 | 20 | 30 | 40 |`` for each row, and ``- cup: …`` for an item."""
    text = _END_OF_ITEM.sub("\n", _ITEM.sub("\n- ", text))
    return _ROW.sub(_line, text) if "<tr" in text.lower() else text


def _line(row: re.Match[str]) -> str:
    texts = [*_ONE_CELL.findall(row["cells"]), *([row["begun"]] if row["begun"] else [])]
    cells = [" ".join(_ANY_TAG.sub(" ", text).split()) for text in texts]
    if not cells:
        return row[0]
    line = f"\n| {' | '.join(cells)}"
    return line if row["end"] is None else f"{line} |\n"
