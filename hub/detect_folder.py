"""One question about each picture of a folder: kept one by one, taken up where it stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from app.client.chat import Client
from app.client.connection import Connection
from app.client.errors import ClientError, ServiceError
from app.client.events import Event, Waiting
from app.client.grounding.export import as_coco, as_json, of_json
from app.client.images import SUFFIXES
from app.client.request import Timeouts
from hub.words import errors

PATIENCE_SECONDS = 120
"""Over a night's run the home may restart: longer than a person in front of it would wait."""
GIVE_UP_AFTER = 5
"""Pictures in a row that the service fails on; it will fail on the next thousand, too."""

Line = dict[str, Any]
"""One picture's result: ``file``, the question, and what was found or an ``error``."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked about which pictures, and where the results go."""

    folder: Path
    what: str
    points: bool
    out: Path

    @classmethod
    def of(cls, folder: Path, what: str, *, points: bool, out: Path | None) -> Self:
        slug = re.sub(r"\W+", "-", what.lower()).strip("-")[:60]
        name = f"detections-{slug}{'-points' if points else ''}.jsonl"
        return cls(folder, what, points, out or folder / name)

    @property
    def coco(self) -> Path:
        return self.out.with_suffix(".coco.json")

    def pictures(self) -> list[str]:
        """Names of the folder's own pictures, in order; not of those in its folders."""
        files = (f for f in self.folder.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())
        return sorted(file.name for file in files)


def detect_folder(job: Job, connection: Callable[[], Connection]) -> int:
    """Ask what is not answered yet; how many pictures have failed.

    Raises:
        ClientError: nothing to do it with or on, or the service fails on everything.
    """
    names = job.pictures()
    if not names:
        raise ClientError(f"{job.folder} has no pictures ({', '.join(sorted(SUFFIXES))}).")
    if not job.out.parent.is_dir():
        raise ClientError(f"There is no folder {job.out.parent} to write {job.out.name} to.")
    with Client(connection(), timeouts=Timeouts(patience=PATIENCE_SECONDS)) as client:
        question = {
            "what": job.what,
            "asked": "points" if job.points else "boxes",
            "model": client.served().model,
        }
        kept = take_up(job.out, question)
        try:
            _ask(job, client, question, [name for name in names if not _done(kept, name)], kept)
        finally:
            # After Ctrl-C, too: what there is can be used.
            failed = _conclude(job, names, kept)
    return failed


def take_up(file: Path, question: Line) -> dict[str, Line]:
    """What an earlier run has found, by file name; a line that broke off is cut away.

    Raises:
        ClientError: it is no file of this command, or one of another question.
    """
    data = file.read_bytes() if file.exists() else b""
    whole = data.rfind(b"\n") + 1
    torn = data[whole:]
    begin = b'{"file": '
    if not (torn.startswith(begin) or begin.startswith(torn)):
        raise _foreign(file)
    try:
        lines: list[Line] = [json.loads(line) for line in data[:whole].splitlines()]
        for line in lines:
            if asked := _difference(line, question):
                raise ClientError(
                    f"{file} has results of another question ({asked}). Move it away, or choose "
                    "another file with --out."
                )
        kept = {str(line["file"]): line for line in lines}
    except (ValueError, TypeError, KeyError):
        raise _foreign(file) from None
    if torn:
        with file.open("r+b") as opened:
            opened.truncate(whole)
    return kept


def _foreign(file: Path) -> ClientError:
    return ClientError(f"{file} was not written by `hub detect`; choose another file with --out.")


def _difference(line: Line, question: Line) -> str:
    return ", ".join(
        f"{name}: {line[name]}, not {now}" for name, now in question.items() if line[name] != now
    )


def _done(kept: dict[str, Line], name: str) -> bool:
    return name in kept and "error" not in kept[name]


def _ask(job: Job, client: Client, question: Line, names: list[str], kept: dict[str, Line]) -> None:
    in_a_row = 0
    with job.out.open("a") as file, _bar() as bar:
        task = bar.add_task("", total=len(names), told="")

        def tell(event: Event) -> None:
            waiting = isinstance(event, Waiting)
            bar.update(task, told=f"waiting {event.seconds:g} s" if waiting else "")

        for name in names:
            bar.update(task, description=name)
            line: Line = {"file": name, **question}
            try:
                picture = job.folder / name
                found = client.detect(picture, job.what, points=job.points, on_event=tell)
                line |= as_json(found)
                in_a_row = 0
            except ClientError as error:
                line["error"] = str(error)
                in_a_row = in_a_row + 1 if isinstance(error, ServiceError) else 0
            file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
            file.flush()
            kept[name] = line
            bar.advance(task)
            if in_a_row == GIVE_UP_AFTER:
                raise ClientError(
                    f"The service failed {in_a_row} times in a row, so the rest was not asked. The "
                    f"same command goes on. The last time: {line['error']}"
                )


def _conclude(job: Job, names: list[str], kept: dict[str, Line]) -> int:
    """Write COCO; say what there is; how many failed."""
    done = [name for name in names if _done(kept, name)]
    failed = [name for name in names if name in kept and not _done(kept, name)]
    told = [f"{len(done)} of {len(names)} pictures: {job.out}"]
    if not job.points:  # COCO has no place for points
        coco = as_coco({name: of_json(kept[name]) for name in done})
        job.coco.write_text(json.dumps(coco, ensure_ascii=False))
        told.append(f"as COCO: {job.coco}")
    if failed:
        told.append(f"{len(failed)} failed; the same command asks them again:")
        told += [f"  {name}: {kept[name]['error']}" for name in failed[:10]]
        told += [f"  … and {len(failed) - 10} more"] if len(failed) > 10 else []
    errors.print("\n".join(told), markup=False, soft_wrap=True)
    return len(failed)


def _bar() -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[told]}"),
        console=errors,
    )
