"""A conversation: what was asked and answered, and the file it can be kept in."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from app.client.errors import ImageError
from app.client.grounding.boxes import read
from app.client.grounding.found import Detection
from app.client.images import upright
from app.model.image_tokens import Size
from app.model.profiles import CoordSpace

Mode = Literal["chat", "boxes", "points"]
MODES: tuple[Mode, ...] = ("chat", "boxes", "points")
Ending = Literal["whole", "cut", "stopped", "failed"]


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Question(_Record):
    """What a person asks."""

    mode: Mode
    text: str
    """In the two detection modes, what to look for."""
    picture: bytes | None = None
    """The file as it was given."""


class Looked(_Record):
    """What is needed to read places out of an answer."""

    original: Size
    sent: Size
    coord_space: CoordSpace


class Turn(_Record):
    """A question and what became of it."""

    question: Question
    answer: str
    ending: Ending
    trouble: str = ""
    """Why it failed, in words."""
    status: int | None = None
    """HTTP status of the failure, where there was a response."""
    looked: Looked | None = None
    log: tuple[str, ...] = ()

    @cached_property
    def detection(self) -> Detection | None:
        if self.looked is None:
            return None
        return read(
            self.answer,
            original=self.looked.original,
            sent=self.looked.sent,
            coord_space=self.looked.coord_space,
        )


class History(_Record):
    """A conversation as a file."""

    version: Literal[1] = 1
    turns: tuple[Turn, ...]

    @model_validator(mode="after")
    def _pictures_are_pictures(self) -> Self:
        for picture in {turn.question.picture for turn in self.turns} - {None}:
            try:
                upright(picture or b"")
            except ImageError as error:
                raise ValueError(str(error)) from None
        return self


class HistoryError(Exception):
    """Not a saved conversation; the message says what is wrong with it."""


def opened(file: bytes) -> tuple[Turn, ...]:
    """The turns of a saved file.

    Raises:
        HistoryError: it is not one.
    """
    try:
        return History.model_validate_json(file).turns
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HistoryError(f"{where}: {first['msg']}" if where else first["msg"]) from None


def saved(turns: tuple[Turn, ...]) -> str:
    return History(turns=turns).model_dump_json(indent=1)
