"""`hub eval`: how well the served model finds things, and whether another one does better."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from app.client.asynchronous import AsyncClient
from app.client.batch import UNATTENDED
from app.client.connection import Connection
from app.client.evaluation import results
from app.client.evaluation.compare import compare as compared
from app.client.evaluation.plot import plot
from app.client.evaluation.questions import GroundingSet, Question, sample
from app.client.evaluation.report import report
from app.client.evaluation.results import Result, Run
from app.client.evaluation.run import ask_all
from app.client.evaluation.scores import mean_iou, ratio, score
from app.client.evaluation.sets import open_set
from app.client.evaluation.worst import sheet, worst
from app.model.image_tokens import Size
from app.model.profiles import CoordSpace
from hub.connection import connection
from hub.progress import progress
from hub.words import told_in_words

SIZES = "640x480,1920x1080,4032x3024"


class _SetByDefault(TyperGroup):
    """`hub eval SET` is `hub eval run SET`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_SetByDefault,
    no_args_is_help=True,
    help="Measure how well the served model finds things: `hub eval SET` is `hub eval run SET`.\n\n"
    "Example: hub eval drawn --limit 60",
)
console = Console(highlight=False)


@app.command("run")
def run(  # noqa: PLR0913, PLR0917  # each is a word of the command line
    given: Annotated[
        str,
        typer.Argument(
            metavar="SET",
            help="A folder in the form of COCO or RefCOCO, one annotations file of it, or: drawn",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; a run in it is taken up.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask a fixed random sample.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=16, help="Questions at once.")] = 1,
    model_name: Annotated[
        str | None, typer.Option(metavar="LABEL", help="What reports call the model.")
    ] = None,
    size: Annotated[str, typer.Option(help="Sizes of drawn pictures.")] = SIZES,
    coord_space: Annotated[
        CoordSpace | None,
        typer.Option(help="What the coordinates of a model that is not known count."),
    ] = None,
) -> None:
    """Ask every question of a set, and write report.md and plot.png with the scores.

    Answers are kept one by one. Exits with 1 if a question has no answer; the same command asks
    only the missing ones again.

    [bold]Examples[/bold]

    hub eval drawn --limit 60                                 drawn shapes; no data needed

    hub eval photos/ --concurrency 4                          a folder in COCO's form

    [bold]Environment variables[/bold]

    OPENAI_BASE_URL, OPENAI_API_KEY: the service to ask. Without them it is the twin on this
    machine, or the Pulumi stack that is selected.
    """
    with told_in_words(resumes=True):
        sizes = _sizes(size)
        with console.status("opening the set"):
            grounding = open_set(given, sizes)
        questions = sample(grounding.questions, limit)
        asking = _run(connection(), grounding, questions, out, concurrency, model_name, coord_space)
        if asyncio.run(asking):
            raise typer.Exit(1)


@app.command("compare")
def compare(
    a: Annotated[Path, typer.Argument(help="results.jsonl of the present model.")],
    b: Annotated[Path, typer.Argument(help="results.jsonl of the other model.")],
) -> None:
    """Compare two results in Markdown, over the questions that both have answered.

    [bold]Example[/bold]

    hub eval compare evaluations/drawn-A/results.jsonl evaluations/drawn-B/results.jsonl

    No environment variable matters: only the two files are read.
    """
    with told_in_words():
        print(compared(results.load(a), results.load(b)))  # noqa: T201


async def _run(  # noqa: PLR0913, PLR0917  # the same
    service: Connection,
    grounding: GroundingSet,
    questions: Sequence[Question],
    out: Path | None,
    concurrency: int,
    label: str | None,
    coord_space: CoordSpace | None,
) -> int:
    """How many questions have no answer."""
    async with AsyncClient(service, timeouts=UNATTENDED) as client:
        served = await client.served()
        run = Run(
            set=grounding.name,
            digest=grounding.digest,
            label=label or served.model.rpartition("/")[2],
            model=served.model,
            min_pixels=served.min_pixels,
            max_pixels=served.max_pixels,
            concurrency=concurrency,
            notes=grounding.notes,
            begun=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )
        folder = out or Path("evaluations", re.sub(r"[^\w.-]+", "-", f"{run.set}-{run.label}"))
        file = folder / "results.jsonl"
        done = {r.question.id: r for r in results.begin(file, run) if r.failure is None}
        left = [question for question in questions if question.id not in done]
        try:
            with progress(console, len(questions), len(questions) - len(left)) as (_, done_one):

                def keep(result: Result) -> None:
                    results.append(file, result)
                    done_one(result.failure is not None)

                await ask_all(client, grounding, left, keep, concurrency, coord_space)
        finally:
            # Of a run that was stopped, too: what there is can be looked at.
            failed = _conclude(folder, grounding, questions)
    return failed


def _conclude(folder: Path, grounding: GroundingSet, questions: Sequence[Question]) -> int:
    """Write the report; say the least of it; how many questions failed."""
    run, kept = results.load(folder / "results.jsonl")
    asked = {question.id for question in questions}
    found = [r for r in kept if r.question.id in asked]
    (folder / "report.md").write_text(report(run, found, len(questions)))
    answered = [r for r in found if r.failure is None]
    scores = [score(r) for r in answered]
    if bad := [result for result, _ in worst(answered, scores)]:
        sheet(bad, grounding.picture).save(folder / "worst.png")
    plot(f"{run.label} on {run.set}", scores).save(folder / "plot.png")
    value = ratio([mean_iou(s) for s in scores])
    failed = len(found) - len(scores)
    told = "nothing was answered" if value is None else f"mean IoU {value:.3f}"
    console.print(f"{told}; {len(scores)} answered, {failed} failed", markup=False)
    console.print(f"  {folder / 'report.md'}", markup=False, soft_wrap=True)
    return failed


def _sizes(given: str) -> list[Size]:
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*(,[1-9]\d*x[1-9]\d*)*", given):
        raise typer.BadParameter(f"{given!r} is not of the form {SIZES}", param_hint="--size")
    return [Size(*map(int, one.split("x"))) for one in given.split(",")]
