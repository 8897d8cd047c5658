"""The emulators' contracts in the docs: each line names its source and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOGLES = "https://docs.cloud.google.com/run/"
OTHERWISE = ("not documented", "the emulator's own")
"""What stands in place of Google's page."""
SOURCES = ("`run`", "`iam`", "`secretmanager`", "`artifactregistry`", "`google`", "`tailscale`")
WORDS = ("Page ", "Quoted", "Plain", "Own", "the four documents")
"""What the source of a provider's rule begins with; ``docs/providers.md`` explains each."""
TESTS = {
    name
    for file in (ROOT / "tests" / "twin").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE)
}


def rows(page: str) -> list[tuple[str, str, str]]:
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    return [row for row in found if row[2] != "test"]


def targets(page: str, cell: str) -> list[str]:
    """What the links of a cell lead to."""
    addresses = dict(re.findall(r"^\[([\w-]+)\]: (\S+)$", page, re.MULTILINE))
    return [addresses[name] for name in re.findall(r"\[[^\]]+\]\[([\w-]+)\]", cell)]


CLOUD_RUN = (ROOT / "docs" / "cloud-run.md").read_text()
PROVIDERS = (ROOT / "docs" / "providers.md").read_text()


@pytest.mark.parametrize(
    "topic",
    [
        *("start", "startup probe", "240 s", "order", "concurrency", "32 MiB"),
        *(
            "drains",
            "Idle stop",
            "300 s",
            "504",
            "503",
            "404",
            "429",
            "SIGTERM",
            "HTTP/1",
            "HTTP/2",
        ),
    ],
)
def test_the_contract_covers(topic: str) -> None:
    assert [rule for rule, _, _ in rows(CLOUD_RUN) if topic in rule]


@pytest.mark.parametrize(("rule", "source", "test"), [*rows(CLOUD_RUN), *rows(PROVIDERS)])
def test_each_line_names_tests_that_exist(rule: str, source: str, test: str) -> None:
    names = re.findall(r"`(\w+)`", test)
    assert names
    assert set(names) <= TESTS


@pytest.mark.parametrize(("rule", "source", "test"), rows(CLOUD_RUN))
def test_each_line_of_cloud_run_names_googles_page(rule: str, source: str, test: str) -> None:
    pages = targets(CLOUD_RUN, source)
    assert pages or source in OTHERWISE
    assert all(page.startswith(GOOGLES) for page in pages)


@pytest.mark.parametrize(("rule", "source", "test"), rows(PROVIDERS))
def test_each_rule_of_the_providers_names_a_known_source(rule: str, source: str, test: str) -> None:
    assert source.startswith((*SOURCES, *WORDS))
    assert bool(targets(PROVIDERS, source)) == source.startswith("Quoted")
