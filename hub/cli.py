"""`hub`: all its commands. Each module has a few of them, and is imported when one is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

MODULES = {
    **dict.fromkeys(("up", "down", "clean"), "hub.running"),
    **dict.fromkeys(("ask", "detect", "eval"), "hub.asking"),
    "plan": "hub.plan",
    "status": "hub.status",
    "doctor": "hub.doctor",
    "logs": "hub.printing",
    "usage": "hub.usage",
    **dict.fromkeys(("policy", "env"), "hub.printing"),
    "keys": "hub.keys_group",
    "home": "hub.home.app",
}
"""The commands in the order of the help. The SDKs of OpenAI and Pulumi take a second to import."""


ANYWHERE = ("ask", "detect", "eval", "policy")
"""The commands that need no checkout of the repository."""
OURS = ("app", "doctor", "hub", "infra", "policy", "twin")
ROOT = Path(__file__).parents[1]
NEEDS_A_CHECKOUT = (
    "Needs a checkout of the repository. The Pulumi program and what a home runs are not part of "
    "the installed package: clone the repository and run `make` there."
)
NEEDS_PACKAGES = (
    "Needs a package that is not installed: {name}. Install the extras `hub`, `infra` and `twin`, "
    "or run `make` in a checkout of the repository."
)


def _unusable(name: str, why: str) -> Any:
    """A command that says why it cannot be used here."""
    alone = typer.Typer()

    @alone.command(
        name,
        help=why,
        short_help=f"{why.partition('.')[0]}.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def tell() -> None:
        print(f"hub {name}: {why}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(1)

    return typer.main.get_command(alone)


class Commands(TyperGroup):
    """All commands, in the order of the help."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in MODULES and cmd_name not in self.commands:
            if cmd_name not in ANYWHERE and not (ROOT / "Pulumi.yaml").is_file():
                return _unusable(cmd_name, NEEDS_A_CHECKOUT)
            try:
                module = import_module(MODULES[cmd_name])
            except ModuleNotFoundError as error:
                if error.name is None or error.name.partition(".")[0] in OURS:
                    raise
                return _unusable(cmd_name, NEEDS_PACKAGES.format(name=error.name))
            self.commands.update(typer.main.get_group(module.app).commands)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(MODULES)


app = typer.Typer(
    cls=Commands,
    help="Your GPU at home as a private, OpenAI-compatible service.\n\n"
    "The twin is the same deployment on this one machine, without any account. `ask`, `detect` "
    "and `eval` work with the twin and with the real service.",
    epilog="[bold]The first three commands[/bold]\n\n"
    "hub up                                                     start the twin\n\n"
    "hub detect docs/pictures/shapes.png 'red square'           ask for boxes\n\n"
    "hub status                                                 look at every part",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # what Typer hands to a callback
    if wanted:
        print(f"hub {installed_version('personal-cloud-hub')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # its callback has answered already
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Only options; `app` has the help."""


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
