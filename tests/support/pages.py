"""What the pages of the real deployment tell a person to type."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tests.support.stacks import ROOT

PAGES = (ROOT / "README.md", ROOT / "docs" / "deployment.md", ROOT / "docs" / "operations.md")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def lines_of_shell(pages: Sequence[Path]) -> list[str]:
    """Each command of the pages, also those inside a sentence or a table."""
    told: list[str] = []
    for page in pages:
        joined = [re.sub(r"\\\n *", "", block) for block in blocks(page, "sh")]
        told += [line for block in joined for line in block.splitlines()]
        prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        told += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [line for line in told if line and not line.startswith("#")]


def called(program: str, pages: Sequence[Path] = PAGES) -> list[str]:
    """What follows the program's name, wherever a page calls it."""
    return [
        match[1].strip()
        for line in lines_of_shell(pages)
        for match in re.finditer(rf"(?:^|[;&|(] *|sudo (?:k3s )?){program} ([^|;&)#]+)", line)
    ]


def unknown(
    program: str, environment: Mapping[str, str], *, taken_by_all: Collection[str] = ()
) -> dict[str, str]:
    """What of the pages a program does not know: its complaint, or the words that it lacks.

    It is asked for its help about each command; ``taken_by_all`` are options that no help lists.
    """
    told: dict[str, str] = {}
    for words in called(program):
        command = list(itertools.takewhile(re.compile("[a-z][a-z-]*$").match, words.split()))
        done = subprocess.run(
            [program, *command, "--help"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        # Of a command that it does not have, `pulumi` shows the help of the group above.
        shown = re.search(
            rf"^ *{program}((?: [a-z-]+)*) \[(?:command|flags)\]$", done.stdout, re.MULTILINE
        )
        beyond = command[len(shown[1].split()) :] if shown else []
        options = set(re.findall(r"(--[a-z-]+)", words)) - set(taken_by_all)
        missing = beyond + sorted(one for one in options if one not in done.stdout)
        if done.returncode != 0 or missing:
            told[words] = done.stderr or ", ".join(missing)
    return told
