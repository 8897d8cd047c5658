"""Emulated and original providers do the same, but for what ``differences.yaml`` explains."""

from __future__ import annotations

import json
import re

import pytest

from tests.conformance.comparison import PROVIDERS, stale, unexplained
from tests.conformance.running import Providers
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.conformance


def test_every_difference_between_emulators_and_originals_is_explained(
    scenario: tuple[Providers, Providers],
) -> None:
    ours, theirs = scenario
    assert unexplained(ours.seen, theirs.seen, PROVIDERS) == []


def test_every_explanation_still_has_its_difference(scenario: tuple[Providers, Providers]) -> None:
    ours, theirs = scenario
    assert stale(ours.seen, theirs.seen, PROVIDERS) == []


def test_the_twin_uses_the_originals_that_its_network_gave(hub: HubUnderTest) -> None:
    rows = json.loads(hub.ok("status", "--json"))
    providers = {row["what"]: row["detail"] for row in rows if row["hop"] == "provider"}
    assert providers["kubernetes"] == "released plugin from the plugin folder"
    assert providers["random"] == "released plugin from the plugin folder"
    assert providers["gcp"].startswith("emulator")


def test_the_whole_program_is_unchanged_at_a_second_up_and_a_refresh(hub: HubUnderTest) -> None:
    said = hub.ok("up")
    assert re.search(r"\d+ unchanged", said)
    assert not re.search(r"\d+ (created|updated|replaced|deleted)", said)
    line = "pulumi preview --refresh --expect-no-changes --stack twin --non-interactive"
    done = hub.shell(line)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_whole_program_adopts_home_after_a_destroy(hub: HubUnderTest) -> None:
    before = hub.vllm_pod()["metadata"]["uid"]
    hub.ok("down")
    assert hub.vllm_pod()["metadata"]["uid"] == before
    hub.ok("up")
    assert hub.vllm_pod()["metadata"]["uid"] == before
