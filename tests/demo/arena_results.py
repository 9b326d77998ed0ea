"""A folder of results as `evaluate --paper` leaves it, for the arena's tests."""

import json
from pathlib import Path

from PIL import Image

SYSTEMS = {"MiniGPT-5": "red", "two-stage": "blue"}


def write_results(folder: Path, tasks: int = 2, rated: bool = True) -> Path:
    """A setting that two systems have answered, as `evaluate --paper` leaves it."""
    setting = folder / "steps"
    (setting / "pictures").mkdir(parents=True)
    (setting / "setting.json").write_text(json.dumps({"title": "Every scene", "rated": rated}))
    Image.new("RGB", (64, 64), "green").save(setting / "pictures/history.png")
    history = [
        {"role": "user", "parts": [{"text": "Once <b>there</b> was"}, {"image": "pictures/history.png"}]}
    ]
    lines = [json.dumps({"id": f"{n}", "group": "0", "history": history, "truth": []}) for n in range(tasks)]
    (setting / "tasks.jsonl").write_text("\n".join(lines))
    for system, colour in SYSTEMS.items():
        image = f"pictures/{system.lower()}.png"
        Image.new("RGB", (64, 64), colour).save(setting / image)
        parts = [{"text": f"{colour} words"}, {"image": image}]
        answers = [json.dumps({"id": f"{n}", "system": system, "parts": parts}) for n in range(tasks)]
        (setting / f"{system.lower()}.jsonl").write_text("\n".join(answers))
    return folder
