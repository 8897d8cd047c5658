"""What Pillow raises of an unreadable picture, as an error that vLLM answers with 400.

Run by each Python in vLLM's container at its start, as its ``sitecustomize``. vLLM takes an OSError
and a ValueError for the client's mistake and answers all else with 500. Pillow has others: of more
than 178,956,970 pixels, before vLLM compares them with ``VLLM_MAX_IMAGE_PIXELS``; of damaged AVIF,
ICNS, BLP and DDS files.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from PIL import Image

Read = Callable[..., Any]


def refusing(read: Read) -> Read:
    @functools.wraps(read)
    def tried(*args: object, **options: object) -> Any:
        try:
            return read(*args, **options)
        except (OSError, ValueError, MemoryError):
            raise
        except Exception as error:
            raise OSError(str(error) or type(error).__name__) from error

    return tried


def opening(read: Read) -> Read:
    """``Image.open`` reads a picture's head; ``load``, its format's own, reads the rest."""

    @functools.wraps(read)
    def opened(*args: object, **options: object) -> Image.Image:
        image: Image.Image = read(*args, **options)
        of_its_format = type(image)
        if not hasattr(of_its_format.load, "__wrapped__"):
            of_its_format.load = refusing(of_its_format.load)
        return image

    return opened


Image.open = opening(refusing(Image.open))
