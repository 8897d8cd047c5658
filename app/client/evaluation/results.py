"""What a run has found, one JSON line for the run and one for each question; it only grows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from app.client import batch
from app.client.errors import ClientError
from app.client.evaluation.matching import XYXY
from app.client.evaluation.questions import Question


class ResultsError(ClientError):
    """A file of results that cannot be used."""


@dataclass(frozen=True)
class Run:
    """What has to be equal for results to belong together."""

    set: str
    digest: str
    label: str
    model: str
    min_pixels: int
    max_pixels: int
    concurrency: int
    notes: tuple[str, ...] = ()
    begun: str = field(default="", compare=False)


@dataclass(frozen=True)
class Failure:
    """Why there is no answer."""

    of: Literal["service", "picture"]
    message: str


@dataclass(frozen=True)
class Result:
    """One question and what came of it: an answer or a failure."""

    question: Question
    answer: str = ""
    """As the model wrote it."""
    boxes: tuple[XYXY, ...] = ()
    problems: tuple[str, ...] = ()
    """What of the answer the client had to leave out."""
    picture: tuple[int, int] | None = None
    """Width and height, in pixels."""
    seconds: float | None = None
    first_token: float | None = None
    """Seconds until the answer's first token."""
    failure: Failure | None = None

    @property
    def unreadable(self) -> bool:
        """There is no box in the answer, nor does it say that there is none."""
        return not self.boxes and not _NONE.fullmatch(self.answer)


_NONE = re.compile(r"\s*(?:```(?:json)?)?\s*\[\s*\]\s*(?:```)?\s*")
_RUN = TypeAdapter(Run)
_RESULT = TypeAdapter(Result)


def load(file: Path) -> tuple[Run, list[Result]]:
    """The run, and the last result of each question; a line that a stop cut off is left out.

    Raises:
        ResultsError: there is no such file, or it holds something else.
    """
    try:
        file.stat()
        whole, _ = batch.whole_lines(file)
    except OSError as error:
        raise ResultsError(f"{file} cannot be read: {error.strerror}") from None
    try:
        run = _RUN.validate_json(whole[0])
        results = [_RESULT.validate_json(line) for line in whole[1:]]
    except (IndexError, ValidationError):
        raise ResultsError(f"{file} holds no results of `hub eval`") from None
    return run, list({result.question.id: result for result in results}.values())


def begin(file: Path, run: Run) -> list[Result]:
    """Start a file, or take up one of the same run; what it already holds.

    Raises:
        ResultsError: it belongs to another run.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_RUN.dump_json(run) + b"\n")
        return []
    before, results = load(file)
    if before != run:
        differs = [
            f"{name} was {ours!r} and is {theirs!r}"
            for name, ours in vars(before).items()
            if (theirs := vars(run)[name]) != ours and name != "begun"
        ]
        raise ResultsError(
            f"{file} holds another run: {', '.join(differs)}. Give another folder by --out."
        )
    batch.cut_torn_line(file)
    return results


def append(file: Path, result: Result) -> None:
    """Keep one result."""
    batch.append(file, _RESULT.dump_json(result))
