"""The readers' samples are the official ones, id for id and label for label (`official/datasets.json`)."""

import json
from pathlib import Path

import pytest
from official_files import OFFICIAL_FILES
from PIL import Image
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.vicuna_tokenizer import convert_tokenizer
from minigpt5.data.cc3m import clean_caption, read_cc3m
from minigpt5.data.mmdialog import read_mmdialog
from minigpt5.data.samples import Sample, Samples
from minigpt5.data.vist import read_vist
from minigpt5.prompt import IGNORED

OFFICIAL = json.loads((OFFICIAL_FILES / "datasets.json").read_text())
SEED = 3  # of the official run


@pytest.fixture(scope="module")
def vicuna() -> PreTrainedTokenizerFast:
    return convert_tokenizer(OFFICIAL_FILES / "vicuna-7b")


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 14), "teal").save(path)


def write_cc3m(folder: Path) -> Path:
    samples = OFFICIAL["CC3M-test"]
    for sample in samples:
        draw(folder / sample["output_image"])
    rows = [f"{sample['caption']}\t{sample['output_image']}" for sample in samples]
    (folder / "cc3m_val.tsv").write_text("\n".join(["caption\timage_path", *rows]) + "\n")
    return folder / "cc3m_val.tsv"


def write_vist(folder: Path) -> Path:
    stories: dict[str, list[dict[str, object]]] = {}
    mapping = {}
    for sample in OFFICIAL["VIST-test"]:
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


def read(name: str, folder: Path) -> Samples:
    kind, _, part = name.partition("-")
    if kind == "CC3M":
        return read_cc3m(write_cc3m(folder), test=part == "test", seed=SEED)
    if kind == "VIST":
        return read_vist(write_vist(folder), test=part == "test", seed=SEED)
    return read_mmdialog(write_mmdialog(folder), test=part == "test")


def assert_is(sample: Sample, official: dict[str, object], tokenizer, folder: Path) -> None:
    encoded = sample.encode(tokenizer)
    assert encoded.input_ids == [tokenizer.bos_token_id, *official["input_ids"]]
    assert encoded.labels == [IGNORED, *official["labels"]]
    seen = [str(picture.path.relative_to(folder)) for picture in encoded.images]
    assert seen == [name for name in official["input_images"] if name]
    assert [str(p.path.relative_to(folder)) for p in encoded.drawn] == (
        [official["output_image"]] if "[IMG0]" in official["target"] else []
    )
    assert sample.caption == official["caption"]


@pytest.mark.parametrize("name", [name for name in OFFICIAL if name != "pre_caption"])
def test_every_sample_has_the_official_ids_and_labels(name, vicuna, tmp_path):
    samples = read(name, tmp_path)
    assert len(samples) == len(OFFICIAL[name])
    for sample, official in zip(samples, OFFICIAL[name], strict=True):
        assert_is(sample, official, vicuna, tmp_path)
    assert samples.report == f"{samples.findings.source}: {len(samples)} samples, 0 records skipped"


@pytest.mark.parametrize(("caption", "cleaned"), OFFICIAL["pre_caption"])
def test_captions_are_cleaned_as_officially(caption, cleaned):
    assert clean_caption(caption) == cleaned
