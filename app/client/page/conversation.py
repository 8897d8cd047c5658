"""What the model is told of the conversation so far."""

from __future__ import annotations

from collections.abc import Sequence

from app.client.answering import Watcher, unwatched
from app.client.detecting import picture_for
from app.client.page.turns import Question, Turn
from app.client.request import Message, question
from app.client.served import ServedModel

PICTURES = 2
"""In one prompt: each costs up to 1,296 tokens and the time to read them."""


def conversation(
    earlier: Sequence[Turn], asked: Question, served: ServedModel, watch: Watcher
) -> list[Message]:
    """Every question that was answered, then this one; the last pictures only.

    Raises:
        ImageError: a picture cannot be sent.
    """
    told = [turn for turn in earlier if turn.answer and turn.ending != "failed"]
    questions = [*(turn.question for turn in told), asked]
    seen = [i for i, each in enumerate(questions) if each.picture is not None][-PICTURES:]
    messages: list[Message] = []
    for i, each in enumerate(questions):
        pictures = []
        if i in seen and each.picture is not None:
            pictures = [picture_for(each.picture, served, watch if each is asked else unwatched)]
        messages.append(question(each.text, *pictures))
        if each is not asked:
            messages.append({"role": "assistant", "content": told[i].answer})
    return messages
