"""A stage of a model folder trained from the command line, on one process and on several, cut off and resumed."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_folder import curve, words, write_chats, write_model

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint.build import load_model
from minigpt5.checkpoint.store import read_part
from minigpt5.config import ModelConfig
from minigpt5.data.storybook.captions import caption
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import sample_scene
from minigpt5.training.accelerators import verify_sharding
from minigpt5.training.stages import STAGES

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "weights" / "storybook"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model` and `chats.jsonl`, and the curve of 20 uninterrupted steps in `runs/whole`."""
    place: Path = tmp_path_factory.mktemp("finetune")
    write_model(place / "model")
    write_chats(place)
    main(words(place, place / "whole"))
    return place


def start(*arguments: str, path: Path = ROOT) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, env=environment)


def rows_of(run: Path) -> int:
    path = run / "curve.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


@pytest.fixture
def process() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for one in started:
        one.kill()
        one.wait()


def test_a_killed_run_goes_on_with_the_curve_of_an_uninterrupted_one(folder, process):
    at = random.Random().randrange(4, 16)
    process.append(start("minigpt5", *words(folder, folder / "killed", "--save-every", "3")))
    while rows_of(folder / "runs/killed") < at:
        assert process[0].poll() is None
        time.sleep(0.002)
    process[0].send_signal(signal.SIGKILL)
    process[0].wait()
    assert not (folder / "killed").exists()
    main(words(folder, folder / "killed", "--save-every", "3"))
    assert curve(folder / "runs/killed") == curve(folder / "runs/whole"), f"killed at step {at}"
    for part in ("mapper", "language"):
        ours, whole = (read_part(folder / name, part) for name in ("killed", "whole"))
        assert all(torch.equal(ours[key], whole[key]) for key in whole)


def test_two_processes_make_the_same_training_as_one(folder, process):
    launch = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
    settings = (
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        "0",
        "-m",
        "minigpt5",
    )
    process.append(start(*launch, *settings, *words(folder, folder / "two", "--batch-size", "2")))
    assert process[0].wait(120) == 0
    one, two = curve(folder / "runs/whole"), curve(folder / "runs/two")
    assert len(one) == len(two) == 20
    assert max(abs(one[step] - two[step]) for step in one) <= 1e-3
    assert minigpt5.load(folder / "two", device="cpu").name == "tiny"


def test_accumulated_batches_make_the_same_step_as_one_large_batch(folder):
    main(words(folder, folder / "parts", "--batch-size", "1", "--accumulate", "4"))
    one, parts = curve(folder / "runs/whole"), curve(folder / "runs/parts")
    assert max(abs(one[step] - parts[step]) for step in one) <= 1e-3


def test_only_what_is_trained_is_saved_and_the_base_stays(folder):
    (checkpoint,) = (folder / "runs/whole").glob("step-*")
    names = load_file(checkpoint / "trainable.safetensors").keys()
    assert all(name.startswith("mapper.") or name.endswith(".rows") for name in names)
    before, after = (read_part(folder / name, "language") for name in ("model", "whole"))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved == {"llama.model.embed_tokens.weight", "llama.lm_head.weight"}
    changed = (before["llama.lm_head.weight"] != after["llama.lm_head.weight"]).any(1).nonzero().flatten()
    assert changed.tolist() == list(range(400, 409))


def test_throughput_is_reported(folder, capsys):
    main(words(folder, folder / "fast", steps=2))
    figures = json.loads((folder / "runs/fast/throughput.json").read_text())
    assert figures["steps"] == 2 and figures["images_per_second"] > 0 and figures["tokens_per_second"] > 0
    assert 0 <= figures["waiting_for_data"] < 1
    captured = capsys.readouterr()
    assert "of the time waiting for data" in captured.out + captured.err
    assert "chats.jsonl: 8 samples, 0 records skipped" in captured.out


@pytest.mark.parametrize("stage", [name for name in STAGES if not STAGES[name].caption_weight])
def test_every_stage_makes_a_folder_that_loads(stage, folder):
    out = folder / f"stage-{stage}"
    main(words(folder, out, stage=stage, steps=2))
    config = ModelConfig.load(out)
    assert config.prefix_length == STAGES[stage].prefix_length
    assert (out / "lora.safetensors").exists() == STAGES[stage].lora
    assert minigpt5.load(out, device="cpu").name == "tiny"


def hidden_of(path: Path, ids: list[int]) -> torch.Tensor:
    language = load_model(path, device="cpu", dtype="float32").model.language
    with torch.no_grad():
        return language(language.embed(torch.tensor([ids])))[0]


