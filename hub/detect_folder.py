"""One question about each picture of a folder: kept one by one, taken up where it stopped."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.client import batch
from app.client.asynchronous import AsyncClient
from app.client.connection import Connection
from app.client.errors import ClientError, ImageError, ServiceError
from app.client.events import Event, Waiting
from app.client.grounding.export import as_coco, as_json, of_json
from app.client.images import SUFFIXES
from app.model.profiles import CoordSpace
from hub.progress import progress
from hub.words import errors

GIVE_UP_AFTER = 5
"""Pictures in a row that the service fails on; it will fail on the next thousand, too."""

_RESULT = re.compile(r"detections-.*\.(?:jsonl|coco\.json)")

Line = dict[str, Any]
"""One picture's result: ``file``, the question, and what was found or an ``error``."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked about which pictures, and where the results go."""

    folder: Path
    what: str
    points: bool
    out: Path
    coord_space: CoordSpace | None = None

    @classmethod
    def of(
        cls,
        folder: Path,
        what: str,
        *,
        points: bool,
        out: Path | None,
        coord_space: CoordSpace | None = None,
    ) -> Self:
        slug = re.sub(r"\W+", "-", what.lower()).strip("-")[:60]
        name = f"detections-{slug}{'-points' if points else ''}.jsonl"
        return cls(folder, what, points, out or folder / name, coord_space)

    @property
    def coco(self) -> Path:
        return self.out.with_suffix(".coco.json")

    def names(self) -> tuple[list[str], list[str]]:
        """Of the folder's own pictures, and of its other files; each in order.

        What begins with a dot is no picture, whatever its ending: a Mac keeps such a file beside
        each picture. Whatever else has a picture's ending is tried, so that a link to nowhere or a
        pipe is named with what is wrong with it.
        """
        entries = sorted(self.folder.iterdir())
        ours = {self.out.resolve(), self.coco.resolve()}
        pictures = [
            entry.name
            for entry in entries
            if entry.suffix.lower() in SUFFIXES and not entry.name.startswith(".")
        ]
        others = [
            entry.name for entry in entries if not entry.is_dir() and entry.resolve() not in ours
        ]
        return pictures, [name for name in others if name not in pictures and not _is_result(name)]


async def detect_folder(job: Job, connection: Connection, concurrency: int) -> int:
    """Ask what is not answered yet; how many pictures the service has not answered.

    Raises:
        ClientError: nothing to do it with or on, or the service fails on everything.
    """
    names, others = job.names()
    if not names:
        raise ClientError(f"{job.folder} has no pictures ({', '.join(sorted(SUFFIXES))}).")
    if not job.out.parent.is_dir():
        raise ClientError(f"There is no folder {job.out.parent} to write {job.out.name} to.")
    async with AsyncClient(connection, timeouts=batch.UNATTENDED) as client:
        question = {
            "what": job.what,
            "asked": "points" if job.points else "boxes",
            "model": (await client.served()).model,
        }
        kept = take_up(job.out, question)
        try:
            await _ask(job, client, question, names, kept, concurrency)
        finally:
            # After Ctrl-C, too: what there is can be used.
            unanswered = _conclude(job, names, others, kept)
    return unanswered


def take_up(file: Path, question: Line) -> dict[str, Line]:
    """What an earlier run has found, by file name; a line that broke off is cut away.

    Raises:
        ClientError: it is no file of this command, or one of another question.
    """
    whole, torn = batch.whole_lines(file)
    begin = b'{"file": '
    if not (torn.startswith(begin) or begin.startswith(torn)):
        raise _foreign(file)
    try:
        lines: list[Line] = [json.loads(line) for line in whole]
        for line in lines:
            if asked := _difference(line, question):
                raise ClientError(
                    f"{file} has results of another question ({asked}). Move it away, or choose "
                    "another file with --out."
                )
        kept = {str(line["file"]): line for line in lines}
    except (ValueError, TypeError, KeyError):
        raise _foreign(file) from None
    batch.cut_torn_line(file)
    return kept


def _foreign(file: Path) -> ClientError:
    return ClientError(f"{file} was not written by `hub detect`; choose another file with --out.")


def _is_result(name: str) -> bool:
    """Of this command, for this or another question."""
    return _RESULT.fullmatch(name) is not None


def _difference(line: Line, question: Line) -> str:
    return ", ".join(
        f"{name}: {line[name]}, not {now}" for name, now in question.items() if line[name] != now
    )


def _done(kept: dict[str, Line], name: str) -> bool:
    return name in kept and "error" not in kept[name]


async def _ask(  # noqa: PLR0913, PLR0917
    job: Job,
    client: AsyncClient,
    question: Line,
    names: list[str],
    kept: dict[str, Line],
    concurrency: int,
) -> None:
    left = [name for name in names if not _done(kept, name)]
    job.out.touch()
    with progress(errors, len(names), len(names) - len(left)) as (tell, done_one):

        def watch(event: Event) -> None:
            if isinstance(event, Waiting):
                tell(f"waiting {event.seconds:g} s")

        async def ask(name: str) -> Line:
            tell(name)
            line: Line = {"file": name, **question}
            try:
                found = await client.detect(
                    job.folder / name,
                    job.what,
                    points=job.points,
                    coord_space=job.coord_space,
                    on_event=watch,
                )
                return line | as_json(found)
            except ImageError as error:
                return line | {"error": str(error), "of": "picture"}
            except ServiceError as error:
                return line | {"error": str(error), "of": "service"}

        def keep(line: Line) -> None:
            batch.append(job.out, _json(line).encode())
            kept[line["file"]] = line
            done_one("error" in line)

        await batch.ask_each(
            left,
            ask,
            keep,
            service_failed=_is_unanswered,
            concurrency=concurrency,
            give_up_after=GIVE_UP_AFTER,
        )


def _is_unanswered(line: Line) -> bool:
    """The service failed, and may not the next time; a picture that cannot be read stays so."""
    return "error" in line and line.get("of") != "picture"


def _conclude(job: Job, names: list[str], others: list[str], kept: dict[str, Line]) -> int:
    """Write COCO; say what there is; how many the service has not answered."""
    done = [name for name in names if _done(kept, name)]
    tried = [name for name in names if name in kept and not _done(kept, name)]
    told = [f"{len(done)} of {len(names)} pictures: {job.out}"]
    if not job.points:  # COCO has no place for points
        coco = as_coco({name: of_json(kept[name]) for name in done})
        job.coco.write_text(_json(coco))
        told.append(f"as COCO: {job.coco}")
    if in_part := [name for name in done if kept[name]["problems"]]:
        told.append(
            f"Something was left out of {len(in_part)} answers; in that file `problems` says what:"
        )
        told += [f"  {name}" for name in in_part]
    if tried:
        told.append(f"{len(tried)} failed; the same command asks them again:")
        told += [f"  {name}: {kept[name]['error']}" for name in tried]
    if others:
        told.append(f"{len(others)} other files were passed over:")
        told += [f"  {name}" for name in others]
    errors.print("\n".join(told), markup=False, soft_wrap=True)
    return sum(_is_unanswered(kept[name]) for name in tried)


def _json(value: object) -> str:
    """A file's name that is no UTF-8 has lone surrogates in Python; JSON has them as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()
