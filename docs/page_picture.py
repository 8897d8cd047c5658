"""Takes README's picture of the page from the running twin.

``hub up; python -m docs.page_picture``
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.app.page.person import ask, upload
from tests.support.chromium import chromium
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings

PICTURES = Path(__file__).with_name("pictures")
SIZE = (960, 1070)
"""Pixels of the window: the question, its answer and the box to write in, without scrolling."""


def main() -> None:
    url = TwinSettings.of_running_twin(TwinPaths(state_dir())).client_url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(print), chromium_sandbox=False
        )
        width, height = SIZE
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(url)
        page.get_by_text("Everything answers").wait_for()
        upload(page, {"shapes.png": (PICTURES / "shapes.png").read_bytes()})
        page.get_by_text("Boxes", exact=True).click()
        ask(page, "red square")
        page.get_by_role("button", name="COCO").wait_for()
        page.get_by_role("cell", name="red square").wait_for()
        page.mouse.move(0, 0)
        page.screenshot(path=PICTURES / "page.png")


if __name__ == "__main__":
    main()
