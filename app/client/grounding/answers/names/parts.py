"""What a name beside a place looks like, and what may stand between the two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.client.grounding.answers.words import ALL_CORNERS, CONTAINERS, COORDINATES, NO_NAMES, plain

MAX_WORDS = 3
"""Of a name that stands beside its place."""
_WORD = r"[^\s*_`\"'.:|<>{}\[\]()\u201c\u201d\u3010\u3011]+"
WORDS = rf"{_WORD}(?:[ \t]+{_WORD}){{0,2}}"
LETTERS = r"(?:[^\W_][\w'-]*[ \t]){0,2}?[^\W\d_][\w'-]*"
SCORE = r"(?:[ \t]*[(\[]?(?:[01]?\.\d{1,6}|\d{1,3}[ \t]?%)[)\]]?)?"
AT = (
    r"(?:(?:[ \t]+(?:is|starts|begins|goes))?(?:[ \t]+(?:located|centere?d))?[ \t]+at"
    r"|[ \t]+(?:goes|reaches|extends|spans|stretches|runs|ranges|is|occupies|covers|fills)"
    r"(?:[ \t]+the[ \t]+(?:region|area|space|rectangle))?[ \t]+(?:from|between))?"
)
BULLET = r"(?:[-*•◦▪●·\u2460-\u2473]|\d{1,3}[.)]|#\d{1,3}[.):]?)"
BULLET_OR_NUMBER = rf"(?:{BULLET}|\d{{1,3}}:|\|(?:[ \t]*\d{{1,3}}[ \t]*\|)?)"
NAME_ATTRIBUTE = re.compile(r"""\b(?:alt|label|name|text|content-desc)\s*=\s*["']([^"']*)["']""")
ALONE_IN_ITS_LINE = re.compile(rf"(?:\A|\n)[ \t]*(?:{BULLET_OR_NUMBER}[ \t]+)?\Z")
NO_LABELS = {*COORDINATES, *CONTAINERS, *NO_NAMES, *ALL_CORNERS}
LONGEST_LINE = 120
"""Letters before a place in which its name is looked for."""
ARTICLE = re.compile(r"\b(?:an?|the)[ ]", re.IGNORECASE)
NO_PARTS_OF_A_NAME = re.compile(
    r"(?:an?|the|and|or|of|on|in|at|to|with|is|are|was|be|by|near|this|that|its|here|there|i|it"
    r"|found|detected|located|yes|no|sure|from|for|as|has|see|bounding|final|answer|one|another"
    r"|print|image|format|solution|range|area|list|numbers|values|following|size"
    r"|middle|center|centre|side|top|bottom|left|right|corner|edge|background|foreground"
    r"|explanation|note|step|page|which)\Z",
    re.IGNORECASE,
)


def are_a_name(words: Sequence[str]) -> bool:
    return not any(plain(word) in NO_LABELS or NO_PARTS_OF_A_NAME.match(word) for word in words)


def begin_of_line(text: str, start: int) -> int:
    """Where a line that ends at ``start`` begins; if it is long, only its end: it is no name."""
    near = max(0, start - LONGEST_LINE)
    return max(text.rfind("\n", near, start), near)
