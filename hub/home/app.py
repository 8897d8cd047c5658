"""`hub home` as one group, for the list of all commands."""

import typer

from hub.home import commands

app = typer.Typer()
app.add_typer(commands.app, name="home", rich_help_panel="The home server")
