"""`hub detect`: find things in a picture, or in a folder of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.client.chat import Client
from app.client.events import Event, Waiting
from app.client.grounding.draw import drawn
from app.client.grounding.export import as_json
from app.client.grounding.found import Detection
from app.client.images import upright
from app.model.profiles import CoordSpace
from hub.connection import connection
from hub.detect_folder import Job, detect_folder
from hub.words import errors, told_in_words

console = Console(highlight=False)
DRAWN_AS = (".png", ".jpg", ".jpeg")


def detect(  # noqa: PLR0913, PLR0917  # each is a word of the command line
    given: Annotated[
        Path, typer.Argument(metavar="IMAGE_OR_FOLDER", help="A picture, or a folder of pictures.")
    ],
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What to find, such as: red cup")],
    points: Annotated[bool, typer.Option("--points", help="Points instead of boxes.")] = False,  # noqa: FBT002
    json_only: Annotated[bool, typer.Option("--json", help="Of a picture: JSON only.")] = False,  # noqa: FBT002
    draw: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Of a picture: draw what was found into a copy."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Of a folder: where results go; without it, FOLDER/detections-WHAT.jsonl.",
        ),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=16, help="Of a folder: pictures at once.")
    ] = 1,
    coord_space: Annotated[
        CoordSpace | None,
        typer.Option(help="What the coordinates of a model that is not known count."),
    ] = None,
) -> None:
    """Find things in a picture, or in each picture of a folder.

    Boxes and points are in the pixels of the picture that you give, whatever size was sent.

    [bold]Examples[/bold]

    hub detect table.jpg "red cup"                 a table to read

    hub detect table.jpg cup --draw found.png      and a picture to look at

    hub detect table.jpg cup --json | jq .boxes    for programs

    hub detect table.jpg handle --points           where to touch, not how large

    hub detect photos/ cup                         photos/detections-cup.jsonl, and COCO beside it

    A folder's results are kept one by one. The same command resumes where it stopped and asks
    again for the pictures that the service has not answered; it exits with 1 while there are any.
    Files that are no pictures are passed over and told, those that cannot be read are told by name.

    [bold]Environment variables[/bold]

    OPENAI_BASE_URL, OPENAI_API_KEY: the service to ask. Without them it is the twin on this
    machine, or the Pulumi stack that is selected.
    """
    what = what.strip()
    if not what:
        raise typer.BadParameter("say what to find", param_hint="WHAT")
    if given.is_dir():
        if json_only or draw:
            raise typer.BadParameter(
                "a folder's results go to a file of JSON lines (--out); --json and --draw are for "
                "one picture"
            )
        with told_in_words(resumes=True):
            job = Job.of(given, what, points=points, out=out, coord_space=coord_space)
            if asyncio.run(detect_folder(job, connection(), concurrency)):
                raise typer.Exit(1)
        return
    if out:
        raise typer.BadParameter("--out is for a folder; for one picture: --json > FILE")
    if draw:
        _refuse_place(draw, given)
    with told_in_words():
        _detect_one(
            given, what, points=points, json_only=json_only, draw=draw, coord_space=coord_space
        )


def _detect_one(  # noqa: PLR0913
    image: Path,
    what: str,
    *,
    points: bool,
    json_only: bool,
    draw: Path | None,
    coord_space: CoordSpace | None,
) -> None:
    picture = upright(image)  # before anything is asked: it may be no picture
    with errors.status("looking") as status, Client(connection()) as client:

        def tell(event: Event) -> None:
            if isinstance(event, Waiting):
                status.update(Text(f"trying again in {event.seconds:g} s: {event.reason}"))

        found = client.detect(image, what, points=points, coord_space=coord_space, on_event=tell)
    if draw:
        drawn(picture, found).save(draw, quality=95)  # PNG takes no notice of it
    if json_only:
        print(json.dumps(as_json(found), indent=2, ensure_ascii=False))  # noqa: T201
        return
    if found.boxes or found.points:
        console.print(table(found))
    elif found.problems:
        console.print("No place in the answer can be read.", markup=False)
    else:
        console.print(f"Found: no {what}", markup=False)
    for problem in found.problems:
        console.print(f"Left out: {plain(problem)}", markup=False, soft_wrap=True)
    if draw:
        console.print(f"Drawn: {plain(str(draw))}", markup=False, soft_wrap=True)


def table(found: Detection) -> Table:
    """One row for each place, whole pixels."""
    width, height = found.picture
    shown = Table(title=f"pixels of {width}x{height}", title_justify="left")
    shown.add_column("label")
    for name in ("x1", "y1", "x2", "y2") if found.boxes else ("x", "y"):
        shown.add_column(name, justify="right")
    for box in found.boxes:
        shown.add_row(Text(plain(box.label)), *(f"{edge:.0f}" for edge in box.xyxy))
    for point in found.points:
        shown.add_row(Text(plain(point.label)), *(f"{side:.0f}" for side in point.xy))
    return shown


def plain(text: str) -> str:
    """Without what would steer the terminal: a picture can make a model write anything."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _refuse_place(draw: Path, image: Path) -> None:
    """Where the drawing cannot go is told before the model is asked."""
    if draw.suffix.lower() not in DRAWN_AS:
        raise typer.BadParameter(f"{draw} does not end in .png or .jpg", param_hint="--draw")
    if not draw.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {draw.parent}", param_hint="--draw")
    if draw.exists() and image.exists() and draw.samefile(image):
        raise typer.BadParameter("it would replace the picture itself", param_hint="--draw")
