"""What the model is told of the conversation so far."""

from __future__ import annotations

from collections.abc import Sequence

from app.client.answering import Watcher, unwatched
from app.client.detecting import picture_for
from app.client.page.turns import Question, Turn
from app.client.request import Message, question
from app.client.served import ServedModel

PICTURES = 2
"""In one prompt: each costs up to 1,296 tokens and the time to read them. No question has more."""


def conversation(
    earlier: Sequence[Turn], asked: Question, served: ServedModel, watch: Watcher
) -> list[Message]:
    """Every question that was answered, then this one; the last pictures only.

    Raises:
        ImageError: a picture cannot be sent.
    """
    told = [turn for turn in earlier if turn.answer and turn.ending != "failed"]
    questions = [*(turn.question for turn in told), asked]
    count = sum(len(each.pictures) for each in questions)
    messages: list[Message] = []
    for i, each in enumerate(questions):
        watching = watch if each is asked else unwatched
        old = max(0, count - PICTURES)
        count -= len(each.pictures)
        pictures = (picture_for(picture, served, watching) for picture in each.pictures[old:])
        messages.append(question(each.text, *pictures))
        if each is not asked:
            messages.append({"role": "assistant", "content": told[i].answer})
    return messages
