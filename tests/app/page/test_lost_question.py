"""What is asked while the page is still being drawn, where Streamlit is as slow as on a busy
machine: a run takes its time to end, the next one to look at what was said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.page.conftest import Visit
from tests.app.page.fake_service import FakeService
from tests.app.page.person import ask, button
from tests.app.page.served_page import page_process

pytestmark = pytest.mark.browser
SLOW_STREAMLIT = """
import time
from streamlit.runtime.state.session_state import SessionState

set_widgets, finished = SessionState.set_widgets_from_proto, SessionState.on_script_finished

def set_widgets_and_wait(self, states):
    set_widgets(self, states)
    time.sleep(1)

def wait_and_finish(self, widgets, **whether):
    if whether:  # the end of a run, not the beginning of a page
        time.sleep(1)
    finished(self, widgets, **whether)

SessionState.set_widgets_from_proto = set_widgets_and_wait
SessionState.on_script_finished = wait_and_finish
"""


def test_a_question_is_asked_however_late_the_run_before_it_ends(
    visit: Visit, service: FakeService, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_STREAMLIT)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with page_process(tmp_path / "log", service, PYTHONPATH=path) as url:
        page = visit(url)
        button(page, "Draw a box around each red square")
        expect(page.get_by_role("button", name="COCO")).to_be_visible()
        ask(page, "hello")
        service.until(lambda fake: "hello" in fake.questions)
        expect(page.get_by_test_id("stChatMessage")).to_have_count(4)
