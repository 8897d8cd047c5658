"""What the sides and corners of a box are called, in whole words and in several languages."""

from __future__ import annotations

import re

_CORNERS = {
    "topleft": "topleft upperleft lefttop leftupper tl ul x1y1 linksoben obenlinks "
    "左上 左上角 좌상단 왼쪽위",
    "bottomright": "bottomright lowerright rightbottom rightlower br x2y2 rechtsunten untenrechts "
    "右下 右下角 우하단 오른쪽아래",
    "topright": "topright upperright righttop tr rechtsoben obenrechts 右上 右上角 우상단",
    "bottomleft": "bottomleft lowerleft leftbottom bl linksunten untenlinks 左下 左下角 좌하단",
}
_SIDES = {
    "left": "left hpos links gauche izquierda esquerda sinistra lewo trái слева 左 왼쪽 좌측",
    "top": "top vpos oben haut arriba topo boven góra trên сверху 上 위 위쪽 상단",
    "right": "right rechts droite derecha direita destra prawo phải справа 右 오른쪽 우측",
    "bottom": "bottom unten bas abajo basso onder dół dưới снизу 下 아래 아래쪽 하단",
    "width": "width w breite largeur ancho anchura 宽 宽度 너비 폭",
    "height": "height h höhe hauteur alto altura 高 高度 높이",
}
_ENDS = {
    "1": ("min", "start", "begin", "from", "origin", *_CORNERS["topleft"].split()),
    "2": ("max", "end", "stop", "to", *_CORNERS["bottomright"].split()),
}
_AXES = ("x", "y")
_SIDES_OF_AXES = {"x1": "left", "x2": "right", "y1": "top", "y2": "bottom"}
_CENTRES = ("c", "center", "centre", "mid", "middle")
_BEFORE = re.compile(r"(?:bounding|b)?box(?:2d)?|rect")
_BEHIND = re.compile(
    r"(?:coordinates?|coords?|positions?|pos|points?|corner|edge|side|border|value|pixels?|px|xy|좌표|坐标)\Z"
)


def _names() -> dict[str, str]:
    told = {name: side for side, names in _SIDES.items() for name in names.split()}
    told |= {name: corner for corner, names in _CORNERS.items() for name in names.split()}
    for axis in _AXES:
        told |= {f"{axis}{end}": f"{axis}{end}" for end in ("", *"012")}
        for number, ends in _ENDS.items():
            for end in (*ends, _SIDES_OF_AXES[axis + number]):
                told[f"{axis}{end}"] = told[f"{end}{axis}"] = f"{axis}{number}"
        for centre in _CENTRES:
            told[f"{axis}{centre}"] = told[f"{centre}{axis}"] = f"c{axis}"
    return told


_NAMES = _names()


def side_or_corner(letters: str) -> str | None:
    """Its one name, such as ``x1``, ``cx``, ``left``, ``width`` or ``topleft``; else ``None``.

    ``letters`` are a key's, small and without anything between its words.
    """
    bare = _BEFORE.sub("", letters, count=1) if _BEFORE.match(letters) else letters
    return next(
        (
            _NAMES[name]
            for name in (letters, bare, _BEHIND.sub("", letters), _BEHIND.sub("", bare))
            if name in _NAMES
        ),
        None,
    )
