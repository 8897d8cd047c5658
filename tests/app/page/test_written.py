"""What people and models wrote is shown as it was written, and loads nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.client.page.written import answer, plain

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


def loads(markdown: str) -> list[str]:
    tokens = [t for block in CommonMark.parse(markdown) for t in block.children or ()]
    return [str(t.attrs.get("src")) for t in tokens if t.type == "image"]


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
        ("**bold** and `$x ![y](z)`", "**bold** and `$x ![y](z)`"),
        ("```sh\necho $HOME ![a](b)\n```\n$1", "```sh\necho $HOME ![a](b)\n```\n\\$1"),
        ("```sh\necho $HOME", "```sh\necho $HOME"),
        ("![x](http://evil.example)", "\\!\\[x](http://evil.example)"),
        ("a [link](http://example.com)", "a [link](http://example.com)"),
    ],
)
def test_a_models_markdown_stays_and_what_streamlit_would_read_into_it_does_not(
    text: str, markdown: str
) -> None:
    assert answer(text) == markdown


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example)",
        "![x][1]\n\n[1]: http://evil.example",
        "\\`![x](http://evil.example)\\`",
        "`` ` ``![x](http://evil.example)` `",
        "$$ `$$ ![x](http://evil.example) `",
        "text\n    ```\n![x](http://evil.example)\n```",
        "| a |\n|---|\n| ![x](http://evil.example) |",
        "*![x](http://evil.example)*",
        "!\\[x](http://evil.example) ![x](<http://evil.example>)",
        "[![x](http://evil.example)](http://evil.example)",
    ],
)
def test_no_answer_loads_a_picture(text: str) -> None:
    assert loads(answer(text)) == []


@given(st.text(alphabet="![]()x`$:\\\n ~<>|-*1h/.", max_size=60))
def test_whatever_is_written_loads_no_picture(text: str) -> None:
    assert loads(answer(text)) == []
    assert loads(plain(text)) == []