def test_adapters_of_two_trainings_add_up(folder):
    first, second = folder / "lora-once", folder / "lora-twice"
    main(words(folder, first, "--lr", "1e-2", stage="mls", steps=3))
    again = words(folder, second, "--lr", "1e-2", "--rank", "4", stage="mls", steps=3)
    again[again.index("--model") + 1] = str(first)
    main(again)
    assert ModelConfig.load(second).lora.rank == 8 + 4
    weights = load_file(next((folder / "runs/lora-twice").glob("step-*")) / "trainable.safetensors")
    loaded = load_model(first, device="cpu", dtype="float32").model.language
    name = "llama.model.layers.0.self_attn.q_proj"
    down, up = (weights[f"language.{name}.lora_{side}.default.weight"] for side in "AB")
    expected = loaded.state_dict()[f"{name}.weight"] + 8 / 4 * up @ down
    merged = load_model(second, device="cpu", dtype="float32").model.language.state_dict()[f"{name}.weight"]
    torch.testing.assert_close(merged, expected)


def test_a_prefix_changes_what_the_model_says(folder):
    out = folder / "prefix"
    main(words(folder, out, stage="mls-prefix", steps=2))
    assert not torch.allclose(hidden_of(out, [1, 5, 9]), hidden_of(folder / "model", [1, 5, 9]), atol=1e-4)


def test_a_quantized_base_is_trained_and_exported_unquantized(folder):
    out = folder / "qlora"
    main(words(folder, out, "--quantize", "4bit", stage="mls", steps=2))
    base, ours = (read_part(folder / name, "language") for name in ("model", "qlora"))
    key = "llama.model.layers.0.mlp.up_proj.weight"
    assert torch.equal(base[key], ours[key])
    adapters = read_part(out, "lora")
    assert all(bool(value.abs().sum()) for name, value in adapters.items() if "layers.0" in name)


def test_checkpointing_changes_nothing_but_memory(folder):
    main(words(folder, folder / "slim", "--checkpointing", steps=3))
    whole, slim = curve(folder / "runs/whole"), curve(folder / "runs/slim")
    assert slim[0] == pytest.approx(whole[0], abs=1e-4)


def test_pictures_are_drawn_from_fixed_prompts_and_compared_with_them(folder):
    prompts = folder / "prompts.txt"
    prompts.write_text("a rabbit\na bear\n")
    more = ["--prompts", str(prompts), "--clip", "storybook", "--validate-every", "1"]
    main(words(folder, folder / "drawn", *more, steps=2))
    samples = folder / "runs/drawn/samples"
    assert sorted(path.name for path in samples.glob("*.png")) == ["step-000001.png", "step-000002.png"]
    scores = [json.loads(line) for line in (samples / "scores.jsonl").read_text().splitlines()]
    assert [score["step"] for score in scores] == [1, 2]
    assert all(-1 <= score["CLIP text-image"] <= 1 for score in scores)


def test_adapters_are_put_where_they_are_asked_for(folder):
    out = folder / "targets"
    more = ["--targets", "k_proj", "down_proj", "--rank", "2", "--alpha", "3", "--dropout", "0"]
    main(words(folder, out, *more, stage="mls", steps=2))
    lora = ModelConfig.load(out).lora
    assert (lora.rank, lora.alpha, lora.dropout) == (2, 3, 0.0)
    assert {name.split(".")[-3] for name in read_part(out, "lora")} == {"k_proj", "down_proj"}
    again = words(folder, folder / "targets-again", stage="mls", steps=2)
    again[again.index("--model") + 1] = str(out)
    with pytest.raises(
        SystemExit, match="got adapters of k_proj, down_proj, expected the same layers as q_proj"
    ):
        main(again)


WANDB = """
import json, os
def init(**how):
    write("init", how)
    return Run()
def write(kind, values):
    with open(os.environ["WANDB_CALLS"], "a") as file:
        file.write(json.dumps([kind, values]) + "\\n")
class Run:
    def log(self, values, step=None):
        write("log", {"step": step, **values})
    def finish(self):
        write("finish", {})
class config:
    def update(values, allow_val_change):
        write("config", values)
"""


