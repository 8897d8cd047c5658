"""The commands that ask the model. ``hub.cli`` imports them when one is called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.client.chat import Client
from app.client.detecting import picture_for
from app.client.events import Event, Finished
from app.client.request import Options, question
from hub import evaluate
from hub.connection import connection
from hub.detect import detect
from hub.words import errors, told_in_words

PANEL = "Ask"
app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    image: Annotated[Path | None, typer.Option(help="A picture to ask about.")] = None,
    key: Annotated[str | None, typer.Option(help="Name of the twin's API key to use.")] = None,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="The longest answer; a word takes one token or a few.")
    ] = Options().max_tokens,
) -> None:
    """Ask a question, with a picture or without, and print the answer as it arrives.

    [bold]Examples[/bold]

    hub ask "What is in this picture?" --image docs/pictures/shapes.png

    hub ask "Hello" --key laptop                              with that API key of the twin

    hub ask "What is written there?" --image letter.jpg --max-tokens 2000

    [bold]Environment variables[/bold]

    OPENAI_BASE_URL, OPENAI_API_KEY: the service to ask. Without them it is the twin on this
    machine, or the Pulumi stack that is selected.
    """
    told: list[Event] = []
    with told_in_words():
        with Client(connection(key)) as client:
            pictures = [picture_for(image, client.served())] if image else []
            options = Options(max_tokens=max_tokens)
            for piece in client.stream([question(text, *pictures)], options, told.append):
                sys.stdout.write(piece)
                sys.stdout.flush()
        sys.stdout.write("\n")
        if any(isinstance(event, Finished) and event.cut for event in told):
            errors.print(f"The answer was cut after {max_tokens} tokens; --max-tokens allows more.")


app.command(rich_help_panel=PANEL)(detect)
app.add_typer(evaluate.app, name="eval", rich_help_panel=PANEL)
