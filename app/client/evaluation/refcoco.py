"""Sets in the form of RefCOCO: sentences that each mean one object of a COCO file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.client.evaluation import coco, plain_pickle
from app.client.evaluation.folder import Pictures
from app.client.evaluation.questions import GroundingSet, Question, SetError, not_in_form


class Sentence(BaseModel):
    """One way to say which object is meant."""

    sent: str


class Ref(BaseModel):
    """One object that was referred to."""

    ref_id: coco.Id
    ann_id: coco.Id
    image_id: coco.Id
    split: str
    sentences: list[Sentence]


_REFS = TypeAdapter(list[Ref])


def load(refs: Path) -> list[Ref]:
    """Read a refs file, JSON or the original pickle.

    Raises:
        SetError: it is not in the form of RefCOCO, or a pickle of more than plain data.
    """
    try:
        if refs.suffix == ".json":
            return _REFS.validate_json(refs.read_bytes())
        return _REFS.validate_python(plain_pickle.load(refs))
    except ValidationError as error:
        raise not_in_form(refs, "RefCOCO", error) from None
    except ValueError as error:
        raise SetError(f"{refs} cannot be read: {error}") from None


def grounding_set(name: str, refs: Path, instances: Path, pictures: Pictures) -> GroundingSet:
    """Each sentence is a question with one box; the training split is left out.

    Raises:
        SetError: not in the form of RefCOCO, or none of its pictures is here.
    """
    listed = coco.load(instances)
    objects = {a.id: a for a in listed.annotations}
    files = {p.id: p.file_name for p in listed.images}
    names = {c.id: c.name for c in listed.categories}
    questions: list[Question] = []
    for ref in load(refs):
        if ref.split == "train":
            continue
        if ref.ann_id not in objects or ref.image_id not in files:
            raise SetError(
                f"{refs}: ref {ref.ref_id} is of picture {ref.image_id} and annotation "
                f"{ref.ann_id}, but {instances.name} does not have both"
            )
        found = objects[ref.ann_id]
        tags = {"split": ref.split, "category": names.get(found.category_id, "?")}
        questions += [
            Question(f"{ref.ref_id}/{i}", files[ref.image_id], said.sent, (found.xyxy,), tags=tags)
            for i, said in enumerate(ref.sentences)
        ]
    notes = ("The training split is left out.",)
    return coco.with_pictures(name, questions, listed.images, pictures, notes)
