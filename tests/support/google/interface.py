"""Whether a request or an answer fits Google's published description of its interface.

``interface.json`` holds, as JSON Schemas, what Google's discovery documents say of the requests and
answers that the project meets; ``extract.py`` says where they come from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from tests.support import schemas

FILE = Path(__file__).with_name("interface.json")


def misfits(api: str, schema: str, value: object, *, sent: bool) -> list[str]:
    """What Google's description does not have, in the validator's words.

    ``sent``: by us. Then what only Google says has no place in it.
    """
    described = json.loads(FILE.read_text())[api]
    given = _without_what_google_says(described) if sent else described
    return schemas.misfits(given, schema, value)


def _without_what_google_says(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_what_google_says(each) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    parts = cast("dict[str, Any]", schema).items()
    return {
        name: _without_what_google_says(each)
        for name, each in parts
        if not (isinstance(each, dict) and "readOnly" in each)
    }
