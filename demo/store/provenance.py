"""What the file of a drawn picture tells about itself, so that it can be drawn again from the file alone.

It is JSON in a text chunk of the PNG, written by `chat.growing_reply`; `static/chat/composer.js` reads it when such a
file is dropped on the page.
"""

import hashlib
import json
from dataclasses import dataclass

from PIL import Image

from minigpt5 import ImageFinished

CHUNK = "minigpt5"
SOFTWARE = "MiniGPT-5"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a picture's settings do not say: the model, and the words that asked for it."""

    model: str = ""
    prompt: str = ""


def write_provenance(origin: Origin, event: ImageFinished) -> dict[str, str]:
    """The text chunks for the finished picture of `event`."""
    facts = {
        "model": origin.model,
        "prompt": origin.prompt,
        "seed": str(event.seed),  # of up to 63 bits, too many for a script's numbers
        "guidance_scale": event.guidance_scale,
        "num_inference_steps": event.num_inference_steps,
        "scheduler": event.scheduler,
        "vokens": hashlib.sha256(event.vokens.tobytes()).hexdigest(),
    }
    return {
        "Software": SOFTWARE,
        "Description": origin.prompt,
        CHUNK: json.dumps(facts, ensure_ascii=False),
    }


def read_provenance(picture: Image.Image) -> dict[str, object] | None:
    """The facts in a picture that was drawn here, None in any other."""
    try:
        facts = json.loads(picture.info.get(CHUNK, ""))
    except (TypeError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None
