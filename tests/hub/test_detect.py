"""`hub detect`, from the command line to a service on loopback and back."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.client.connection import Connection
from hub.cli import app
from hub.connection import connection
from tests.app.client.fake_service import FakeService, fake_service
from tests.support.ports import free_port
from tests.support.signals import ctrl_c_interrupts
from twin.engine import Engine
from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.toolchain.toolchain import Toolchain

CARD = {"id": "vlm", "root": "Qwen/Qwen2.5-VL-7B-Instruct", "max_model_len": 8192}
CUP = '[{"bbox_2d": [14, 28, 54, 68], "label": "red cup"}]'
HOME_IS_OFF = (503, {"Retry-After": "600"})
"""Longer than the client waits."""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    with fake_service() as running:
        running.card, running.pieces = CARD, [CUP[:20], CUP[20:]]
        monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.chdir(tmp_path)
        Image.new("RGB", (280, 224), "grey").save("table.png")
        yield running


@pytest.fixture
def photos(service: FakeService, tmp_path: Path) -> Path:
    """Two pictures twice as large as what is sent would be; and what is no picture by its name."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.new("RGB", (140, 112), "grey").save(folder / "a.png")
    Image.new("RGB", (140, 112), "white").save(folder / "b.JPG", "JPEG")
    Image.new("RGB", (140, 112), "white").save(folder / "deeper" / "c.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def hub(*words: str) -> Result:
    return CliRunner().invoke(app, ["detect", *words])


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


# --- one picture


def test_a_person_gets_a_table(service: FakeService) -> None:
    done = hub("table.png", "red cup")
    assert done.exit_code == 0, done.output
    assert "pixels of 280x224" in done.stdout
    [row] = [line for line in done.stdout.splitlines() if "red cup" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        *("red cup", "14", "28", "54", "68")
    ]
    [asked] = service.asked
    assert asked["messages"][0]["content"][1]["text"] == (
        "Locate every red cup in the image and output the bbox coordinates in JSON format."
    )


def test_what_was_left_out_is_told_in_words_and_cannot_steer_the_terminal(
    service: FakeService,
) -> None:
    service.pieces = [
        '[{"bbox_2d": [1, 2, 30, 40], "label": "a[b]\\u001b[31m"}, {"bbox_2d": [5, 5, 5, 9]}'
    ]
    done = hub("table.png", "cup")
    assert done.exit_code == 0, done.output
    assert "a[b] [31m" in done.stdout
    assert "\x1b" not in done.stdout
    assert "Left out: a box with nothing in it, or outside the picture: " in done.stdout


def test_nothing_found_is_told(service: FakeService) -> None:
    service.pieces = ["[]"]
    done = hub("table.png", "[unicorn]")
    assert done.exit_code == 0
    assert "Found: no [unicorn]" in done.stdout


def test_what_cannot_be_read_is_not_told_as_nothing_found(service: FakeService) -> None:
    service.pieces = ['[{"bbox_2d": null, "label": "cup"}]']
    done = hub("table.png", "cup")
    assert "Found: no cup" not in done.stdout
    assert "No place in the answer can be read." in done.stdout
    assert "Left out: no numbers where a place should be: " in done.stdout


def test_a_program_gets_json_and_nothing_else(service: FakeService) -> None:
    done = hub("table.png", "red cup", "--json")
    assert json.loads(done.stdout) == {
        "picture": {"width": 280, "height": 224},
        "boxes": [{"label": "red cup", "xyxy": [14.0, 28.0, 54.0, 68.0]}],
        "points": [],
        "answer": CUP,
        "problems": [],
    }


def test_points_are_asked_for_and_shown(service: FakeService) -> None:
    service.pieces = ['[{"point_2d": [30, 40], "label": "handle"}]']
    done = hub("table.png", "handle", "--points")
    [row] = [line for line in done.stdout.splitlines() if "handle" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["handle", "30", "40"]
    assert service.asked[0]["messages"][0]["content"][1]["text"].startswith("Point to every handle")


@pytest.mark.parametrize(("name", "form"), [("found.png", "PNG"), ("found.JPG", "JPEG")])
def test_the_drawing_is_written(service: FakeService, name: str, form: str) -> None:
    done = hub("table.png", "red cup", "--draw", name)
    assert done.exit_code == 0, done.output
    with Image.open(name) as picture:
        assert (picture.format, picture.size) == (form, (280, 224))
        pixel = picture.convert("RGB").getpixel((14, 60))
    assert isinstance(pixel, tuple)
    assert max(abs(a - b) for a, b in zip(pixel, (230, 25, 75), strict=True)) < 40


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--draw", "found.pdf"], "does not end in .png or .jpg"),
        (["--draw", "nowhere/found.png"], "there is no folder nowhere"),
        (["--draw", "table.png"], "would replace the picture"),
        (["--out", "x.jsonl"], "--out is for a folder"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_asked(
    service: FakeService, words: list[str], told: str
) -> None:
    done = hub("table.png", "cup", *words)
    assert done.exit_code == 2
    assert told in done.output
    assert service.asked == []


@pytest.mark.parametrize("what", ["", "  "])
def test_nothing_to_find_is_refused(service: FakeService, what: str) -> None:
    assert hub("table.png", what).exit_code == 2
    assert service.asked == []


def test_no_picture_is_told_in_words(service: FakeService, tmp_path: Path) -> None:
    done = hub("gone.png", "cup")
    assert done.exit_code == 1
    assert done.stderr == "error: There is no file gone.png.\n"
    (tmp_path / "words.png").write_text("words")
    assert "no picture that can be read" in hub("words.png", "cup").stderr


def test_a_refusal_is_told_in_words(service: FakeService) -> None:
    service.refusals = [(401, {})]
    done = hub("table.png", "cup", "--json")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: The API key is not valid here")


# --- a folder


def test_a_folder_is_asked_one_by_one_and_written_as_lines_and_coco(
    photos: Path, service: FakeService
) -> None:
    done = hub("photos", "Red Cup")
    assert done.exit_code == 0, done.output
    assert lines(photos / "detections-red-cup.jsonl") == [
        {
            "file": name,
            "what": "Red Cup",
            "asked": "boxes",
            "model": "Qwen/Qwen2.5-VL-7B-Instruct",
            "picture": {"width": 140, "height": 112},
            "boxes": [{"label": "red cup", "xyxy": [14.0, 28.0, 54.0, 68.0]}],
            "points": [],
            "answer": CUP,
            "problems": [],
        }
        for name in ("a.png", "b.JPG")
    ]
    coco = json.loads((photos / "detections-red-cup.coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["a.png", "b.JPG"]
    assert [a["bbox"] for a in coco["annotations"]] == [[14.0, 28.0, 40.0, 40.0]] * 2
    assert "2 of 2 pictures" in done.output


def test_a_label_that_no_file_takes_does_not_end_the_run(
    photos: Path, service: FakeService
) -> None:
    service.pieces = [r'[{"bbox_2d": [14, 28, 54, 68], "label": "\ud83d\ude00 \ud83d"}]']
    done = hub("photos", "cup")
    assert done.exit_code == 0, done.output
    found = lines(photos / "detections-cup.jsonl")
    assert [line["boxes"][0]["label"] for line in found] == ["😀 \ufffd"] * 2


def test_each_line_is_on_disk_before_the_next_picture_is_asked(
    photos: Path, service: FakeService
) -> None:
    seen: list[int] = []

    class Watched(list[dict[str, Any]]):
        def append(self, asked: dict[str, Any]) -> None:
            seen.append(len(lines(photos / "detections-cup.jsonl")))
            super().append(asked)

    service.asked = Watched()
    assert hub("photos", "cup").exit_code == 0
    assert seen == [0, 1]


def test_a_second_run_asks_for_what_is_new_only(photos: Path, service: FakeService) -> None:
    hub("photos", "cup")
    Image.new("RGB", (140, 112), "grey").save(photos / "c.png")
    done = hub("photos", "cup")
    assert done.exit_code == 0, done.output
    assert len(service.asked) == 3
    names = [line["file"] for line in lines(photos / "detections-cup.jsonl")]
    assert names == ["a.png", "b.JPG", "c.png"]
    assert "3 of 3 pictures" in done.output


def test_what_failed_is_told_and_asked_again(photos: Path, service: FakeService) -> None:
    (photos / "a.png").write_text("damaged")
    service.refusals = [HOME_IS_OFF]
    done = hub("photos", "cup", "--out", "found.jsonl")
    assert done.exit_code == 1
    assert "0 of 2 pictures" in done.output
    assert "2 failed; the same command asks them again:" in done.output
    assert "a.png: photos/a.png is no picture that can be read" in done.output
    assert "b.JPG: told by the server" in done.output
    Image.new("RGB", (140, 112), "grey").save(photos / "a.png")
    again = hub("photos", "cup", "--out", "found.jsonl")
    assert again.exit_code == 0, again.output
    assert "2 of 2 pictures" in again.output
    assert [("error" in line) for line in lines(Path("found.jsonl"))] == [True, True, False, False]
    assert len(json.loads(Path("found.coco.json").read_text())["images"]) == 2


def test_pictures_whose_answer_was_not_read_whole_are_named(
    photos: Path, service: FakeService
) -> None:
    service.pieces = [f'[{CUP[1:-1]}, {{"bbox_2d": null, "label": "red cup"}}]']
    told = (
        "Something was left out of 2 answers; in that file `problems` says what:\n"
        "  a.png\n  b.JPG\n"
    )
    assert told in hub("photos", "red cup").output
    [first, _] = lines(photos / "detections-red-cup.jsonl")
    assert [box["label"] for box in first["boxes"]] == ["red cup"]
    assert len(first["problems"]) == 1
    service.pieces = [CUP]
    assert "left out" not in hub("photos", "cup").output


def test_a_folder_of_a_phone_is_answered_as_far_as_it_can_be(
    photos: Path, service: FakeService
) -> None:
    (photos / "IMG_1.HEIC").write_bytes(b"")
    Image.new("RGB", (140, 112), "grey").save(photos / "IMG_2.HEIC", "HEIF")
    for name in (".DS_Store", "._b.JPG", "IMG_2.MOV", "IMG_2.AAE"):
        (photos / name).write_bytes(b"no picture")
    done = hub("photos", "cup")
    assert done.exit_code == 0, done.output
    assert "3 of 4 pictures" in done.output
    assert "  IMG_1.HEIC: photos/IMG_1.HEIC is empty: 0 bytes." in done.output
    assert "5 other files were passed over:" in done.output
    for name in (".DS_Store", "._b.JPG", "IMG_2.MOV", "IMG_2.AAE", "notes.txt"):
        assert f"\n  {name}\n" in done.output
    again = hub("photos", "plate")
    assert "5 other files were passed over:" in again.output, "the results are no such files"


def test_a_name_that_is_no_utf8_is_kept_and_taken_up(photos: Path, service: FakeService) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (photos / "a.png").rename(photos / name)
    (photos / os.fsdecode(b"notes\xff.txt")).touch()
    (photos / os.fsdecode(b"none\xe9.png")).touch()
    for _ in range(2):
        done = hub("photos", "red cup")
        assert done.exit_code == 0, done.output
        assert "2 of 3 pictures" in done.output
        assert "  none\\udce9.png: " in done.output
        assert "  notes\\udcff.txt\n" in done.output
    assert len(service.asked) == 2
    assert name in {line["file"] for line in lines(photos / "detections-red-cup.jsonl")}
    coco = json.loads((photos / "detections-red-cup.coco.json").read_bytes())
    assert name in {image["file_name"] for image in coco["images"]}
    drawing = hub(f"photos/{name}", "cup", "--draw", os.fsdecode(b"found\xe9.png"))
    assert drawing.exit_code == 0, drawing.output


def test_each_file_that_is_not_answered_is_named(photos: Path, service: FakeService) -> None:
    for i in range(12):
        (photos / f"empty{i}.jpg").touch()
        (photos / f"notes{i}.txt").touch()
    (photos / "gone.jpg").symlink_to("nowhere.jpg")
    (photos / "gone").symlink_to("nowhere")
    os.mkfifo(photos / "pipe.png")
    (photos / "folder.jpg").mkdir()
    done = hub("photos", "cup")
    assert done.exit_code == 0, done.output
    assert "2 of 17 pictures" in done.output
    for i in range(12):
        assert f"  empty{i}.jpg: " in done.output
        assert f"  notes{i}.txt\n" in done.output
    for line in (
        "gone.jpg: There is no file ",
        "pipe.png: photos/pipe.png is no file: a device or a pipe.",
        "folder.jpg: photos/folder.jpg is a folder, not a picture.",
        "gone\n",
    ):
        assert f"\n  {line}" in done.output
    assert "deeper" not in done.output


def test_some_pictures_are_asked_at_once(photos: Path, service: FakeService) -> None:
    """Both are under way before one is answered."""
    service.in_pairs = True
    done = hub("photos", "cup", "--concurrency", "2")
    assert done.exit_code == 0, done.output
    names = {line["file"] for line in lines(photos / "detections-cup.jsonl")}
    assert names == {"a.png", "b.JPG"}


@pytest.mark.parametrize("given", ["photos", "table.png"])
def test_coordinates_of_an_unknown_model_are_asked_for(
    photos: Path, service: FakeService, given: str
) -> None:
    service.card = CARD | {"root": "someone/new-vl"}
    done = hub(given, "cup")
    assert done.exit_code == 1
    assert "coordinates of someone/new-vl count is not known. Give coord_space" in done.stderr
    assert service.asked == []
    assert hub(given, "cup", "--coord-space", "pixels").exit_code == 0


def test_a_line_that_broke_off_is_done_again(photos: Path, service: FakeService) -> None:
    hub("photos", "cup")
    file = photos / "detections-cup.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    service.asked.clear()
    done = hub("photos", "cup")
    assert done.exit_code == 0, done.output
    assert len(service.asked) == 1
    assert file.read_bytes() == whole


@pytest.mark.parametrize("other", [["plate"], ["cup", "--points"]])
def test_a_file_of_another_question_is_refused(
    photos: Path, service: FakeService, other: list[str]
) -> None:
    hub("photos", "cup", "--out", "found.jsonl")
    before = Path("found.jsonl").read_bytes()
    done = hub("photos", *other, "--out", "found.jsonl")
    assert done.exit_code == 1
    assert "found.jsonl has results of another question" in done.output
    assert Path("found.jsonl").read_bytes() == before
    assert len(service.asked) == 2


def test_a_file_of_another_model_is_refused(photos: Path, service: FakeService) -> None:
    hub("photos", "cup")
    service.card = CARD | {"root": "personal-cloud-hub/tiny-vl"}
    done = hub("photos", "cup")
    assert done.exit_code == 1
    assert "model: Qwen/Qwen2.5-VL-7B-Instruct, not personal-cloud-hub/tiny-vl" in done.output


@pytest.mark.parametrize("text", ["My diary", '{"a": 1}\n', "[]\n", "\xff\n", "{}\n{"])
def test_a_file_of_another_program_stays_as_it_is(
    photos: Path, service: FakeService, text: str
) -> None:
    Path("notes").write_bytes(text.encode("latin-1"))
    done = hub("photos", "cup", "--out", "notes")
    assert done.exit_code == 1
    assert "was not written by `hub detect`" in done.output
    assert Path("notes").read_bytes() == text.encode("latin-1")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    photos: Path, service: FakeService
) -> None:
    hub("photos", "cup")
    file = photos / "detections-cup.jsonl"
    first = file.read_text().splitlines(keepends=True)[0]
    file.write_text(first)
    service.silent_before = True
    asked = len(service.asked)
    stop = threading.Event()

    def press_when_asked() -> None:
        while len(service.asked) == asked:
            if stop.wait(0.01):
                return
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press_when_asked)
    with ctrl_c_interrupts():
        presser.start()
        try:
            done = hub("photos", "cup")
        finally:
            stop.set()
            presser.join()
    assert done.exit_code == 130
    assert "1 of 2 pictures" in done.output
    assert "The same command takes up where this one stopped" in done.output
    assert service.left.wait(10)
    assert file.read_text() == first
    service.silent_before = False
    assert hub("photos", "cup").exit_code == 0
    assert len(lines(file)) == 2


def test_a_service_that_fails_on_everything_is_given_up(photos: Path, service: FakeService) -> None:
    for i in range(8):
        Image.new("RGB", (140, 112), "grey").save(photos / f"c{i}.png")
    service.refusals = [HOME_IS_OFF] * 20
    done = hub("photos", "cup")
    assert done.exit_code == 1
    assert "The service failed 5 times in a row" in done.output
    assert len(service.asked) == 5


def test_points_of_a_folder_have_a_file_of_their_own_and_no_coco(
    photos: Path, service: FakeService
) -> None:
    service.pieces = ['[{"point_2d": [30, 40], "label": "cup"}]']
    assert hub("photos", "cup", "--points").exit_code == 0
    assert lines(photos / "detections-cup-points.jsonl")[0]["points"] == [
        {"label": "cup", "xy": [30.0, 40.0]}
    ]
    assert list(photos.glob("*.coco.json")) == []


@pytest.mark.parametrize("words", [["--json"], ["--draw", "x.png"]])
def test_a_folder_refuses_what_is_for_one_picture(
    photos: Path, service: FakeService, words: list[str]
) -> None:
    assert hub("photos", "cup", *words).exit_code == 2
    assert service.asked == []


def test_a_folder_without_pictures_is_told(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = hub("empty", "cup")
    assert done.exit_code == 1
    assert "empty has no pictures (.avif, .bmp, .gif" in done.output


# --- which service


def test_help_teaches_with_examples() -> None:
    shown = CliRunner().invoke(app, ["detect", "--help"], env={"COLUMNS": "120"}).output
    assert 'hub detect table.jpg "red cup"' in shown
    assert "hub detect table.jpg cup --draw found.png" in shown


def test_ask_streams_an_answer_about_a_picture(service: FakeService) -> None:
    service.pieces = ["A red", " cup."]
    done = CliRunner().invoke(app, ["ask", "What is it?", "--image", "table.png"])
    assert done.exit_code == 0, done.output
    assert done.stdout == "A red cup.\n"
    content = service.asked[0]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"]


def test_an_answer_that_the_limit_has_cut_is_told_beside_it(service: FakeService) -> None:
    service.pieces, service.finish_reason = ["A red"], "length"
    done = CliRunner().invoke(app, ["ask", "What is it?", "--max-tokens", "2"])
    assert (done.exit_code, done.stdout) == (0, "A red\n")
    assert done.stderr == "The answer was cut after 2 tokens; --max-tokens allows more.\n"
    assert service.asked[0]["max_tokens"] == 2
    service.finish_reason = "stop"
    done = CliRunner().invoke(app, ["ask", "What is it?"])
    assert (done.stdout, done.stderr) == ("A red\n", "")
    assert service.asked[1]["max_tokens"] == 512


def test_where_nobody_takes_connections_the_doctor_is_named(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")
    monkeypatch.setattr("app.client.failures._BACK_OFF_SECONDS", 60)  # longer than it waits
    done = CliRunner().invoke(app, ["ask", "Hello"])
    assert done.exit_code == 1
    assert "if both are right, the service is down.\n`hub doctor` names the hop" in done.output


def test_without_a_twin_a_key_by_name_is_refused(service: FakeService) -> None:
    done = CliRunner().invoke(app, ["ask", "Hi", "--key", "robot"])
    assert done.exit_code == 1
    assert "no twin runs here" in done.output
    assert service.asked == []


def test_the_environment_comes_before_a_running_twin_and_that_before_the_stack(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "twin.json").write_text(
        json.dumps(
            {
                "gateway_port": 18080,
                "client_port": 1,
                "kubernetes_port": 2,
                "providers_port": 3,
                "network": "auto",
            }
        )
    )
    outputs: dict[str, Any] = {"apiKeys": {"alice": "sk-1", "bob": "sk-2"}}

    def tools(_paths: TwinPaths) -> Toolchain:
        return Toolchain("/bin", Path("python"))

    def shown(_engine: Engine) -> dict[str, Any]:
        return outputs

    monkeypatch.setattr(Toolchain, "of_running_twin", tools)
    monkeypatch.setattr(Engine, "outputs", shown)
    assert connection() == service.connection
    monkeypatch.delenv("OPENAI_API_KEY")
    assert connection() == Connection("http://127.0.0.1:18080/v1", "sk-1")
    assert connection("bob") == Connection("http://127.0.0.1:18080/v1", "sk-2")
    with pytest.raises(TwinError, match=r"'carol'; there are: alice, bob"):
        connection("carol")
    outputs.clear()
    with pytest.raises(TwinError, match="`hub up` deploys it"):
        connection()
