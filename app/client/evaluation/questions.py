"""A grounding set: pictures, what to find in them, and where it is."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

from PIL import Image
from pydantic import ValidationError

from app.client.errors import ClientError
from app.client.evaluation.matching import XYXY


class SetError(ClientError):
    """This is no grounding set, or not a whole one."""


def not_in_form(file: Path, form: str, error: ValidationError) -> SetError:
    """Where a file of annotations first differs from the form it should have."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    return SetError(f"{file} is not in the form of {form}: {where}: {first['msg']}")


@dataclass(frozen=True)
class Question:
    """Locate every ``what`` in a picture; and where each one is."""

    id: str
    picture: str
    """The picture's name within the set."""
    what: str
    boxes: tuple[XYXY, ...]
    crowds: tuple[XYXY, ...] = ()
    """Regions of uncounted objects (COCO's ``iscrowd``); answers there are not wrong."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the report is broken down by, such as ``{"category": "dog"}``."""

    @property
    def single(self) -> bool:
        """Exactly one box is right."""
        return len(self.boxes) == 1 and not self.crowds


@dataclass(frozen=True)
class GroundingSet:
    """Questions, and a way to their pictures."""

    name: str
    questions: tuple[Question, ...]
    picture: Callable[[str], Image.Image]
    """From a picture's name; it is in the frame that the boxes are in."""
    notes: tuple[str, ...] = ()
    """What a reader of the results has to know about the set."""

    @property
    def digest(self) -> str:
        """Equal for equal questions, so that results of different ones are not mixed."""
        told = json.dumps([astuple(question) for question in self.questions])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def sample(questions: tuple[Question, ...], limit: int | None) -> tuple[Question, ...]:
    """That many, evenly at random and always the same; a larger sample holds the smaller ones."""
    if limit is None:
        return questions
    chosen = random.Random(0).sample(range(len(questions)), len(questions))[:limit]  # noqa: S311
    return tuple(questions[i] for i in sorted(chosen))
