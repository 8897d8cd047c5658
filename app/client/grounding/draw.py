"""Draw what was found onto the picture it was found in."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from app.client.grounding.found import Detection

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (230, 25, 75),
    (0, 114, 178),
    (255, 225, 25),
    (0, 158, 115),
    (245, 130, 48),
    (145, 30, 180),
    (70, 240, 240),
    (128, 0, 0),
    (210, 245, 60),
    (250, 190, 212),
)
"""Told apart by lightness too, not by hue alone; the labels take them in the order they come."""
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def drawn(picture: Image.Image, detection: Detection) -> Image.Image:
    """A copy in RGB with boxes, points and their labels.

    ``picture`` is the upright original (:func:`app.client.images.upright`): the detection counts in
    its pixels. Lines and writing grow with it.
    """
    copy = picture.convert("RGB") if picture.mode != "RGB" else picture.copy()
    pen = _Pen.of(copy)
    labels = dict.fromkeys(item.label for item in (*detection.boxes, *detection.points))
    colours = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}
    for box in detection.boxes:
        pen.box(box.xyxy, colours[box.label])
    for point in detection.points:
        pen.point(point.xy, colours[point.label])
    # Last, so that no line crosses the writing.
    for box in detection.boxes:
        pen.label(box.label, box.xyxy[0], box.xyxy[1], colours[box.label])
    for point in detection.points:
        x, y = point.xy
        pen.label(point.label, x + 2 * pen.radius, y - pen.radius, colours[point.label])
    return copy


def writing_on(background: Colour) -> Colour:
    """Black or white, whichever has the higher contrast: at least 4.5 on any colour.

    WCAG 2.2, "contrast ratio": (lighter + 0.05) / (darker + 0.05), of relative luminances.
    """
    light = luminance(background)
    return BLACK if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else WHITE


def luminance(colour: Colour) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
        for c in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True)
class _Pen:
    """Marks on one picture, in strokes that fit its size."""

    draw: ImageDraw.ImageDraw
    width: int
    height: int
    line: int
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont

    @classmethod
    def of(cls, picture: Image.Image) -> _Pen:
        width, height = picture.size
        side = (width * height) ** 0.5
        letters = min(max(12, round(side / 40)), max(height // 2, 1))
        return cls(
            ImageDraw.Draw(picture),
            width,
            height,
            max(2, round(side / 350)),
            ImageFont.load_default(letters),
        )

    @property
    def radius(self) -> int:
        return 3 * self.line

    def box(self, xyxy: tuple[float, float, float, float], colour: Colour) -> None:
        # A line of the opposite lightness below, seen where the picture has the box's colour.
        rim = max(1, self.line // 2)
        left, top, right, bottom = xyxy[0], xyxy[1], xyxy[2] - 1, xyxy[3] - 1
        right, bottom = max(left, right), max(top, bottom)
        self.draw.rectangle(
            (left - rim, top - rim, right + rim, bottom + rim),
            outline=writing_on(colour),
            width=self.line + 2 * rim,
        )
        self.draw.rectangle((left, top, right, bottom), outline=colour, width=self.line)

    def point(self, xy: tuple[float, float], colour: Colour) -> None:
        self.draw.circle(
            xy, self.radius, fill=colour, outline=writing_on(colour), width=max(1, self.line // 2)
        )

    def label(self, text: str, x: float, y: float, colour: Colour) -> None:
        """Its lower left corner at the place given, or as near as the picture's edges allow."""
        text = self._fitting(" ".join(text.split()))
        if not text:
            return
        margin = self.line
        left, top, right, bottom = self.draw.textbbox((0, 0), text, font=self.font)
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        x = max(0.0, min(x, self.width - width))
        y = max(0.0, min(y - height, self.height - height))
        self.draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
        self.draw.text(
            (x + margin - left, y + margin - top), text, fill=writing_on(colour), font=self.font
        )

    def _fitting(self, text: str) -> str:
        """The text, or as much of its beginning as the picture is wide."""
        room = self.width - 2 * self.line
        if self.draw.textlength(text, font=self.font) <= room:
            return text
        while text and self.draw.textlength(f"{text}…", font=self.font) > room:
            text = text[:-1]
        return f"{text}…" if text else ""
