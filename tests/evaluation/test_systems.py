"""The systems on the shipped weights, their replies on disk, and the report that is made of them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ImageChops, ImageStat
from safetensors.torch import load_file, save_file

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.conversation import Conversation, Message
from minigpt5.data.storybook.captions import caption
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Character, Scene
from minigpt5.errors import CheckpointError, OptionError
from minigpt5.evaluation.answers import answer_all
from minigpt5.evaluation.clip import load_clip
from minigpt5.evaluation.features import storybook_networks
from minigpt5.evaluation.judge import load_judge
from minigpt5.evaluation.report import evaluate_paper
from minigpt5.evaluation.samples import storybook_samples
from minigpt5.evaluation.settings import MINIGPT5, TWO_STAGE, ZERO_SHOT, Setting, Task
from minigpt5.evaluation.systems import MiniGPT5System, Painter, systems_of
from minigpt5.options import GenerationOptions

WEIGHTS = Path(__file__).parents[2] / "weights"
MADE = {name: {"model": "x"} for name in (MINIGPT5, ZERO_SHOT)}
SHORT = GenerationOptions(num_inference_steps=4)
TOLD = Setting("told", "Told", "told", (MINIGPT5,), narration=True)


@pytest.fixture(scope="module")
def engine():
    return minigpt5.load(WEIGHTS / "storybook", dtype="float32")


@pytest.fixture(scope="module")
def networks():
    judge, tokenizer = load_judge(WEIGHTS / "judge.safetensors"), load_tokenizer(WEIGHTS / "storybook")
    return storybook_networks(load_clip(WEIGHTS / "clip.safetensors", judge, tokenizer))


@pytest.fixture(scope="module")
def systems(engine):
    found = systems_of(engine, WEIGHTS / "storybook")
    return {
        name: replace(system, options=replace(system.options, num_inference_steps=4))
        for name, system in found.items()
    }


def difference(one, other) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_given_its_own_words_the_model_draws_its_own_picture(engine):
    first = Conversation().user("Draw a green frog in the forest")
    chat = first.add(engine.reply(first, replace(SHORT, seed=1)).message).user(
        "now at night"
    )  # a picture in the history
    reply = engine.reply(chat, replace(SHORT, seed=5, pictures="always"))
    task = Task("0-0", "0", chat, Message("assistant", reply.message.parts[:2]))
    again = MiniGPT5System(engine, SHORT).answer(task, TOLD, 5)
    assert again.text == task.truth.text
    assert difference(again.images[0], reply.images[0]) < 1


def test_the_two_stage_baseline_keeps_the_words_and_draws_from_them(systems):
    task = Task("0-0", "0", Conversation().user("Draw a pink cat at night"), Message("assistant", ()))
    setting = Setting("x", "X", "captions", (TWO_STAGE,))
    one, other = (systems[name].answer(task, setting, 3) for name in (MINIGPT5, TWO_STAGE))
    assert one.text == other.text
    assert difference(one.images[0], other.images[0]) > 1


def test_zero_shot_draws_what_the_caption_says(engine):
    scene = Scene((Character("cat", "pink"),), "beach", "night")
    painter, judge = Painter(engine, WEIGHTS / "storybook"), load_judge(WEIGHTS / "judge.safetensors")
    (seen,) = judge.name([painter.picture(caption(scene), GenerationOptions(), 1)])
    assert (seen["animal"], seen["colour"], seen["setting"], seen["time"]) == (
        "cat",
        "pink",
        "beach",
        "night",
    )


def test_a_model_without_a_text_encoder_has_no_baselines(engine):
    bare = type(
        "Bare", (), {"config": replace(engine.config, text_encoder={}), "tokenizer": engine.tokenizer}
    )
    with pytest.raises(CheckpointError, match="text_encoder"):
        Painter(bare, WEIGHTS / "storybook")


def test_the_stand_in_for_clip_finds_the_words_of_a_picture(networks):
    scenes = [
        Scene((Character(animal, colour),), place)
        for animal in ("cat", "owl")
        for colour in ("pink", "blue")
        for place in ("beach", "forest")
    ]
    similar = (
        networks.pictures([render(s, 128, 3) for s in scenes])
        @ networks.texts([caption(s) for s in scenes]).T
    )
    assert similar.argmax(1).tolist() == list(range(len(scenes)))


def test_an_interrupted_run_goes_on_after_its_last_whole_line(tmp_path, systems):
    setting = Setting("captions", "Captions", "captions", (ZERO_SHOT,))
    samples = list(storybook_samples("captions", 2, 128))
    first = answer_all(setting, samples, systems, MADE, tmp_path)
    file = tmp_path / "captions" / "sd-zero-shot.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0] + lines[1][:9])
    calls = []

    class Counted:
        def answer(self, task, setting, seed):
            calls.append(task.id)
            return systems[ZERO_SHOT].answer(task, setting, seed)

    second = answer_all(setting, samples, {ZERO_SHOT: Counted()}, MADE, tmp_path)
    assert calls == ["0001-0"]
    assert file.read_text() == "".join(lines)
    for one, other in zip(first[ZERO_SHOT], second[ZERO_SHOT], strict=True):
        assert difference(one.answer.images[0], other.answer.images[0]) == 0


def test_a_folder_with_replies_to_other_samples_is_refused(tmp_path):
    setting = Setting("told", "Told", "told", (ZERO_SHOT,))

    class Echo:
        def answer(self, task, setting, seed):
            return task.truth

    samples = list(storybook_samples("told", 3, 32))
    answer_all(setting, samples[:2], {ZERO_SHOT: Echo()}, MADE, tmp_path)
    with pytest.raises(OptionError, match="replies to other samples"):
        answer_all(setting, samples[2:], {ZERO_SHOT: Echo()}, MADE, tmp_path)


def test_pictures_of_other_captions_are_replies_to_other_samples(tmp_path, systems):
    setting = Setting("captions", "Captions", "captions", (ZERO_SHOT,))
    one, other = ([sample] for sample in storybook_samples("captions", 2, 32))
    answer_all(setting, one, systems, MADE, tmp_path)
    with pytest.raises(OptionError, match="replies to other samples"):
        answer_all(setting, other, systems, MADE, tmp_path)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (["--guidance", "2"], "guidance_scale: got 2.0, expected 3.0"),
        (["--steps", "3"], "num_inference_steps: got 3, expected 2"),
        (["--quantize", "8bit"], "quantization: got 8bit, expected none"),
        (["OTHER"], r"model: got storybook \w+, expected storybook \w+"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_replies_of_another_model_or_of_other_options_are_refused(changes, named, paper, tmp_path):
    command, out = paper
    if changes == ["OTHER"]:
        other = shutil.copytree(WEIGHTS / "storybook", tmp_path / "storybook")
        mapper = load_file(other / "mapper.safetensors")
        save_file(
            {name: value * 1.01 for name, value in mapper.items()},
            other / "mapper.safetensors",
            {"format": "pt"},
        )
        command, changes = [command[0], str(other), *command[2:]], []
    kept = (out / "captions/minigpt-5.jsonl").read_bytes()
    with pytest.raises(
        SystemExit, match=f"got results of another MiniGPT-5 .*{named}.*expected an empty folder"
    ):
        main([*command, *changes])
    assert (out / "captions/minigpt-5.jsonl").read_bytes() == kept


def test_replies_that_nobody_knows_the_model_of_are_refused(paper, tmp_path):
    command, out = paper
    shutil.copytree(out, tmp_path / "out")
    (tmp_path / "out/captions/made_by.json").unlink()
    with pytest.raises(SystemExit, match="got results of MiniGPT-5 without a word on what made them"):
        main([*command, "--out", str(tmp_path / "out")])


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """A command that measures two captions, and where it has done so."""
    out = tmp_path_factory.mktemp("paper")
    command = [
        "evaluate",
        str(WEIGHTS / "storybook"),
        "--paper",
        "--count",
        "2",
        "--only",
        "captions",
        "--steps",
        "2",
    ]
    command += ["--out", str(out)]
    main(command)
    return command, out


def test_the_report_of_another_model_is_not_added_to(tmp_path):
    command = [
        "evaluate",
        str(WEIGHTS / "storybook"),
        "--count",
        "1",
        "--only",
        "the VAE",
        "--out",
        str(tmp_path),
    ]
    main(command)
    main(command)
    with pytest.raises(SystemExit, match=r"another report\.json \(quantization: got 4bit, expected none\)"):
        main([*command, "--quantize", "4bit"])


def test_own_history_hands_the_system_what_it_said(tmp_path):
    heard = []

    class Counting:
        def answer(self, task, setting, seed):
            heard.append([m.text for m in task.history.messages if m.role == "assistant"])
            return Message("assistant", Conversation().assistant(f"reply {len(heard)}").messages[0].parts)

    setting = Setting("own", "Own", "told", (MINIGPT5,), steps="own history")
    answer_all(setting, storybook_samples("told", 1, 32), {MINIGPT5: Counting()}, MADE, tmp_path)
    assert heard[:2] == [[], ["reply 1"]]


def test_one_command_leaves_tables_that_name_their_networks(tmp_path, engine, networks, capsys):
    evaluate_paper(engine, WEIGHTS / "storybook", networks, tmp_path, 2, "captions")
    table = (tmp_path / "results.md").read_text()
    assert "| CLIP image-image |" in table
    assert "in place of CLIP" in table
    assert table.splitlines()[2] in capsys.readouterr().out
    figures = json.loads((tmp_path / "results.json").read_text())["settings"]["captions"]["systems"]
    assert figures[MINIGPT5]["drawn"]["count"] == 2
    assert figures["truth"]["CLIP image-image"]["value"] == pytest.approx(1.0, abs=1e-4)
    assert (tmp_path / "captions.png").exists()


def test_the_tables_say_how_far_true_pictures_are_from_each_other(tmp_path, engine, networks):
    options = replace(GenerationOptions(), num_inference_steps=2)
    evaluate_paper(engine, WEIGHTS / "storybook", networks, tmp_path, 6, "captions", options)
    results = json.loads((tmp_path / "results.json").read_text())["settings"]["captions"]
    floor, ceiling = (results["systems"][name] for name in ("truth, drawn anew", "other true scenes"))
    assert 0.1 < floor["instance FID"]["value"] < 0.5 * ceiling["instance FID"]["value"]
    assert {"truth", "truth, drawn anew", "other true scenes"} < {
        name for name, row in results["systems"].items() if "KID, thousandths" in row
    }
    assert floor["attributes as in truth"]["value"] > 0.95 > ceiling["attributes as in truth"]["value"]
    assert list(results["differences"]) == [ZERO_SHOT]
    text = (tmp_path / "results.md").read_text()
    assert "MiniGPT-5 minus the others, over the same stories" in text
