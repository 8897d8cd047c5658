"""What a model thought before it answered, and how it marks it."""

from __future__ import annotations

import re

from app.client.grounding.answers.items import Piece, Unreadable
from app.client.grounding.answers.words import THOUGHTS

_TAG = (
    r"<(?P<end>/?)(?:\w+:)?(?:think|thinking|thought|reasoning|scratchpad|reflection|analysis)>"
    r"|◁(?P<end_2>/?)think▷|\[(?P<end_3>/?)THINK\]|<\|(?:begin|(?P<end_4>end))_of_thought\|>"
    r"|<unused94>|(?P<end_5><unused95>)|<\|channel\|>analysis<\|message\|>|(?P<end_6><\|end\|>)"
)
"""Of Qwen and DeepSeek, of Kimi, Mistral, OpenThinker, Gemma, and of OpenAI's harmony format."""
_ONLY_AN_END = "end_6"
"""Harmony's end of any message."""
_WORDS = r"[^\"\n<\[{]{0,99}"
_NAME = rf"(?<=[\[{{,:])\s{{0,9}}\"{_WORDS}</?\w{{1,12}}>{_WORDS}(?:\"\s{{0,9}}(?:[,:}}\]]|\Z)|\Z)"
"""A text of JSON with one tag in it, as in ``"label": "the </think> tag"``."""
_NAME_OR_TAG = re.compile(rf"(?P<name>{_NAME})|{_TAG}", re.IGNORECASE)
_UNDER_A_KEY = re.compile(
    rf"\"(?:{'|'.join(THOUGHTS)})\"\s{{0,9}}:\s{{0,9}}\"(?:[^\"\\]|\\.)*\"", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w")


def without_thoughts(answer: str) -> tuple[str, list[Unreadable]]:
    """Thoughts become spaces, so that all positions stay; an unfinished one is told."""
    answer = _UNDER_A_KEY.sub(lambda told: _DIGIT.sub(" ", told.group()), answer)
    text, at, begun = "", 0, -1
    for tag in _NAME_OR_TAG.finditer(answer):
        if tag["name"]:
            continue
        is_end = any(tag.groups())
        if is_end and begun < 0 and (tag[_ONLY_AN_END] or not _WORD.search(answer, tag.end())):
            continue  # nothing was begun; or nothing follows, so that was the answer
        if is_end:
            # Without a beginning: it was in the prompt.
            start = begun if begun >= 0 else at
            text += answer[at:start] + " " * (tag.end() - start)
            at, begun = tag.end(), -1
        elif begun < 0:
            begun = tag.start()
    if begun < 0:
        return text + answer[at:], []
    piece = Piece(answer[begun:], begun)
    cut = Unreadable("the answer breaks off inside a thought", piece, quoted=False)
    return text + answer[at:begun] + " " * len(piece.text), [cut]
