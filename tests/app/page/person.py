"""What a person does with the page."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from io import BytesIO

from PIL import Image
from playwright.sync_api import FilePayload, Page, Request

_PASTE = """(area, files) => {
  const data = new DataTransfer();
  for (const [name, type, bytes] of files)
    data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  area.dispatchEvent(new ClipboardEvent("paste",
    {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def ask(page: Page, text: str) -> None:
    page.get_by_test_id("stChatInputTextArea").fill(text)
    page.get_by_role("button", name="Send message").click()


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def messages(page: Page) -> list[str]:
    return page.get_by_test_id("stChatMessage").all_inner_texts()


def paste(page: Page, files: Mapping[str, bytes]) -> None:
    """All at once, into the question."""
    given = [(name, _type(name), list(file)) for name, file in files.items()]
    page.get_by_test_id("stChatInputTextArea").evaluate(_PASTE, given)


def upload(page: Page, files: Mapping[str, bytes]) -> None:
    given: list[FilePayload] = [
        {"name": name, "mimeType": _type(name), "buffer": file} for name, file in files.items()
    ]
    page.get_by_test_id("stChatInput").locator("input[type=file]").set_input_files(given)


def open_file(page: Page, content: str) -> None:
    """A saved conversation."""
    page.get_by_text("Conversation", exact=True).click()
    file: FilePayload = {
        "name": "conversation.json",
        "mimeType": "application/json",
        "buffer": content.encode(),
    }
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)


def requests_to_others(page: Page) -> list[str]:
    """Grows; a request that the browser's policy refuses is in it, too."""
    requests: list[str] = []
    own = (page.url, f"blob:{page.url}", "data:")

    def watch(request: Request) -> None:
        if not request.url.startswith(own):
            requests.append(request.url)

    page.on("request", watch)
    return requests


def picture(size: tuple[int, int] = (320, 240), form: str = "PNG", colour: str = "white") -> bytes:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, form)
    return file.getvalue()


def _type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
