"""A conversation: what was asked and answered, and the file it can be kept in."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.client.detecting import detection_of
from app.client.errors import ClientError, ImageError
from app.client.grounding.found import Detection
from app.client.grounding.frame import Frame
from app.client.images import upright

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
    pictures: tuple[bytes, ...] = ()
    """The files as they were given."""

    @model_validator(mode="before")
    @classmethod
    def _one_at_most(cls, given: Any) -> Any:
        """Files of earlier versions have ``picture``, which may be null."""
        match given:
            case {"picture": None, **rest}:
                return rest
            case {"picture": one, **rest}:
                return {"pictures": (one,), **rest}
            case _:
                return given

    @property
    def picture(self) -> bytes | None:
        """What a question for boxes or points is about."""
        return next(iter(self.pictures), None)


class Turn(_Record):
    """A question and what became of it."""

    question: Question
    answer: str
    ending: Ending
    trouble: str = ""
    """Why it failed, in words."""
    status: int | None = None
    """HTTP status of the failure, where there was a response."""
    code: str | None = None
    """What the service calls the failure, such as ``home_unavailable`` of docs/api.md."""
    frame: Frame | None = Field(default=None, validation_alias=AliasChoices("frame", "looked"))
    """What its places are read with. Files of earlier versions call it ``looked``."""
    log: tuple[str, ...] = ()

    @cached_property
    def detection(self) -> Detection | None:
        if self.frame is None:
            return None
        whole = {"whole": True, "cut": False}.get(self.ending)
        return detection_of(self.answer, self.frame, whole=whole)


class History(_Record):
    """A conversation as a file."""

    version: Literal[1] = 1
    turns: tuple[Turn, ...]

    @model_validator(mode="after")
    def _pictures_are_pictures(self) -> Self:
        for picture in {picture for turn in self.turns for picture in turn.question.pictures}:
            try:
                upright(picture)
            except ImageError as error:
                raise ValueError(str(error)) from None
        return self


class HistoryError(ClientError):
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
