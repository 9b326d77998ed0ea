"""The training losses of the official code, their gradients, and two and four steps of its training, from its own
batches and its own recorded random draws."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest
import torch
from official_files import OFFICIAL_FILES, Expected, assert_equal, difference
from safetensors.torch import load_file

from minigpt5.checkpoint.build import LoadedModel, load_model
from minigpt5.checkpoint.manifest import write_manifest
from minigpt5.checkpoint.store import read_part
from minigpt5.data.collate import collate
from minigpt5.prompt import IGNORED, Encoded
from minigpt5.training.batches import StageBatch
from minigpt5.training.multimodal import StageTask
from minigpt5.training.stages import MLS, UAS, Stage
from minigpt5.training.teachers import load_teacher
from minigpt5.training.trainer import Schedule, fit

CASES = [
    ("stage1", "loss_captions"),
    ("stage1", "loss_captions_drop_first"),
    ("stage1", "loss_vist_mixed"),
    ("stage2", "loss_vist_mixed"),
    ("stage2", "loss_mmdialog"),
    ("prefix", "loss_captions"),
    ("prefix", "loss_vist_mixed"),
]
KITE, LAKE = (
    "a red kite over the morning market",
    "two friends and a small dog looked at the mountain lake it was raining",
)
CAPTIONS = {"loss_captions": [KITE, KITE], "loss_captions_drop_first": [KITE, LAKE]}
PEFT = "model.llama_model.base_model.model"
NAMES = {  # official -> ours, what is trained in either stage
    "t2i_decoder_prompt": "mapper.queries",
    "fc.": "mapper.proj.",
    "llm_to_t2i_mapping": "mapper.transformer",
    f"{PEFT}.model.embed_tokens.modules_to_save.default.weight[new_rows]": "language.llama.model.embed_tokens.rows",
    f"{PEFT}.lm_head.modules_to_save.default.weight[new_rows]": "language.llama.lm_head.rows",
    f"{PEFT}.model.layers": "language.llama.model.layers",
    "model.llama_model.model.embed_tokens.weight[new_rows]": "language.llama.model.embed_tokens.rows",
    "model.llama_model.lm_head.weight[new_rows]": "language.llama.lm_head.rows",
}


def ours(name: str) -> str:
    old = next(old for old in NAMES if name.startswith(old))
    return name.replace(old, NAMES[old])


class Recorded:
    """Official batches in place of a data set's."""

    def __init__(self, batches: list[StageBatch]) -> None:
        self.recorded = batches

    def strided(self, batch_size: int, first: int, stride: int) -> Any:
        return iter(self.recorded[first::stride])


def make_task(stage: Stage, folder: Path, loaded: LoadedModel, batches: list[StageBatch]) -> StageTask:
    teacher = load_teacher(
        folder, loaded.config, loaded.tokenizer, OFFICIAL_FILES / "stable-diffusion-2-1-base"
    )
    source = Recorded(batches)
    task = StageTask(loaded.model.float(), stage, loaded.tokenizer, source, teacher)  # type: ignore[arg-type]
    task.strided_batches = source.strided  # type: ignore[method-assign]
    return task


def load_unmerged(folder: Path, stage: str, copy: Path) -> LoadedModel:
    """The converted model; adapters are as trained, not merged."""
    if stage != "stage2":
        return load_model(folder, device="cpu", dtype="float32")
    copytree(folder, copy, ignore=ignore_patterns("lora*.safetensors"))
    write_manifest(copy)
    loaded = load_model(copy, device="cpu", dtype="float32")
    loaded.model.language.add_lora(replace(loaded.config.lora, dropout=0.0))
    adapters = {
        name.replace(".weight", ".default.weight"): value for name, value in read_part(folder, "lora").items()
    }
    assert not loaded.model.language.load_state_dict(adapters, strict=False).unexpected_keys
    return loaded


