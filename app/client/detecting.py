"""One question for boxes: what is sent, and how its answer is read."""

from __future__ import annotations

import time

from app.client.answering import Watcher, unwatched
from app.client.errors import ClientError
from app.client.events import PictureReady
from app.client.grounding.boxes import read
from app.client.grounding.found import Detection
from app.client.grounding.frame import Frame
from app.client.grounding.prompts import (
    BOX_SCHEMA,
    MOST,
    POINT_SCHEMA,
    TOKENS,
    detection_prompt,
    pointing_prompt,
)
from app.client.images import Prepared, Source, prepare
from app.client.request import Message, Options, question
from app.client.served import ServedModel
from app.model.profiles import CoordSpace


class Detecting:
    """The picture is prepared here; nothing is sent.

    Raises:
        ImageError: the picture cannot be sent.
        ClientError: what the model's coordinates count is neither known nor given.
    """

    def __init__(  # noqa: PLR0913
        self,
        image: Source,
        what: str,
        served: ServedModel,
        *,
        points: bool = False,
        coord_space: CoordSpace | None = None,
        watch: Watcher = unwatched,
    ) -> None:
        space = coord_space or served.coord_space
        if space is None:
            raise ClientError(
                f"What the coordinates of {served.model} count is not known. Give coord_space: "
                "'pixels' of the picture as the model sees it, or 'thousandths' of its sides."
            )
        self.served = served
        picture = picture_for(image, served, watch)
        self.frame = Frame(picture.original, picture.sent, space)
        prompt = pointing_prompt(what) if points else detection_prompt(what)
        self.messages: list[Message] = [question(prompt, picture)]
        self.options = Options(
            model=served.name,
            max_tokens=min(TOKENS, (served.max_model_len or TOKENS) // 4),
            schema=POINT_SCHEMA if points else BOX_SCHEMA,
        )


def detection_of(answer: str, frame: Frame, *, whole: bool | None = None) -> Detection:
    """What an answer to such a question has so far; call it as often as it grows.

    ``whole``, if it is known: whether the model itself has ended it.
    """
    return read(answer, frame, whole=whole, most=MOST)


def picture_for(image: Source, served: ServedModel, watch: Watcher = unwatched) -> Prepared:
    """A picture in the served model's size.

    Raises:
        ImageError: it cannot be sent.
    """
    begun = time.monotonic()
    picture = prepare(image, min_pixels=served.min_pixels, max_pixels=served.max_pixels)
    watch(
        PictureReady(
            picture.original,
            picture.sent,
            len(picture.data),
            picture.media_type,
            time.monotonic() - begun,
        )
    )
    return picture
