"""What people and models wrote is shown as it was written, and loads nothing."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.client.page.written import Code, answer, plain

CommonMark = MarkdownIt("commonmark").enable("table")


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    inline = (block for block in CommonMark.parse(markdown) if block.type in {"inline", "fence"})
    words: list[str] = []
    for block in inline:
        tokens = block.children or [block]
        words += ["\n" if t.type in {"hardbreak", "softbreak"} else t.content for t in tokens]
        words.append("\n")
    return "".join(words)


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        ":red[x] and :material/home: and :smile:",
        "a_b_c *d* **e** ~~f~~ `g`",
        "![x](http://evil.example/?q)",
        "<img src=x> & &amp; <!-- c -->",
        "1. one\n2. two\n# title\n> quote\n- item\n---",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "http://evil.example a@b.example",
        "ends with \\",
    ],
)
def test_a_persons_text_is_shown_character_for_character(text: str) -> None:
    assert shown(plain(text)).rstrip("\n").replace("\u2060", "") == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("It costs $5, not $10.", "It costs \\$5, not \\$10."),
        ("Area: $$a^2$$, $5", "Area: $$a^2$$, \\$5"),
        (":red[x] at 10:30", "\\:red[x] at 10:30"),
        ("see :material/home: or :smile:", "see :\u2060material/home: or :\u2060smile:"),
        ("**bold** and `$x`", "**bold** and `$x`"),
        ("`vec![1]`", "`vec!\u2060[1]`"),
        (
            "- ```sh\n  echo $A\n\n  echo $B\n  ```\n$1",
            "- ```sh\n  echo $A\n\n  echo $B\n  ```\n\\$1",
        ),
        ("costs \\$5 or $6", "costs \\$5 or \\$6"),
        ("\\$$x`a$ b `$$", "\\$\\$x`a$ b `\\$\\$"),
        ("$$a\\$b$$ $c$", "$$a\\$b$$ \\$c\\$"),
        ("$$$a$$$", "\\$\\$\\$a\\$\\$\\$"),
        ("the ` key: $5\n\n$6, the ` key", "the ` key: \\$5\n\n\\$6, the ` key"),
        ("![x](http://evil.example)", "\\!\\[x](http://evil.example)"),
        ("a [link](http://example.com)", "a [link](http://example.com)"),
    ],
)
def test_a_models_markdown_stays_and_what_streamlit_would_read_into_it_does_not(
    text: str, markdown: str
) -> None:
    assert list(answer(text)) == [markdown]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a\n```sh\n$A ![b](c)\n```\n$1", ["a\n", Code("$A ![b](c)", "sh"), "\\$1"]),
        ("```\n#![x]\n\nvec![1]", ["", Code("#![x]\n\nvec![1]", ""), ""]),
        ("~~~~\n~~~\n```\n~~~~", ["", Code("~~~\n```", ""), ""]),
        ("```c++ {1}\n```", ["", Code("", "c++"), ""]),
        ("```sh", ["```sh"]),
    ],
)
def test_blocks_of_code_keep_each_letter(text: str, pieces: list[str | Code]) -> None:
    assert list(answer(text)) == pieces


@given(st.text(alphabet="![]()x`$:\\\n ~<>|-*1h/.\u2060", max_size=60))
def test_no_markdown_has_a_picture_whatever_parser_reads_it(text: str) -> None:
    assert "![" not in plain(text)
    assert not [piece for piece in answer(text) if isinstance(piece, str) and "![" in piece]


@given(st.lists(st.sampled_from(["`", "``", "```", "a", " ", "\\", "$", "\nx"]), max_size=40))
def test_code_within_a_line_is_what_commonmark_calls_so(parts: list[str]) -> None:
    text = "x" + "".join(parts)
    [inline] = [block for block in CommonMark.parse(text) if block.type == "inline"]
    code = [token.content for token in inline.children or [] if token.type == "code_inline"]
    line = "".join(piece for piece in answer(text) if isinstance(piece, str))
    [shown_inline] = [block for block in CommonMark.parse(line) if block.type == "inline"]
    assert [t.content for t in shown_inline.children or [] if t.type == "code_inline"] == code


@pytest.mark.parametrize("piece", ["`", "a`", "``x`", "` ``", "\\`", "$$a ", "- ```\n", "\n`"])
def test_twice_the_text_takes_twice_the_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        begun = process_time()
        list(answer(text))
        return process_time() - begun

    short, long = (min(seconds(length) for _ in range(3)) for length in (20_000, 40_000))
    assert long < 3 * short + 0.02


def test_runs_of_backticks_that_are_all_of_another_length_take_no_longer() -> None:
    begun = process_time()
    list(answer(" ".join("`" * length for length in range(1, 600))))
    assert process_time() - begun < 1
