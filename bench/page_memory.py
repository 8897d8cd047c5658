"""What three rounds of visitors with pictures leave in the page's memory.

    .venv/bin/python -m bench.page_memory

In each round thirty people open the page in Chromium, each asks about a photograph of its own,
gets its answer and closes the window. Streamlit keeps a closed session for two minutes, for a
browser that comes back; the memory is read after that. The service is a fake one on loopback.
"""

from __future__ import annotations

import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.app.page.fake_service import serving
from tests.app.page.person import ask, upload
from tests.app.page.served_page import page_process
from tests.support.chromium import chromium

ROUNDS, VISITORS, AT_ONCE = 3, 30, 6
FORGOTTEN_SECONDS = 150


def photograph(seed: int) -> bytes:
    """A JPEG of 12 megapixels, 1 MB, that no other visitor has: noise, weaker the finer it is."""
    random, picture = np.random.default_rng(seed), np.zeros((3000, 4000, 3), np.float32)
    for grain in (4, 16, 64, 256, 1024):
        noise = random.integers(0, 256, (3 * grain // 4, grain, 3), np.uint8)
        picture += np.asarray(Image.fromarray(noise).resize((4000, 3000)), np.float32) / grain**0.5
    picture *= 255 / picture.max()
    file = BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def visit(browser: Browser, url: str, first: int) -> None:
    """Several at once; each in a browser context of its own."""
    pages = [browser.new_context().new_page() for _ in range(AT_ONCE)]
    for page in pages:
        page.set_default_timeout(120_000)
        page.goto(url)
    for number, page in enumerate(pages, start=first):
        upload(page, {"mine.jpg": photograph(number)})
        page.get_by_text("mine.jpg").wait_for()
        ask(page, f"what is it, {number}")
    for number, page in enumerate(pages, start=first):
        page.get_by_text(f"You said: what is it, {number}").wait_for()
        page.context.close()


def memory_mb() -> float:
    """Of the page's process, which this one has started."""
    found = [p for p in psutil.Process().children() if "streamlit" in " ".join(p.cmdline())]
    [page] = found
    return page.memory_full_info().uss / 1e6


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving() as fake,
        page_process(
            Path(folder) / "log",
            fake,
            MALLOC_TRIM_THRESHOLD_="131072",  # as in app/client/Dockerfile
        ) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium(print), chromium_sandbox=False, args=["--disable-gpu"]
        )
        print(f"before: {memory_mb():.0f} MB")
        for number in range(ROUNDS):
            for first in range(0, VISITORS, AT_ONCE):
                visit(browser, url, number * VISITORS + first)
            busy = memory_mb()
            time.sleep(FORGOTTEN_SECONDS)
            print(f"round {number + 1}: {busy:.0f} MB, {memory_mb():.0f} MB after", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
