"""A painter distilled from the command line, on a data set: the folder that comes out draws fast."""

from pathlib import Path

import pytest
import torch
from tiny_folder import curve, words, write_chats, write_model

import minigpt5
from minigpt5 import Conversation, GenerationOptions
from minigpt5.__main__ import main
from minigpt5.checkpoint.build import parts_of
from minigpt5.checkpoint.store import read_part
from minigpt5.config import FastConfig, ModelConfig

CHAT = Conversation().user("Draw a rabbit.")
FAST = GenerationOptions(scheduler="fast", seed=1, max_new_tokens=4, pictures="always")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("distil")
    write_model(place / "model")
    write_chats(place)
    return place


def distil(folder: Path, name: str, *more: str, steps: int = 2) -> Path:
    out = folder / name
    main(words(folder, out, "--times", "8", "--lr", "1e-2", *more, stage="distil", steps=steps))
    return out


@pytest.mark.parametrize(
    ("more", "fast"),
    [
        ((), FastConfig("euler-trailing", 4)),
        (("--phases", "1"), FastConfig("lcm", 4)),
        (("--phases", "2", "--hops", "4", "--unet-rank", "2"), FastConfig("euler-trailing", 2)),
    ],
)
def test_the_student_and_nothing_else_is_new_in_the_folder(
    folder: Path, more: tuple[str, ...], fast: FastConfig
) -> None:
    out = distil(folder, "-".join(["student", *more]), *more)
    assert ModelConfig.load(out).fast == fast
    engine = minigpt5.load(out, device="cpu", dtype="float32")
    for part in parts_of(engine.model):
        trained = read_part(out, part)
        before = read_part(folder / "model", "unet" if part == "unet_fast" else part)
        same = {name: torch.equal(weight, before[name].to(weight)) for name, weight in trained.items()}
        assert trained.keys() == before.keys()
        assert all(same.values()) == (part != "unet_fast"), part
    reply = engine.reply(CHAT, FAST)
    assert reply.images[0].size == (32, 32)


def test_a_distilled_folder_is_distilled_again_from_its_teacher(folder: Path) -> None:
    first = distil(folder, "first")
    main(
        words(
            folder,
            folder / "second",
            "--model",
            str(first),
            "--phases",
            "1",
            "--times",
            "8",
            stage="distil",
            steps=2,
        )
    )
    assert ModelConfig.load(folder / "second").fast == FastConfig("lcm", 4)
    assert minigpt5.load(folder / "second", device="cpu").reply(CHAT, FAST).images


def test_a_run_of_another_teacher_is_not_gone_on_with(folder: Path) -> None:
    distil(folder, "guided")
    with pytest.raises(SystemExit) as error:
        distil(folder, "guided", "--teacher-guidance", "2")
    assert "distil guidance_scale: got 2.0, expected 7.5" in str(error.value)


def test_the_best_student_is_kept_and_a_teacher_that_learns_on_has_none(folder: Path) -> None:
    write_chats(folder / "held", count=5)
    held = ["--valid", f"jsonl:{folder / 'held/chats.jsonl'}", "--validate-every", "1"]
    out = distil(folder, "best", *held)
    assert minigpt5.load(out, device="cpu").reply(CHAT, FAST).images
    assert (folder / "runs/best/valid.csv").read_text().startswith("step,seconds,loss,image_loss")
    command = words(folder, folder / "taught", "--model", str(out), "--train-unet", steps=2)
    main(command)
    assert ModelConfig.load(folder / "taught").fast is None
    assert not list((folder / "taught").glob("unet_fast*"))
    with pytest.raises(SystemExit, match="train-unet: got the stage distil"):
        distil(folder, "both", "--train-unet")


def test_the_kept_features_of_the_pictures_are_used(folder: Path) -> None:
    plain = distil(folder, "plain")
    cached = distil(folder, "cached", "--cache", str(folder / "features"))
    assert curve(folder / "runs" / plain.name) == pytest.approx(
        curve(folder / "runs" / cached.name), rel=1e-3
    )
