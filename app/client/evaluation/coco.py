"""Sets in the form of COCO: one JSON file of pictures, categories and boxes, and the pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from pydantic import BaseModel, NonNegativeFloat, ValidationError

from app.client.evaluation.folder import Pictures, read
from app.client.evaluation.matching import XYXY
from app.client.evaluation.questions import GroundingSet, Question, SetError, not_in_form

Id = int | str


class Picture(BaseModel):
    """One of the ``images``."""

    id: Id
    file_name: str
    width: int
    height: int


class Category(BaseModel):
    """What an object is called."""

    id: Id
    name: str


class Annotation(BaseModel):
    """One object."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, NonNegativeFloat, NonNegativeFloat]
    """Left, top, width, height."""
    iscrowd: bool = False

    @property
    def xyxy(self) -> XYXY:
        left, top, width, height = self.bbox
        return left, top, left + width, top + height


class Instances(BaseModel):
    """An annotations file."""

    images: list[Picture]
    annotations: list[Annotation]
    categories: list[Category]


def load(annotations: Path) -> Instances:
    """Read an annotations file.

    Raises:
        SetError: it is not in the form of COCO.
    """
    try:
        return Instances.model_validate_json(annotations.read_bytes())
    except ValidationError as error:
        raise not_in_form(annotations, "COCO", error) from None


def grounding_set(name: str, annotations: Path, pictures: Pictures) -> GroundingSet:
    """Each category of each picture is a question; categories that are not in it are not asked for.

    Raises:
        SetError: not in the form of COCO, or none of its pictures is here.
    """
    instances = load(annotations)
    names = {category.id: category.name for category in instances.categories}
    objects: dict[tuple[Id, Id], list[Annotation]] = defaultdict(list)
    for annotation in instances.annotations:
        objects[annotation.image_id, annotation.category_id].append(annotation)
    by_id = {picture.id: picture for picture in instances.images}
    questions: list[Question] = []
    for (picture, category), found in objects.items():
        if picture not in by_id or category not in names:
            raise SetError(
                f"{annotations}: annotation {found[0].id} is of picture {picture} and category "
                f"{category}, but the file does not have both"
            )
        boxes = tuple(a.xyxy for a in found if not a.iscrowd)
        if boxes:
            questions.append(
                Question(
                    id=f"{picture}/{category}",
                    picture=by_id[picture].file_name,
                    what=names[category],
                    boxes=boxes,
                    crowds=tuple(a.xyxy for a in found if a.iscrowd),
                    tags={"category": names[category]},
                )
            )
    return with_pictures(name, questions, instances.images, pictures)


def with_pictures(
    name: str,
    questions: Sequence[Question],
    listed: Sequence[Picture],
    pictures: Pictures,
    notes: tuple[str, ...] = (),
) -> GroundingSet:
    """A set of the questions whose pictures are here.

    Raises:
        SetError: none is.
    """
    if not questions:
        raise SetError(f"{name} has no boxes to ask for")
    paths = {p.file_name: path for p in listed if (path := pictures.find(p.file_name))}
    sizes = {p.file_name: (p.width, p.height) for p in listed}
    asked = tuple(q for q in questions if q.picture in paths)
    if not asked:
        raise SetError(
            f"{name} has annotations, but not their pictures: there is no {questions[0].picture} "
            "in it. Put the pictures into the folder, or into one below it."
        )
    if missing := len(questions) - len(asked):
        notes = (*notes, f"{missing} of {len(questions)} questions left out: no picture here")

    def picture(file_name: str) -> Image.Image:
        return read(paths[file_name], *sizes[file_name])

    return GroundingSet(name, asked, picture, notes)
