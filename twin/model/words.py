"""The small model's vocabulary: single bytes, so that any text survives, and the pieces it was
taught to read and write, each one token. Numbers up to 999 are one token each: a coordinate is
then one choice, not a chain of digits.
"""

from __future__ import annotations

import re

from app.model.drawn import COLOURS, SHAPES

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
JSON_PIECES = [
    '[{"bbox_2d":[',
    '[{"point_2d":[',
    '],"label":"',
    '"},{"bbox_2d":[',
    '"},{"point_2d":[',
    '"}]',
    "[]",
    ", ",
]
"""Without spaces: the server holds JSON to its shortest form."""
LIST_PIECES = [piece for piece in JSON_PIECES if piece not in ('],"label":"', ", ")]
"""Those that begin a list, go on with it or end it."""
PLACE_PIECES = [piece for piece in JSON_PIECES if piece.endswith("[")]
"""Those behind which a place's first number stands."""
NUMBERS = [str(n) for n in range(1000)]
_PLAIN = """
a an the is are in of to and no how many there what which where colour color find all every each
Locate Point Find Where How What Which Detect Show Is Describe me this that it image picture photo
output bbox coordinates point points JSON format box boxes bounding shape shapes object objects
one two three four five six thing things do you see can Who Hello Hi am I small model language
coloured pictures draw made by for not know only here nothing see with on at from trained on
user assistant system You are helpful The There These Those
"""
WORDS = sorted({*_PLAIN.split(), *COLOURS, *SHAPES, *(f"{s}s" for s in SHAPES), "crosses"})
PIECES = "|".join([*map(re.escape, JSON_PIECES), r" ?[A-Za-z]+", r"[0-9]{1,3}", r"\s", "."])
"""How text is cut before each piece is looked up."""
VOCABULARY_SIZE = 1792
"""Room for all of the above, and divisible by what kernels like."""


def vocabulary(byte_alphabet: list[str]) -> dict[str, int]:
    """Ids of all tokens but the special ones, which follow; digits are bytes, too.

    ``byte_alphabet``: the 256 characters that stand for bytes in a byte-level tokenizer.
    """
    words = [w for word in WORDS for w in (word, f" {word}")]
    pieces = [*byte_alphabet, *NUMBERS, *JSON_PIECES, *words]
    written = [p if i < len(byte_alphabet) else p.replace(" ", "Ġ") for i, p in enumerate(pieces)]
    known = dict.fromkeys(written)
    return {piece: i for i, piece in enumerate(known)}
