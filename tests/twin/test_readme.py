"""README's console block, typed into a shell beside a running twin."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.twin.conftest import ROOT, HubUnderTest

pytestmark = pytest.mark.twin

TOLERANCES = {
    # Of the small model, whose arithmetic differs in its last digits between processors.
    "pixels": 3,
    "mean IoU": 0.01,
}
PROGRESS = "━"
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def console_block() -> dict[str, list[str]]:
    """What is printed after each command."""
    [block] = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    parts = [part.splitlines() for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return {command: printed for command, *printed in parts}


COMMANDS = console_block()


@pytest.fixture(scope="module")
def said(hub: HubUnderTest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each command prints here, in a folder that has README's picture."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "docs").symlink_to(ROOT / "docs")
    answers: dict[str, list[str]] = {}
    for line in COMMANDS:
        if line.startswith("source "):
            continue  # for `hub` on PATH, as the next line has it
        done = hub.shell(f"cd {folder} && PATH={Path(sys.executable).parent}:$PATH && {line}")
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        answers[line] = [one for one in done.stdout.splitlines() if not one.startswith(PROGRESS)]
    assert (folder / "found.png").is_file()
    return answers


def words(lines: list[str]) -> list[str]:
    """Without numbers, and with one space between words, whatever a table's width."""
    return [" ".join(NUMBER.sub("N", line).split()) for line in lines]


def numbers(lines: list[str]) -> list[float]:
    return [float(found) for line in lines for found in NUMBER.findall(line)]


def test_the_answer_about_the_picture_is_the_one_in_the_readme(said: dict[str, list[str]]) -> None:
    [line] = [one for one in COMMANDS if one.startswith("hub ask")]
    assert said[line] == COMMANDS[line]


def test_the_box_in_the_readme_is_the_one_that_is_found(said: dict[str, list[str]]) -> None:
    [line] = [one for one in COMMANDS if one.startswith("hub detect")]
    assert words(said[line]) == words(COMMANDS[line])
    assert numbers(said[line]) == pytest.approx(numbers(COMMANDS[line]), abs=TOLERANCES["pixels"])


def test_the_score_in_the_readme_is_the_one_that_is_measured(said: dict[str, list[str]]) -> None:
    [line] = [one for one in COMMANDS if one.startswith("hub eval")]
    assert words(said[line]) == words(COMMANDS[line])
    assert numbers(said[line]) == pytest.approx(numbers(COMMANDS[line]), abs=TOLERANCES["mean IoU"])


def test_the_rows_of_status_in_the_readme_are_among_those_that_are_shown(
    said: dict[str, list[str]],
) -> None:
    printed = words(COMMANDS["hub status"])
    assert printed[0] == "…"
    assert set(printed[1:]) <= set(words(said["hub status"]))
