"""A tiny model folder and a tiny data set of chats, for trainings that take seconds."""

import csv
import json
from pathlib import Path

import torch
from PIL import Image
from tiny_model import make_config, make_tokenizer

from minigpt5.checkpoint.build import build, save_model


def write_model(folder: Path) -> Path:
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = make_config(len(tokenizer))
    save_model(folder, build(config), config, tokenizer)
    return folder


def write_chats(folder: Path, count: int = 8) -> Path:
    """Chats of different lengths: some show a picture, most are to draw one."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        Image.effect_noise((40, 30), 40 + 10 * number).convert("RGB").save(folder / f"{number}.png")
        seen = ["see this", {"image": f"{(number + 1) % count}.png"}]
        content = seen if number % 3 == 0 else "draw a rabbit " * (number % 3 + 1)
        drawn = ["Here " * (number % 4 + 1), {"image": f"{number}.png"}]
        reply = drawn if number % 4 else "nothing to see"
        messages = [{"role": "user", "content": content}, {"role": "assistant", "content": reply}]
        lines.append(json.dumps({"messages": messages}))
    (folder / "chats.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "chats.jsonl"


def words(
    folder: Path, out: Path, *more: str, stage: str = "uas-no-caption-loss", steps: int = 20
) -> list[str]:
    """The command line of a training on the model and chats in `folder`; `out` is also the name of its run."""
    return [
        "train", "--model", str(folder / "model"), "--data", f"jsonl:{folder / 'chats.jsonl'}",
        "--stage", stage, "--out", str(out), "--runs", str(out.parent / "runs"), "--steps", str(steps),
        "--batch-size", "4", "--lr", "1e-3", "--warmup", "2", "--log-every", "1", "--workers", "0",
        "--precision", "no", *more,
    ]  # fmt: skip


def curve(run: Path) -> dict[int, float]:
    with (run / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len({row["step"] for row in rows}) == len(rows)
    return {int(row["step"]): float(row["loss"]) for row in rows}