def test_logs_for_wandb_are_sent_under_the_name_of_the_run(folder, tmp_path, process, monkeypatch):
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb/__init__.py").write_text(WANDB)
    (tmp_path / "wandb-1.dist-info").mkdir()
    (tmp_path / "wandb-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: wandb\nVersion: 1\n")
    monkeypatch.setenv("WANDB_CALLS", str(tmp_path / "calls"))
    process.append(
        start("minigpt5", *words(folder, folder / "sent", "--wandb", "mine", steps=2), path=tmp_path)
    )
    assert process[0].wait() == 0
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls[0][0] == "init" and calls[0][1]["project"] == "mine" and calls[0][1]["name"] == "sent"
    assert dict(calls)["config"]["steps"] == "2"
    assert [values["step"] for kind, values in calls if kind == "log"] == [0, 1]
    assert calls[-1][0] == "finish"


def test_a_tracker_that_is_not_there_is_refused(folder, monkeypatch):
    monkeypatch.setattr("minigpt5.training.accelerators.get_available_trackers", list)
    with pytest.raises(SystemExit, match="wandb: got no such package, expected it for its logs"):
        main(words(folder, folder / "unsent", "--wandb"))


def test_fsdp1_is_refused_and_fsdp2_is_not(folder, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "1")
    with pytest.raises(SystemExit, match="fsdp: got version 1, expected 2"):
        main(words(folder, folder / "sharded"))
    monkeypatch.setenv("FSDP_VERSION", "2")
    verify_sharding()


