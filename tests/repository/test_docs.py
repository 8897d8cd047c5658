"""README and docs: short enough, no dead link, and each word of our own explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "twin" / "model" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
ENTRIES = dict(re.findall(r"^\| ([\w -]+) \| (.+) \|$", GLOSSARY.read_text(), re.MULTILINE))
del ENTRIES["word"]
HOUSE_WORDS = {
    *("twin", "home", "gateway", "tunnel", "tailnet", "emulator", "end", "part", "hop", "hub"),
    *("engine", "stack", "profile", "slice", "plan", "adopt", "picture", "crossing"),
}
"""Words that README and docs may use in a sense of their own."""
ONLY_IN_CODE = {"door", "wire"}
"""The field's word exists, and README and docs use it: gateway, tunnel."""


def uses(word: str, text: str) -> bool:
    """Whether the word stands in the text, alone or with an ending."""
    return re.search(rf"(?<![\w-]){word}(?:e?s|ed|ing)?(?![\w-])", text, re.IGNORECASE) is not None


def prose() -> str:
    """README and docs but for the glossary, and for names of files and code."""
    texts = [page.read_text() for page in PAGES if page != GLOSSARY]
    return re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", "", "\n".join(texts), flags=re.DOTALL)


@pytest.mark.parametrize("file", sorted((ROOT / "bench").glob("*.py")), ids=lambda file: file.name)
def test_a_measurement_is_started_so_that_it_finds_what_it_imports(file: Path) -> None:
    """A file that is run by its path finds its own folder, not the one above it."""
    text = file.read_text()
    usage = text.partition("from __future__")[0]
    assert f"bench/{file.name}" in usage or f"-m bench.{file.stem}" in usage
    assert not (f"bench/{file.name}" in usage and "from bench." in text)


@pytest.mark.parametrize("word", sorted(HOUSE_WORDS | ONLY_IN_CODE))
def test_each_word_of_our_own_is_in_the_glossary(word: str) -> None:
    assert len(ENTRIES[word].split()) > 3


@pytest.mark.parametrize("word", sorted(ENTRIES))
def test_each_entry_of_the_glossary_is_used_somewhere(word: str) -> None:
    code = [
        file.read_text() for folder in ("hub", "twin") for file in (ROOT / folder).rglob("*.py")
    ]
    assert word in HOUSE_WORDS | ONLY_IN_CODE
    assert uses(word, "\n".join(code) if word in ONLY_IN_CODE else prose())


@pytest.mark.parametrize("word", sorted(ONLY_IN_CODE))
def test_readme_and_docs_use_the_fields_word(word: str) -> None:
    assert not uses(word, prose())


def test_the_readme_is_short_and_its_lines_fit() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= 150
    assert [line for line in lines if len(line) > 120] == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_folder_that_a_page_names_exists(page: Path) -> None:
    code = " ".join(re.findall(r"`([^`\n]+)`", page.read_text()))
    first = "app|bench|docs|doctor|home|hub|infra|policy|tests|twin"
    for path in re.findall(rf"(?<!\S)(?:{first})/[\w./-]*\w", code):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_table_is_whole_and_has_its_tables_columns(page: Path) -> None:
    width = 0
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for line in text.splitlines():
        # A bar in code or behind a backslash ends no cell.
        cells = re.sub(r"`[^`]*`|\\.", "", line).count("|")
        if not line.startswith("|"):
            width = 0
            continue
        assert line.endswith("|"), line
        width = width or cells
        assert cells == width, line


def test_the_readme_leads_to_every_page_of_the_docs() -> None:
    text = README.read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in text, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_in_the_docs_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    written = re.findall(
        r"^make ([a-z][\w-]*)(?: +#|$)|`make ([a-z][\w-]*)", page.read_text(), re.MULTILINE
    )
    for target in map("".join, written):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
