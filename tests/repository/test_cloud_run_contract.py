"""Cloud Run's contract in the docs: each line names Google's page and a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cloud-run.md").read_text()
ROWS = [
    (rule, page, test)
    for rule, page, test in re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    if rule != "Cloud Run"
]
TESTS = {
    name
    for file in (ROOT / "tests" / "twin").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("topic", ["start", "probes", "order", "concurrency", "32 MiB", "504"])
def test_the_contract_covers(topic: str) -> None:
    assert [rule for rule, _, _ in ROWS if topic in rule]


@pytest.mark.parametrize(("rule", "page", "test"), ROWS, ids=[rule for rule, _, _ in ROWS])
def test_each_line_names_googles_page_and_tests_that_exist(rule: str, page: str, test: str) -> None:
    links = re.findall(r"\[[^\]]+\]\[(\w+)\]", page)
    assert links or page == "not documented"
    for link in links:
        assert re.search(
            rf"^\[{link}\]: https://docs\.cloud\.google\.com/run/", PAGE, re.MULTILINE
        ), link
    names = re.findall(r"`(\w+)`", test)
    assert names
    assert set(names) <= TESTS
