"""`hub keys` as one group, for the list of all commands."""

import typer

from hub import keys

app = typer.Typer()
app.add_typer(keys.app, name="keys", rich_help_panel="Give access")