def test_logs_for_tensorboard_are_written(folder):
    main(words(folder, folder / "board", "--tensorboard", steps=2))
    assert list((folder / "runs/board").rglob("events.out.tfevents.*"))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--lr", "1e-4"], "lr: got 0.0001, expected 0.001"),
        (["--steps", "30"], "steps: got 30, expected 20"),
        (["--stage", "mls"], "stage: got mls, expected uas-no-caption-loss"),
        (["--batch-size", "8"], "samples a step: got 8, expected 4"),
        (["--seed", "1"], "seed: got 1, expected 42"),
        (["--vokens", "4"], "vokens: got 4, expected 8"),
        (["--weight-decay", "0.1"], "weight_decay: got 0.1, expected 0.01"),
        (["--alpha", "8"], "LoRA alpha: got 8, expected 16"),
        (["--dropout", "0"], "LoRA dropout: got 0.0, expected 0.05"),
        (["--targets", "q_proj"], "LoRA target_modules: got ['q_proj'], expected ['q_proj', 'v_proj']"),
        (["--text-weight", "1"], "stage: text_weight: got 1.0, expected 0.01"),
        (["--train-unet"], "UNet learning rate: got 0.0001, expected None"),
        (["--connector", "encoder"], "vokens: got 64, expected 8"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_run_of_another_training_is_refused_and_told_what_differs(more, named, folder, tmp_path):
    before = (folder / "whole/mapper.safetensors").read_bytes()
    with pytest.raises(SystemExit, match="differs from what is there") as error:
        main(words(folder, folder / "whole", *more))
    assert named in str(error.value) and "another folder for this one" in str(error.value)
    assert (folder / "whole/mapper.safetensors").read_bytes() == before


def test_other_data_or_another_model_of_the_same_name_are_refused(folder, tmp_path):
    write_chats(tmp_path)
    lines = (tmp_path / "chats.jsonl").read_text().splitlines()
    (tmp_path / "chats.jsonl").write_text("\n".join(lines[1:]) + "\n")
    command = words(folder, folder / "whole")
    command[command.index("--data") + 1] = f"jsonl:{tmp_path / 'chats.jsonl'}"
    with pytest.raises(SystemExit, match=r"data: got \['jsonl:chats.jsonl \w+'\], expected \["):
        main(command)
    shutil.copytree(folder / "whole", tmp_path / "model")
    command = words(folder, folder / "whole")
    command[command.index("--model") + 1] = str(tmp_path / "model")
    with pytest.raises(SystemExit, match=r"model: got model \w+, expected model \w+"):
        main(command)


def test_the_same_training_watched_in_another_way_goes_on(folder, capsys):
    main(words(folder, folder / "again", steps=4))
    shutil.rmtree(folder / "again")
    more = ["--save-every", "2", "--log-every", "2", "--batch-size", "2", "--accumulate", "2"]
    main(words(folder, folder / "again", *more, steps=4))
    assert minigpt5.load(folder / "again", device="cpu").name == "tiny"


def test_a_run_that_does_not_say_what_was_trained_is_refused(folder):
    main(words(folder, folder / "unknown", steps=2))
    (folder / "runs/unknown/recipe.json").unlink()
    with pytest.raises(SystemExit, match=r"checkpoints without a readable recipe\.json"):
        main(words(folder, folder / "unknown", steps=2))


def text_losses(run: Path) -> list[float]:
    with (run / "curve.csv").open() as file:
        return [float(row["text_loss"]) for row in csv.DictReader(file)]


def test_forty_steps_warm_up_for_four_and_learn_to_say_the_words(folder):
    command = words(folder, folder / "short", "--lr", "1e-2", stage="mls", steps=40)
    at = command.index("--warmup")
    main([*command[:at], *command[at + 2 :]])
    with (folder / "runs/short/curve.csv").open() as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates.index(max(rates)) == 4 and max(rates) == 1e-2
    losses = text_losses(folder / "runs/short")
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_warm_up_that_is_named_counts(folder):
    main(words(folder, folder / "slow", "--warmup", "3", steps=4))
    assert json.loads((folder / "runs/slow/recipe.json").read_text())["warmup"] == 3
    with pytest.raises(SystemExit, match="warmup: got 9, expected 0 to 4, all steps of the training"):
        main(words(folder, folder / "slower", "--warmup", "9", steps=4))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--data", "video:x"], "data: got 'video:x', expected KIND:PATH"),
        (["--batch-size", "0"], "batch_size: got 0, expected 1 or more"),
        (["--stage", "uas"], "got no text encoder with its words, expected one for the caption loss"),
        (["--stage", "mls-prefix", "--checkpointing"], "it forgets the prefix"),
        (["--diffusion", "none", "--stage", "uas"], "none/text_encoder: got no such folder"),
        (["--clip", "nowhere"], "clip: got 'nowhere', expected a folder or `storybook`"),
        (["--dropout", "1"], "dropout: got 1.0, expected 0 or more and less than 1"),
        (["--weight-decay", "-1"], r"weight_decay: got -1\.0, expected 0 or more"),
        (["--patience", "2"], "patience: got no --valid, expected data to measure the loss on"),
        (["--export", "best"], "export: got no --valid, expected data to measure the loss on"),
        (["--text-weight", "0", "--image-weight", "0"], "got a weight of 0 for every loss"),
        (["--connector-layers", "2"], "connector_layers: got no --connector encoder"),
        (["--train-unet", "--image-weight", "0"], "train-unet: got a stage without an image loss"),
        (["--seeds", "1", "1"], "seeds: got 1 1, expected each once"),
        (["--prompts", "none.txt"], r"none\.txt: got .*expected a prompt on every line"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_recipe_that_cannot_be_is_refused(more, message, folder, tmp_path):
    write_chats(tmp_path)
    line = (tmp_path / "chats.jsonl").read_text().splitlines()[1]
    (tmp_path / "chats.jsonl").write_text(json.dumps({**json.loads(line), "caption": "a rabbit"}))
    command = words(folder, tmp_path / "out", *more)
    command[command.index("--data") + 1] = f"jsonl:{tmp_path / 'chats.jsonl'}"
    with pytest.raises(SystemExit, match=message):
        main(command)
    assert not (tmp_path / "out").exists()


def test_the_shipped_weights_learn_from_eight_records(tmp_path):
    rng = random.Random(1)
    lines = []
    for number in range(8):
        scene = sample_scene(rng)
        render(scene, 128, number).save(tmp_path / f"{number}.png")
        asked = {"role": "user", "content": f"Draw this: {caption(scene)}"}
        reply = {"role": "assistant", "content": ["Here it is.", {"image": f"{number}.png"}]}
        lines.append(json.dumps({"messages": [asked, reply], "caption": caption(scene)}))
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    command = [
        "train",
        "--model",
        str(SHIPPED),
        "--stage",
        "uas",
        "--data",
        f"jsonl:{tmp_path / 'mine.jsonl'}",
    ]
    numbers = ["--steps", "3", "--lr", "1e-5", "--workers", "0", "--log-every", "1"]
    main([*command, *numbers, "--out", str(tmp_path / "mine"), "--runs", str(tmp_path / "runs")])
    engine = minigpt5.load(tmp_path / "mine")
    options = minigpt5.GenerationOptions(seed=1, num_inference_steps=4, pictures="always")
    assert len(engine.reply(minigpt5.Conversation().user("Draw a blue rabbit."), options).message.images) == 1
    header = (tmp_path / "runs/mine/curve.csv").read_text().splitlines()[0]
    assert header == "step,seconds,loss,text_loss,image_loss,caption_loss,learning_rate,gradient_norm"
