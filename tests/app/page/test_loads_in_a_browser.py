"""What Chromium asks for while it shows what others wrote: the page's own address and no other."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from app.client.grounding.frame import Frame
from app.client.page.turns import Question, Turn, saved
from app.model.image_tokens import Size
from tests.app.page.conftest import Received, Visit
from tests.app.page.person import open_file, picture, requests_to_others
from tests.support.http_server import Handler, serving

pytestmark = pytest.mark.browser
PICTURE = "![x](URL)"
FORMS = (
    # Where formulas begin and end
    rf"\$$x`a$ {PICTURE} `$$",
    rf"\$$x`a$`{PICTURE}`$$",
    rf"$$$x`a$ {PICTURE} `$$$",
    rf"$x$$`a$ {PICTURE} `$$",
    rf"\\$$x`a$ {PICTURE} `$$",
    rf"$$a$$ {PICTURE} $$b$$",
    rf"$$ {PICTURE} $$",
    rf"$$\text{{ $ {PICTURE} $ }}$$",
    rf"$$a\$$ {PICTURE} $$",
    f"$$\n{PICTURE}\n$$",
    f"$$a\nb$$\n\n```\n$$\n{PICTURE}\n```",
    f"```\n$$\n```\n{PICTURE}\n```\n$$\n```",
    r"$$\includegraphics[height=1em]{URL}$$",
    r"$$\htmlStyle{background: url(URL)}{x}$$",
    r"$$\href{URL}{x} \url{URL}$$",
    # Where code begins and ends
    rf"\`{PICTURE}\`",
    rf"`` ` ``{PICTURE}` `",
    f"$$ `$$ {PICTURE} `",
    f"`a\n\n{PICTURE} `",
    f"`a\n- {PICTURE} `",
    f"text\n    ```\n{PICTURE}\n```",
    f"- ```\n{PICTURE}\n  ```",
    f"> ```\n{PICTURE}\n> ```",
    f"~~~ `\n~~~\n{PICTURE}\n`",
    f"``` a`b\n{PICTURE}\n```",
    f"<!-- ` -->{PICTURE}<!-- ` -->",
    f'<a title="`">{PICTURE}`',
    f"<http://a.example/`>{PICTURE}`",
    f"[a](<`> '{PICTURE}`')",
    # Other forms of pictures
    "![x][1]\n\n[1]: URL",
    "![1]\n\n[1]: URL",
    rf"\{PICTURE}",
    rf"\\{PICTURE}",
    "!\\[x](URL) ![x](<URL>)",
    "&#33;[x](URL) !&#91;x](URL)",
    f"[{PICTURE}](URL)",
    f"*{PICTURE}*",
    f"| a |\n|---|\n| {PICTURE} |",
    f"| a `|` {PICTURE} |\n|---|---|\n| `|` {PICTURE} |",
    f"[^1]\n\n[^1]: {PICTURE}",
    f":red[{PICTURE}] :red-background[{PICTURE}] :small[{PICTURE}]",
    f":material/home:{PICTURE}:smile:",
    f"# {PICTURE}\n1. {PICTURE}\n- [ ] {PICTURE}\n> {PICTURE}",
    f"!\u2060[x](URL) !\u200b[x](URL) !\x00[x](URL) {PICTURE}",
    # What is no Markdown
    "<img src=URL><img srcset='URL 1x'><picture><source srcset=URL></picture>",
    "<svg><image href=URL /></svg><iframe src=URL></iframe><object data=URL></object>",
    "<style>@import 'URL'; body {background: url(URL)}</style><link rel=stylesheet href=URL>",
    "<script src=URL></script><video src=URL poster=URL></video><audio src=URL></audio>",
    "<b style='background:url(URL)'>x</b><input type=image src=URL><body background=URL>",
    "<meta http-equiv=refresh content='0;url=URL'><base href=URL><embed src=URL>",
)


@dataclass
class OtherOrigin:
    url: str
    requests: list[str]


@pytest.fixture
def other_origin() -> Generator[OtherOrigin]:
    requests: list[str] = []

    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802
            requests.append(self.path)
            self.whole(200, b"")

    with serving(Answering) as port:
        yield OtherOrigin(f"http://127.0.0.1:{port}/leak", requests)
    assert requests == []


def conversation(texts: list[str]) -> tuple[Turn, ...]:
    """The texts in each place where the page shows what others wrote."""
    chats = [
        Turn(question=Question(mode="chat", text=text), answer=text, ending="whole", log=(text,))
        for text in texts
    ]
    boxes = Turn(
        question=Question(mode="boxes", text=texts[0], pictures=(picture(),)),
        answer=json.dumps([{"bbox_2d": [1, 2, 30, 40], "label": text} for text in texts]),
        ending="whole",
        frame=Frame(Size(320, 240), Size(320, 240), "pixels"),
    )
    failed = Turn(
        question=Question(mode="chat", text="why"), answer="", ending="failed", trouble=texts[0]
    )
    return (*chats, boxes, failed)


def test_no_form_of_a_picture_is_loaded_wherever_it_is_shown(
    visit: Visit, other_origin: OtherOrigin
) -> None:
    texts = [form.replace("URL", f"{other_origin.url}/{i}") for i, form in enumerate(FORMS)]
    page = visit()
    requests = requests_to_others(page)
    open_file(page, saved(conversation(texts)))
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2 * (len(texts) + 2))
    expect(page.get_by_role("table").last.get_by_role("row")).to_have_count(len(texts) + 1)
    for expander in page.get_by_text("What happened", exact=True).all()[:3]:
        expander.click()
    page.wait_for_load_state("networkidle")
    assert requests == []


def test_the_reason_for_refusing_a_file_loads_nothing(
    visit: Visit, other_origin: OtherOrigin
) -> None:
    page = visit()
    requests = requests_to_others(page)
    key = f"![x]({other_origin.url})"
    open_file(page, json.dumps({"turns": [], key: 1}))
    expect(page.get_by_text(f"{key}: Extra inputs are not permitted")).to_be_visible()
    assert requests == []


def test_the_browser_itself_refuses_what_comes_from_elsewhere(
    visit: Visit, other_origin: OtherOrigin, received: Received
) -> None:
    received.expected = ("Content Security Policy", "Failed to fetch")
    page = visit()
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    refused = page.evaluate(
        """async (url) => {
          const image = new Image();
          const refused = new Promise((resolve) => { image.onerror = () => resolve(true); });
          image.src = url;
          document.body.append(image);
          return [await refused, await fetch(url).then(() => false, () => true)];
        }""",
        other_origin.url,
    )
    assert refused == [True, True]
