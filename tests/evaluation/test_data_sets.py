"""The paper's settings on files in the official layouts: the official prompts, baselines, what is left out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from official_data import DATASETS, draw, write_cc3m, write_mmdialog, write_vist
from official_files import OFFICIAL_FILES, sources
from tiny_networks import write_networks

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint.convert import convert
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.conversation import Message, TextPart
from minigpt5.errors import CheckpointError, DataError, OptionError
from minigpt5.evaluation import data_sets
from minigpt5.evaluation.answers import answer_all
from minigpt5.evaluation.data_sets import WRITE, Answering, DataSet, settings_of
from minigpt5.evaluation.official import OfficialSystem, prompt_of
from minigpt5.evaluation.settings import (
    FINE_TUNED,
    MINIGPT5,
    SETTINGS,
    TWO_STAGE,
    ZERO_SHOT,
    Task,
    own_history,
    tasks_of,
)
from minigpt5.generation.engine import Engine
from minigpt5.options import OFFICIAL
from minigpt5.prompt import IGNORED, encode_raw

SD = OFFICIAL_FILES / "stable-diffusion-2-1-base"
BY_NAME = {setting.name: setting for setting in SETTINGS}
WRITERS = {"cc3m": write_cc3m, "vist": write_vist, "mmdialog": write_mmdialog}
OFFICIAL_SETTINGS = {"cc3m": "captions", "vist": "scenes", "mmdialog": "dialogues"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    convert(sources("stage2"), folder, report=lambda line: None)
    return folder


@pytest.fixture(scope="module")
def engine(model):
    return minigpt5.load(model, device="cpu", dtype="float32")


@pytest.fixture
def stories(tmp_path) -> DataSet:
    """Two stories of three scenes, the picture of the last scene broken."""
    told, mapping = {}, {}
    for story in ("a", "b"):
        for number in range(3):
            key = f"{story}{number}"
            mapping[key] = f"{key}.jpg"
            draw(tmp_path / mapping[key])
            step = {"caption": f"scene {number} .", "image_id": key, "sequence_index": number}
            told.setdefault(story, []).append(step)
    (tmp_path / "b2.jpg").write_bytes(b"no picture")
    (tmp_path / "val_cleaned.json").write_text(json.dumps(told))
    (tmp_path / "val_image_mapping.json").write_text(json.dumps(mapping))
    return DataSet("vist", tmp_path / "val_cleaned.json")


def tasks(data: DataSet, name: str) -> list[Task]:
    ((setting, _),) = [found for found in settings_of([data], name) if found[0].name == name]
    return [task for group in tasks_of(setting, data.samples(setting.source, 0)) for task in group]


def prompts(data: DataSet, name: str) -> list[str]:
    return [prompt_of(WRITE[data.kind](task, BY_NAME[name]))[0] for task in tasks(data, name)]


@pytest.mark.parametrize("kind", list(WRITERS))
def test_what_is_asked_has_the_official_ids(kind, model, tmp_path, monkeypatch):
    monkeypatch.setattr(data_sets, "SEED", 3)  # of the official run
    (official,) = [v for name, v in DATASETS.items() if name.lower() == f"{kind}-test"]
    data, tokenizer = DataSet(kind, WRITERS[kind](tmp_path)), load_tokenizer(model)
    asked = prompts(data, OFFICIAL_SETTINGS[kind])
    assert len(asked) == len(official)
    for prompt, sample in zip(asked, official, strict=True):
        learned = next(n for n, label in enumerate(sample["labels"]) if label != IGNORED)
        assert encode_raw(prompt, tokenizer) == [tokenizer.bos_token_id, *sample["input_ids"][:learned]]


@pytest.mark.parametrize(
    ("context", "shown"),
    [
        ("none", "###Human: "),
        ("text", "###Human:scene 0 . scene 1 .\n "),
        ("images", "###Human:<Img><ImageHere></Img><Img><ImageHere></Img>\n "),
        ("both", "###Human:scene 0 .<Img><ImageHere></Img>scene 1 .<Img><ImageHere></Img>\n "),
    ],
)
def test_the_last_scene_is_asked_for_after_what_its_context_shows(context, shown, stories):
    (prompt,) = prompts(stories, f"last-{context}")
    assert shown in prompt
    assert prompt.endswith("the scene description: scene 2 . ###Assistant:")


def test_a_story_goes_on_from_what_the_system_said(stories):
    first, second = tasks(stories, "steps-own")
    own = own_history(second, [Message("assistant", (TextPart("mine"), *first.truth.parts[1:]))])
    prompt, pictures = prompt_of(WRITE["vist"](own, BY_NAME["steps-own"]))
    assert "###Human:scene 0 .<Img><ImageHere></Img>mine<Img><ImageHere></Img>\n" in prompt
    assert len(pictures) == 2
    assert "scene 1" not in prompt


def test_a_story_with_a_broken_picture_is_left_out_and_told(stories, capsys):
    assert len(tasks(stories, "scenes")) == 3
    assert "skipped val_cleaned.json story b: the picture cannot be read" in capsys.readouterr().out


def test_pictures_are_opened_story_by_story(stories):
    samples = stories.samples("told", 0)
    history, _ = next(samples)
    assert history.messages[0].images[0].size == (20, 14)
    assert len(list(samples)) == 0  # the second story's broken picture comes only now


def test_nothing_usable_is_an_error(stories):
    for picture in stories.path.parent.glob("*.jpg"):
        picture.unlink()
    with pytest.raises(DataError, match=r"0 samples, 4 records skipped(?s:.*)at least one"):
        list(stories.samples("stories", 0))


def test_your_own_chats_are_dialogues_and_two_sets_of_them_are_refused(tmp_path, capsys):
    draw(tmp_path / "a.png")
    content = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    content += [{"role": "user", "content": "draw"}, {"role": "assistant", "content": [{"image": "a.png"}]}]
    (tmp_path / "mine.jsonl").write_text(json.dumps({"messages": content}) + "\n")
    mine, other = DataSet("jsonl", tmp_path / "mine.jsonl"), DataSet("mmdialog", tmp_path / "x.txt")
    found = tasks(mine, "dialogues")
    assert [len(task.history.messages) for task in found] == [1, 3]
    settings_of([mine], None)
    assert "left out: scenes (no --data vist:PATH)" in capsys.readouterr().out
    with pytest.raises(OptionError, match="expected one of them for dialogues"):
        settings_of([mine, other], None)


def test_a_reply_too_long_for_the_model_leaves_its_story_out(engine, stories, tmp_path, capsys):
    setting, config = BY_NAME["scenes"], replace(engine.config, context_length=300)
    limited = OfficialSystem(Engine(engine.model, engine.tokenizer, config), WRITE["vist"])
    samples = stories.samples("scenes", 0)
    systems, origins = (dict.fromkeys(setting.systems, value) for value in (limited, {"model": "x"}))
    pairs = answer_all(setting, samples, systems, origins, tmp_path)
    assert "skipped scenes 0000: too long" in capsys.readouterr().out
    assert list(pairs[MINIGPT5]) == []


def test_baselines_without_their_weights_are_left_out_and_told(engine, model, capsys):
    systems = Answering(engine, model).systems("vist", Answering(engine, model).painters())
    assert {ZERO_SHOT, FINE_TUNED, TWO_STAGE} & set(systems) == set()
    assert "left out: SD zero-shot, SD fine-tuned, two-stage" in capsys.readouterr().out


def test_a_unet_trained_further_draws_with_the_parts_of_the_model(engine, model):
    painters = Answering(engine, model, SD, finetuned=model).painters()
    tuned, zero_shot = painters[FINE_TUNED], painters[ZERO_SHOT]
    ours, theirs = tuned.engine.model, zero_shot.engine.model
    assert ours.diffusion.vae is theirs.diffusion.vae and ours.language is theirs.language
    assert ours.diffusion.unet is not theirs.diffusion.unet
    assert theirs is engine.model and tuned.text_encoder is zero_shot.text_encoder


def test_a_unet_of_another_model_is_refused(engine, model, tmp_path):
    with pytest.raises(CheckpointError, match=r"got a UNet with \w+ \d+, expected"):
        Answering(engine, model, SD, finetuned=Path("weights/storybook")).painters()
    with pytest.raises(CheckpointError, match="expected a UNet"):
        Answering(engine, model, SD, finetuned=tmp_path).painters()


def test_one_command_makes_the_tables_and_does_nothing_twice(model, tmp_path, monkeypatch, capsys):
    clip, classifier, sentences = map(str, write_networks(tmp_path))
    words = [
        "evaluate", str(model), "--paper", "--data", f"vist:{write_vist(tmp_path)}",
        "--data", f"mmdialog:{write_mmdialog(tmp_path)}", "--count", "1", "--steps", "2", "--guidance", "3",
        "--diffusion", str(SD), "--finetuned", str(SD / "unet"), "--clip", clip, "--classifier", classifier,
        "--sentences", sentences, "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    monkeypatch.setattr(data_sets, "OFFICIAL", replace(OFFICIAL, max_new_tokens=8, pictures="always"))
    monkeypatch.setattr(
        data_sets, "SETTINGS", [BY_NAME[name] for name in ("captions", "scenes", "dialogues")]
    )
    main(words)
    assert "left out: captions (no --data cc3m:PATH)" in capsys.readouterr().out
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["networks"]["CLIP"] == "clip"
    scenes, dialogues = (results["settings"][name]["systems"] for name in ("scenes", "dialogues"))
    assert list(scenes) == [MINIGPT5, ZERO_SHOT, FINE_TUNED, "truth"]
    assert {"CLIP image-image", "instance FID", "FID per story", "Inception Score"} <= set(scenes[MINIGPT5])
    assert list(dialogues) == [MINIGPT5, TWO_STAGE, "truth"]
    assert "MM-Relevance" in dialogues[MINIGPT5]
    tables = (tmp_path / "out/results.md").read_bytes()
    monkeypatch.setattr(OfficialSystem, "sample", None)
    main(words)
    assert (tmp_path / "out/results.md").read_bytes() == tables


def test_data_that_is_not_there_is_told_before_anything_is_loaded(tmp_path):
    with pytest.raises(SystemExit, match=r"nowhere\.json: got no such file"):
        main(["evaluate", "--data", f"vist:{tmp_path / 'nowhere.json'}", "--out", str(tmp_path)])
