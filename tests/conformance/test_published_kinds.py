"""The kinds that the twin's API server has from the start are as their projects publish them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.go_modules import downloaded
from twin.engine import ROOT

pytestmark = pytest.mark.conformance

FILES = sorted((ROOT / "twin/node/crds").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_kinds_is_what_its_project_publishes(file: Path) -> None:
    """Its first line names the module, the version, and the files there; the second the licence."""
    head = r"# From (\S+) (\S+), (\S+), unchanged\.\n# [^\n]+\n"
    found = re.fullmatch(f"{head}(.*)", file.read_text(), re.DOTALL)
    assert found
    module, version, files, kinds = found.groups()
    published = sorted(downloaded(module, version).glob(files))
    assert kinds == "".join(one.read_text() for one in published)
