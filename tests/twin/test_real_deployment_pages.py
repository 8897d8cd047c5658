"""The pages' commands, asked of the programs that a twin has built."""

from __future__ import annotations

import pytest

from tests.support.pages import called, unknown
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.twin


def test_pulumi_has_each_command_of_the_pages_with_its_options(hub: HubUnderTest) -> None:
    assert len(called("pulumi")) > 5
    assert unknown("pulumi", hub.shell_env) == {}
