"""Each version that no package file holds is found by Renovate, and told on the twin's page."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docs.generate import CONFORMANCE, TWIN, with_differences, with_versions
from hub.home.requirements import DRIVER, VLLM
from hub.home.steps import K3S
from infra.config import Model
from twin.toolchain.pins import PINS

ROOT = Path(__file__).parents[2]
IMAGE = re.compile(r'"([a-z0-9./-]+/[a-z0-9-]+):v?\d[\w.]*"')


def test_renovate_finds_every_image_in_the_program() -> None:
    [manager, _] = json.loads((ROOT / "renovate.json").read_text())["customManagers"]
    [file_pattern], [pattern] = manager["managerFilePatterns"], manager["matchStrings"]
    line = re.compile(pattern.replace("(?<", "(?P<"))
    images: set[str] = set()
    found: set[str] = set()
    for file in (ROOT / "infra").rglob("*.py"):
        assert re.fullmatch(file_pattern.strip("/"), str(file.relative_to(ROOT)))
        images |= set(IMAGE.findall(file.read_text()))
        found |= {match["depName"] for match in line.finditer(file.read_text())}
    assert len(images) == 4
    assert found == images


def test_the_twins_page_tells_the_versions_that_are_deployed_and_tested() -> None:
    assert TWIN.read_text() == with_versions(TWIN.read_text()), "run `python -m docs.generate`"


def test_home_gets_the_minor_version_of_kubernetes_that_is_tested() -> None:
    tested = PINS["kube-apiserver"].rpartition(".")[0]
    assert K3S.startswith(f"v{tested}.")


def test_the_driver_was_looked_up_for_the_image_that_is_deployed() -> None:
    assert Model().image.rpartition(":")[2] == VLLM, "which driver does the new image need?"
    page = (ROOT / "docs/deployment.md").read_text()
    assert set(re.findall(r"driver[- ](\d{3})", page)) == {str(DRIVER)}


def test_renovate_finds_k3s() -> None:
    [_, manager] = json.loads((ROOT / "renovate.json").read_text())["customManagers"]
    [file_pattern], [pattern] = manager["managerFilePatterns"], manager["matchStrings"]
    assert re.fullmatch(file_pattern.strip("/"), "hub/home/steps.py")
    text = (ROOT / "hub/home/steps.py").read_text()
    [found] = re.finditer(pattern.replace("(?<", "(?P<"), text)
    assert found.groupdict() == {
        "datasource": "github-releases",
        "depName": "k3s-io/k3s",
        "currentValue": K3S,
    }


def test_the_known_differences_from_the_original_providers_are_those_of_the_suite() -> None:
    text = CONFORMANCE.read_text()
    assert with_differences(text) == text, "run `python -m docs.generate`"