def batch_of(
    loaded: LoadedModel, tensors: Any, name: str, draws: str, dropped: list[bool], captions: list[str] | None
) -> StageBatch:
    """The official batch as ours, BOS put in front, with the pictures that its placeholders stand for."""
    placeholder, first = loaded.tokenizer.convert_tokens_to_ids(["<ImageHere>", "[IMG0]"])
    rows = zip(*(tensors[f"{name}{kind}"] for kind in ("input_ids", "labels", "attention_mask")), strict=True)
    inputs = "input_images" if f"{name}input_images_0" in tensors else "images"
    examples, pictures, targets = [], [], []
    for index, (ids, labels, mask) in enumerate(rows):
        seen = int(((ids == placeholder) & (mask == 1)).sum())
        drawn = int((ids == first).sum())
        pictures += list(tensors[f"{name}{inputs}_{index}"][:seen]) if seen else []
        targets += [tensors[f"{name}output_image_{index}"]] * drawn
        kept = mask.bool()
        encoded = [loaded.tokenizer.bos_token_id, *ids[kept].tolist()], [IGNORED, *labels[kept].tolist()]
        examples.append(Encoded(*encoded, (None,) * seen, (None,) * drawn))
    queries = loaded.model.vision.query_tokens.shape[1]
    return StageBatch(
        records=(name,),
        batch=collate(examples, placeholder, first, queries, loaded.tokenizer.eos_token_id),
        pixel_values=torch.stack(pictures) if pictures else None,
        targets=torch.stack(targets),
        captions=tuple(captions) if captions else (None,) * len(targets),
        dropped=torch.tensor(dropped, dtype=torch.bool),
        timesteps=tensors[f"{draws}timesteps"],
        noise=tensors[f"{draws}noise"],
        vae_noise=tensors[f"{draws}vae_noise"],
    )


@pytest.mark.parametrize(("stage", "name"), CASES)
def test_a_batch_has_the_official_losses_and_gradients(
    stage: str, name: str, converted: Path, tmp_path: Path
) -> None:
    expected = Expected(stage)
    case = expected.cases[name]
    loaded = load_unmerged(converted / stage, stage, tmp_path / "model")
    captions = CAPTIONS.get(name)
    batch = batch_of(loaded, expected, f"{name}/in_", f"{name}/", case["dropped"], captions)
    task = make_task(UAS if stage != "stage2" else MLS, converted / stage, loaded, [batch])

    hidden = task._hidden(batch)
    rows, places = expected[f"{name}/label_positions"].unbind(1)
    assert_equal(hidden[rows, places], expected[f"{name}/last_hidden_at_label_positions"])
    assert batch.batch.voken_positions.tolist() == [
        [sample, place + 1] for sample, place in case["special_token_index"]
    ]
    assert_equal(task._prompt_embeds(hidden, batch), expected[f"{name}/mapped"])
    losses = task.losses(batch)
    for part, value in case["losses"].items():
        assert losses[part].item() == pytest.approx(value, rel=1e-4), part
    losses["loss"].backward()
    assert_gradients(task, stage, name)


def assert_gradients(task: StageTask, stage: str, name: str) -> None:
    """Some whole, the others by their norm, where they were recorded."""
    path = OFFICIAL_FILES / stage / "training.json"
    norms = json.loads(path.read_text())["grad_norms"].get(name) if path.exists() else None
    if norms is None:
        return
    gradients = {n: p.grad for n, p in task.model.named_parameters() if p.requires_grad}
    whole = load_file(path.with_suffix(".safetensors"))
    for key, value in whole.items():
        if key.startswith(f"{name}/grad."):
            assert difference(gradients.pop(ours(key.removeprefix(f"{name}/grad."))), value) <= 2e-4
    assert gradients
    named = {ours(n): norm for n, norm in norms.items() if "embed_tokens" not in n and "lm_head" not in n}
    for key, gradient in gradients.items():
        assert float(gradient.norm()) == pytest.approx(named[key], rel=1e-3, abs=1e-6), key


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_four_steps_are_the_official_ones(stage: str, converted: Path, tmp_path: Path) -> None:
    info = json.loads((OFFICIAL_FILES / stage / "training.json").read_text())
    tensors = load_file(OFFICIAL_FILES / stage / "training.safetensors")
    loaded = load_unmerged(converted / stage, stage, tmp_path / "model")
    batches = [
        batch_of(
            loaded,
            tensors,
            f"{batch.removeprefix('train_')}_",
            f"step{number}_",
            info["steps"][number]["dropped"],
            info["captions"][batch] if stage == "stage1" else None,
        )
        for number, batch in enumerate(info["batches"])
    ]
    chosen = UAS if stage == "stage1" else MLS
    task = make_task(chosen, converted / stage, loaded, batches)
    schedule = Schedule(
        steps=4, batch_size=2, lr=1e-3, warmup=2, average=None, clip=None, decay="linear", log_every=1,
        betas=(0.9, 0.999), faster=chosen.faster,
    )  # fmt: skip
    fit(task, schedule, tmp_path / "run", precision="no")
    curve = (tmp_path / "run/curve.csv").read_text().splitlines()
    names = curve[0].split(",")
    for row, step in zip(curve[1:], info["steps"], strict=True):
        values = dict(zip(names, row.split(","), strict=True))
        for part, value in step["losses"].items():
            assert float(values[part]) == pytest.approx(value, rel=1e-4), part
    parameters = dict(task.model.named_parameters())
    for key, value in tensors.items():
        if key.startswith("after."):
            assert difference(parameters[ours(key.removeprefix("after."))], value) <= 1e-4, key
