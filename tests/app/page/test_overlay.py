from __future__ import annotations

from app.client.grounding.found import Box, Detection, Point
from app.client.page.overlay import marked, place
from app.model.image_tokens import Size


def found(*boxes: Box, points: tuple[Point, ...] = ()) -> Detection:
    return Detection(boxes, points, Size(400, 200), "", ())


def test_a_box_is_placed_in_hundredths_of_the_pictures_sides() -> None:
    shown = marked(b"jpeg", found(Box("cup", (40, 50, 140, 150), "")), "one mark")
    assert "left:10.000%;top:25.000%;width:25.000%;height:50.000%" in shown
    assert 'tabindex="0" role="img" aria-label="cup (40, 50, 140, 150)"' in shown


def test_a_point_has_a_place_and_no_size() -> None:
    shown = marked(b"jpeg", found(points=(Point("lid", (100, 20), ""),)), "one mark")
    assert "left:25.000%;top:10.000%;width:0.000%;height:0.000%" in shown


def test_a_label_cannot_become_a_part_of_the_page() -> None:
    shown = marked(b"jpeg", found(Box('"><script>', (0, 0, 1, 1), "")), "one mark")
    assert "<script>" not in shown
    assert "&quot;&gt;&lt;script&gt;" in shown


def test_one_label_has_one_colour() -> None:
    boxes = [Box(label, (0, 0, 9, 9), "") for label in ("cup", "lid", "cup")]
    colours = [part[:7] for part in marked(b"", found(*boxes), "").split(";color:")[1:]]
    first, _, second, _, third, _ = colours
    assert first == third != second


def test_a_place_is_told_in_whole_pixels() -> None:
    assert place(Box("cup", (1.4, 2.6, 3, 4), "")) == "1, 3, 3, 4"
