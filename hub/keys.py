"""`hub keys`: give a client a key, replace it, take it away; on the twin or on a stack of yours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from hub import key_list
from hub.key_list import Row
from hub.stack import Stack
from hub.words import errors, told_in_words
from infra.key_names import newest
from twin.engine import ROOT, STACK
from twin.errors import TwinError

console = Console(highlight=False)


class ListFirst(TyperGroup):
    """`hub keys` alone, or with options only, is `hub keys list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ListFirst,
    help="Name the clients of the service: each has an API key of its own.\n\n"
    "The names stand under `apiKeys` in the stack's file, Pulumi.STACK.yaml, which these commands "
    "edit; the deployment makes the keys and puts them into the gateway. Only `show` prints one, "
    "and `hub up` those of the twin.",
)

Name = Annotated[str, typer.Argument(help="The client's name.")]
StackName = Annotated[
    str, typer.Option("--stack", help="The twin's, or a Pulumi stack of your own, such as dev.")
]
Up = Annotated[
    bool, typer.Option("--up", help="Deploy at once: `hub up`, or `pulumi up` on your own stack.")
]


@app.command("list")
def list_(
    stack: StackName = STACK,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the clients and which of their keys the gateway accepts; never a key itself.

    [bold]Examples[/bold]

    hub keys

    hub keys --stack dev --json | jq -r '.[].name'

    [bold]Environment variables[/bold]

    HUB_STATE: the folder of the twin.

    PULUMI_OPTION_CONFIG_FILE: another stack file, for `pulumi` itself, too.
    """
    with told_in_words():
        at = Stack.named(stack)
        rows = key_list.rows(at.declared(), at.accepted())
        if as_json:
            print(json.dumps([asdict(row) for row in rows], indent=2))  # noqa: T201
        else:
            console.print(table(rows, at))


@app.command()
def show(name: Name, stack: StackName = STACK) -> None:
    """Print a client's key and nothing else.

    Whoever sees it can use it: hand it on without showing it, as below, and write
    it into no command line, which the shell keeps.

    [bold]Examples[/bold]

    export OPENAI_API_KEY="$(hub keys show robot)"

    hub keys show robot --stack dev | ssh robot 'umask 077; cat > hub-key'
    """
    with told_in_words():
        at = Stack.named(stack)
        values = at.values()
        declared = at.declared()
        if name not in values:
            key_list.newest_of(name, declared)
            raise TwinError(f"The key of {name} is not made yet. `{at.deployment}` makes it.")
        print(values[name])  # noqa: T201
        last = newest(declared).get(name)
        if last is None:
            errors.print(f"{name} is revoked: `{at.deployment}` puts that into effect.")
        elif last not in at.accepted():
            errors.print(f"This is the older key: `{at.deployment}` makes {last}.")


@app.command()
def add(name: Name, stack: StackName = STACK, *, up: Up = False) -> None:
    """Give a new client a key. It is random and made by the deployment.

    [bold]Examples[/bold]

    hub keys add phone --up && hub keys show phone

    hub keys add phone --stack dev
    """
    with told_in_words():
        at = Stack.named(stack)
        before = at.declared()
        after = key_list.added(before, at.accepted(), name)
        at.declare(after)
        show_it = f"`hub keys show {name}{_of(at)}` prints it"
        _tell(at, after, f"`{at.deployment}` makes the key of {name}, then {show_it}.")
        if up:
            at.deploy()


@app.command()
def rotate(name: Name, stack: StackName = STACK, *, up: Up = False) -> None:
    """Give a client a new key beside the old one, which is accepted until you revoke it.

    Both keys share the client's limits; `hub usage` shows which of them is used.
    A second `rotate` ends the older of the two.

    [bold]Examples[/bold]

    hub keys rotate robot --up && hub keys show robot

    hub keys revoke robot --old --up               when the client has its new key
    """
    with told_in_words():
        at = Stack.named(stack)
        before = at.declared()
        after = key_list.rotated(before, at.accepted(), name)
        at.declare(after)
        old = newest(before)[name]
        ended = [key for key in before if key not in after]
        _tell(
            at,
            after,
            f"`{at.deployment}` makes {newest(after)[name]}, then "
            f"`hub keys show {name}{_of(at)}` prints it.",
            f"{old} stays accepted until `hub keys revoke {name} --old{_of(at)}`.",
            *(f"{key} is refused from then on." for key in ended),
        )
        if up:
            at.deploy()


@app.command()
def revoke(
    name: Name,
    stack: StackName = STACK,
    *,
    up: Up = False,
    old: Annotated[
        bool, typer.Option("--old", help="Only what `rotate` replaced; the newest key stays.")
    ] = False,
) -> None:
    """Take a client's keys away: the deployment makes the gateway refuse them with 401.

    [bold]Examples[/bold]

    hub keys revoke phone --up

    hub keys revoke robot --old --stack dev        at the end of a rotation
    """
    with told_in_words():
        at = Stack.named(stack)
        before = at.declared()
        accepted = at.accepted()
        after = key_list.without_old(before, name) if old else key_list.revoked(before, name)
        at.declare(after)
        ended = [key for key in before if key not in after and key in accepted]
        told = f"Until `{at.deployment}`, {' and '.join(ended)} can still be used."
        _tell(at, after, told if ended else f"The key of {name} was never deployed.")
        if up:
            at.deploy()


def table(rows: Sequence[Row], at: Stack) -> Table:
    """For a person."""
    shown = Table("client", "key", "state", box=None, header_style="bold")
    for row in rows:
        match row.state:
            case "new":
                state = f"accepted after `{at.deployment}`"
            case "revoked":
                state = f"revoked, accepted until `{at.deployment}`"
            case "accepted" if row.newest:
                state = "accepted"
            case "accepted":
                state = f"accepted until `hub keys revoke {row.name} --old{_of(at)}`"
        shown.add_row(row.name, row.key, state)
    return shown


def _of(at: Stack) -> str:
    return "" if at.name == STACK else f" --stack {at.name}"


def _tell(at: Stack, keys: Sequence[str], *next_steps: str) -> None:
    file = at.file.relative_to(ROOT) if at.file.is_relative_to(ROOT) else at.file
    console.print(f"{file}: apiKeys is now [{', '.join(keys)}]", markup=False, soft_wrap=True)
    for step in next_steps:
        console.print(step, markup=False, soft_wrap=True)
