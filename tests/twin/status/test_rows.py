"""How the rows of `hub status` are printed."""

from __future__ import annotations

import io

from rich.console import Console

from twin.status.rows import Row, table


def test_the_table_names_a_hop_once() -> None:
    rows = [Row("pod", "a", "ok", "x"), Row("pod", "b", "down", "y")]
    assert list(table(rows).columns[0].cells) == ["pod", ""]


def test_a_version_stands_with_where_its_program_came_from() -> None:
    rows = [
        Row("part", "kine", "ok", "pid 7", "0.17.5", "the cache", 61),
        Row("kubernetes", "node home", "ok", "", "v1.36.3-twin"),
    ]
    assert list(table(rows).columns[3].cells) == [
        "0.17.5 from the cache, up 1 min 01 s, pid 7",
        "v1.36.3-twin",
    ]


def test_square_brackets_of_others_are_shown_as_they_are() -> None:
    printed = io.StringIO()
    said = "no access to [my-project] [/home/me]"
    Console(file=printed, width=120).print(table([Row("cloud run", "[/x]", "down", said)]))
    assert "[/x]" in printed.getvalue()
    assert said in printed.getvalue()
