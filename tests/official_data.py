"""The small files of which the official data sets made `data/official/datasets.json`, written anew."""

import json
from pathlib import Path

from official_files import OFFICIAL_FILES
from PIL import Image

DATASETS = json.loads((OFFICIAL_FILES / "datasets.json").read_text())


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 14), "teal").save(path)


def write_cc3m(folder: Path) -> Path:
    samples = DATASETS["CC3M-test"]
    for sample in samples:
        draw(folder / sample["output_image"])
    rows = [f"{sample['caption']}\t{sample['output_image']}" for sample in samples]
    (folder / "cc3m_val.tsv").write_text("\n".join(["caption\timage_path", *rows]) + "\n")
    return folder / "cc3m_val.tsv"


def write_vist(folder: Path) -> Path:
    stories: dict[str, list[dict[str, object]]] = {}
    mapping = {}
    for sample in DATASETS["VIST-test"]:
        draw(folder / sample["output_image"])
        story, number = sample["task"].removesuffix("-gen").split("_")
        told = sample["source"].partition("scene description: ")[2].removesuffix(" ###Assistant:")
        key = f"id{len(mapping)}"
        mapping[key] = sample["output_image"]
        stories.setdefault(story, []).append(
            {"caption": told, "image_id": key, "sequence_index": int(number)}
        )
    (folder / "val_cleaned.json").write_text(json.dumps(stories))
    (folder / "val_image_mapping.json").write_text(json.dumps(mapping))
    return folder / "val_cleaned.json"


def write_mmdialog(folder: Path) -> Path:
    first = [
        ("hello there , look at my new kite !", "k1"),
        ("nice ! here is the lake .", "k2"),
        ("lovely , did you go with dad ?", None),
        ("yes , and with the dog .", "k3"),
        ("so cute", None),
    ]
    second = [
        ("what should i cook tonight ?", None),
        ("fresh fish , like this one .", "k4"),
        ("great idea , thank you", None),
    ]
    lines = []
    for number, turns in enumerate((first, second)):
        for _, media in turns:
            if media:
                draw(folder / "MMDialog/test" / f"{media}.jpg")
        parts = [[{"__TEXT__": t}, *([{"__MEDIA__": m}] if m else [])] for t, m in turns]
        conversation = [{"turn": part} for part in parts]
        lines.append(json.dumps({"conversation_id": number, "conversation": conversation}))
    path = folder / "MMDialog/test/test_conversations.txt"
    path.write_text("\n".join(lines) + "\n")
    return path
