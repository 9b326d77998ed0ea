"""Official files become a model folder, whole or not at all; what is wrong with them is said in one sentence."""

import argparse
import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from official_files import OFFICIAL_FILES, Expected, options_of, sources
from safetensors.torch import load_file, save_file

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint import writing
from minigpt5.checkpoint.convert import Sources, convert
from minigpt5.errors import CheckpointError

VICUNA, DIFFUSION = "vicuna-7b", "stable-diffusion-2-1-base"
STAGE1, STAGE2 = "stage1/checkpoint.ckpt", "stage2/checkpoint.ckpt"
UNET = f"{DIFFUSION}/unet"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The official files as links, so that a test may put another file in the place of one."""
    root = tmp_path / "official"
    shutil.copytree(OFFICIAL_FILES, root, copy_function=os.symlink)
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return tmp_path / "made/model"


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    replace(path, content[: len(content) // 2])


def edit_json(path: Path, **values: Any) -> None:
    replace(path, json.dumps({**json.loads(path.read_text()), **values}).encode())


def edit_weights(path: Path, change: Callable[[dict], None]) -> None:
    values = torch.load(path, weights_only=True)
    change(values.get("state_dict", values.get("model", values)))
    path.unlink()
    torch.save(values, path)


def set_nan(weights: dict) -> None:
    weights["fc.0.bias"][3] = torch.nan


def make_pickle_with_code(root: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple:
            return (os.mkdir, (str(root / "it-ran"),))

    (root / STAGE1).unlink()
    torch.save({"state_dict": {"fc.0.weight": Code()}}, root / STAGE1)


def widen(weights: dict) -> None:
    weights["fc.2.bias"] = torch.zeros(33)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a truncated shard": (
        lambda r: truncate(r / VICUNA / "pytorch_model.bin"),
        r"pytorch_model\.bin: got a damaged",
    ),
    "truncated safetensors": (
        lambda r: truncate(r / UNET / "diffusion_pytorch_model.safetensors"),
        r"diffusion_pytorch_model\.safetensors: got a damaged file",
    ),
    "a truncated checkpoint": (
        lambda r: truncate(r / STAGE1),
        r"stage1/checkpoint\.ckpt: got a damaged file",
    ),
    "an empty file": (lambda r: replace(r / "eva_vit_g.pth", b""), r"eva_vit_g\.pth: got a damaged file"),
    "a web page in place of weights": (
        lambda r: replace(r / "eva_vit_g.pth", b"<!doctype html><title>404</title>"),
        r"eva_vit_g\.pth: got a damaged file",
    ),
    "an LLM of another width": (
        lambda r: edit_json(r / VICUNA / "config.json", hidden_size=128),
        r"vicuna-7b: got an LLM 128 wide, expected 64",
    ),
    "an LLM with another tokenizer": (
        lambda r: (r / VICUNA / "added_tokens.json").write_text('{"[PAD]": 1000}'),
        r"vicuna-7b: got a tokenizer of 1010 tokens .* expected 1009",
    ),
    "an LLM with more layers": (
        lambda r: edit_json(r / VICUNA / "config.json", num_hidden_layers=4),
        r"vicuna-7b: got no model\.layers\.3\.",
    ),
    "an LLM of another kind": (
        lambda r: edit_json(r / VICUNA / "config.json", model_type="gpt_neox"),
        r"config\.json: got settings of 'gpt_neox', expected those of a 'llama'",
    ),
    "settings that are no JSON": (
        lambda r: replace(r / VICUNA / "config.json", b"{"),
        r"config\.json: got text that is not JSON",
    ),
    "settings at odds with themselves": (
        lambda r: edit_json(r / VICUNA / "config.json", num_attention_heads=5),
        r"got settings that make no model \(.*hidden size \(64\) is not a multiple .*\), expected",
    ),
    "settings that lack a size": (
        lambda r: edit_json(r / DIFFUSION / "vae/config.json", block_out_channels=None),
        r"vae/config\.json: got no block_out_channels, expected the settings of this part",
    ),
    "a damaged tokenizer of the fast kind": (
        lambda r: (
            (r / VICUNA / "tokenizer.model").unlink(),
            (r / VICUNA / "tokenizer.json").write_text("{"),
        ),
        r"tokenizer\.json: got a damaged file .*, expected a tokenizer",
    ),
    "no tokenizer": (
        lambda r: (r / VICUNA / "tokenizer.model").unlink(),
        r"tokenizer\.model: got no such file",
    ),
    "a damaged tokenizer": (
        lambda r: truncate(r / VICUNA / "tokenizer.model"),
        r"tokenizer\.model: got a damaged file",
    ),
    "a missing shard": (
        lambda r: (r / VICUNA / "pytorch_model.bin").rename(r / VICUNA / "pytorch_model-00001-of-00002.bin"),
        r"vicuna-7b: got the shards .* expected one whole run of 2",
    ),
    "a missing file": (
        lambda r: (r / "prerained_minigpt4_7b.pth").unlink(),
        r"minigpt4_7b\.pth: got no such file",
    ),
    "a missing folder": (lambda r: shutil.rmtree(r / UNET), r"unet/config\.json: got no such file"),
    "a stage 2 file as stage 1": (
        lambda r: ((r / STAGE1).unlink(), (r / STAGE1).symlink_to(OFFICIAL_FILES / STAGE2)),
        r"stage1/checkpoint\.ckpt: got a checkpoint of stage 2 .*, expected one of stage 1",
    ),
    "a stage 1 file as stage 2": (
        lambda r: ((r / STAGE2).unlink(), (r / STAGE2).symlink_to(OFFICIAL_FILES / STAGE1)),
        r"stage2/checkpoint\.ckpt: got a checkpoint of stage 1 .*, expected one of stage 2",
    ),
    "a missing key": (
        lambda r: edit_weights(r / "eva_vit_g.pth", lambda w: w.pop("blocks.1.mlp.fc2.bias")),
        r"eva_vit_g\.pth: got no blocks\.1\.mlp\.fc2\.bias",
    ),
    "a missing key that sizes are read from": (
        lambda r: edit_weights(r / "blip2_pretrained_flant5xxl.pth", lambda w: w.pop("query_tokens")),
        r"blip2_pretrained_flant5xxl\.pth: got no query_tokens",
    ),
    "an unknown key": (
        lambda r: edit_weights(
            r / "blip2_pretrained_flant5xxl.pth", lambda w: w.update(extra=torch.zeros(1))
        ),
        r"blip2_pretrained_flant5xxl\.pth: got 1 unknown keys \(extra\)",
    ),
    "a key of another shape": (
        lambda r: edit_weights(r / STAGE1, widen),
        r"stage1/checkpoint\.ckpt: got fc\.2\.bias of shape \(33,\), expected \(32,\)",
    ),
    "NaN weights": (
        lambda r: edit_weights(r / STAGE1, set_nan),
        r"got fc\.0\.bias with NaN or infinite numbers",
    ),
    "a pickle with code": (make_pickle_with_code, r"got a pickle that holds more .* nothing of it was run"),
    "a Stable Diffusion of another width": (
        lambda r: edit_json(r / UNET / "config.json", cross_attention_dim=48),
        r"unet/config\.json: got conditioning 48 wide, expected 32",
    ),
    "a Stable Diffusion that predicts velocities": (
        lambda r: edit_json(
            r / DIFFUSION / "scheduler/scheduler_config.json", prediction_type="v_prediction"
        ),
        r"scheduler_config\.json: got a model that predicts 'v_prediction', expected 'epsilon'",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_input_is_refused_in_one_sentence_and_leaves_nothing(
    kind: str, files: Path, out: Path
) -> None:
    breaking, message = BROKEN[kind]
    breaking(files)
    with pytest.raises(CheckpointError, match=message) as error:
        convert(sources("stage2", files), out)
    assert "\n" not in str(error.value)
    assert " got " in str(error.value) and "expected" in str(error.value)
    assert list(out.parent.iterdir()) == []
    assert not (files / "it-ran").exists()


def test_a_full_disk_is_told_before_and_while_writing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writing.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
        with pytest.raises(
            CheckpointError, match=r"got 0\.00 GB of free disk space, expected at least 0\.00 GB"
        ):
            convert(sources("stage1"), out)

    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "write_tensors", fail)
    with pytest.raises(CheckpointError, match=r"model: got .*No space left on device.*, expected"):
        convert(sources("stage1"), out)
    assert list(out.parent.iterdir()) == []


def test_a_place_that_is_taken_or_closed_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    with pytest.raises(CheckpointError, match="already there, expected the name of a new folder"):
        convert(sources("stage1"), out)
    assert (out / "thesis.txt").read_text() == "all of it"

    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CheckpointError, match="got Permission denied, expected a place to write to"):
        convert(sources("stage1"), out.parent / "closed/model")


def test_a_file_that_may_not_be_read_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match=r"got Permission denied, expected a readable file"):
        convert(sources("stage1"), out)
    assert list(out.parent.iterdir()) == []


def test_an_interrupted_conversion_goes_on_where_it_stopped(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lines = writing._write_part, list[str]()

    def stop_at_vae(folder: Path, part: str, *rest: Any) -> None:
        if part == "vae":
            (folder / "vae.safetensors").write_bytes(b"half of it")
            raise KeyboardInterrupt
        write(folder, part, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_write_part", stop_at_vae)
        with pytest.raises(KeyboardInterrupt):
            convert(sources("stage1"), out)
    assert not out.exists()
    convert(sources("stage1"), out, report=lines.append)
    assert lines[:4] == [
        "vision: already written",
        "language: already written",
        "unet: already written",
        "vae: writing",
    ]
    assert [path.name for path in out.parent.iterdir()] == ["model"]
    assert not (out / writing.PROGRESS_NAME).exists()
    assert minigpt5.load(out, device="cpu", dtype="float32").name == "model"


def test_what_other_files_left_behind_is_not_taken_up(
    files: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing.ModelConfig, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            convert(sources("stage1", files), out)
    edit_weights(files / STAGE1, lambda weights: weights["fc.0.bias"].zero_())
    lines: list[str] = []
    convert(sources("stage1", files), out, report=lines.append)
    assert not any("already" in line for line in lines)
    assert not load_file(out / "mapper.safetensors")["proj.0.bias"].any()


def test_large_parts_are_cut_and_every_number_is_stored_in_the_wanted_precision(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "SHARD_BYTES", 2**19)
    convert(sources("stage1"), out, dtype=torch.float16)
    assert len(list(out.glob("unet-*-of-*.safetensors"))) > 1
    for path in out.glob("*.safetensors"):
        assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}, path.name
    assert minigpt5.load(out, device="cpu", dtype="float32").config.num_query_tokens == 32


def test_the_command_line_converts_and_says_what_is_wrong(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [word for name, path in as_flags(sources("stage2")).items() for word in (f"--{name}", str(path))]
    main(["convert", *flags, "--out", str(out)])
    assert capsys.readouterr().out.endswith(f"lora: writing\ndone: {out}\n")
    with pytest.raises(SystemExit, match=r"error: .*already there"):
        main(["convert", *flags, "--out", str(out)])


def as_flags(given: Sources) -> dict[str, Path]:
    paths = {name: getattr(given, name) for name in Sources.__slots__}
    return {name: path for name, path in paths.items() if path}


def test_a_runs_flags_and_half_precision_files_are_read(files: Path, out: Path) -> None:
    values = torch.load(files / STAGE1, weights_only=True)
    (files / STAGE1).unlink()
    torch.save({**values, "hyper_parameters": argparse.Namespace(learning_rate=2e-5)}, files / STAGE1)
    unet = files / UNET / "diffusion_pytorch_model.safetensors"
    halves = {key: tensor.half() for key, tensor in load_file(unet).items()}
    unet.unlink()
    save_file(halves, files / UNET / "diffusion_pytorch_model.fp16.safetensors")
    convert(sources("stage1", files), out)
    assert load_file(out / "unet.safetensors")["conv_in.weight"].dtype == torch.float16
    assert load_file(out / "mapper.safetensors")["queries"].dtype == torch.float32


def make_other_set(root: Path) -> None:
    """What users' files may have besides: an added `[PAD]`, shards, other ids for the end, fewer queries."""
    (root / VICUNA / "added_tokens.json").write_text('{"[PAD]": 1000}')
    edit_json(root / VICUNA / "config.json", bos_token_id=0, eos_token_id=1, pad_token_id=-1)
    (root / VICUNA / "generation_config.json").unlink()
    weights = torch.load(root / VICUNA / "pytorch_model.bin", weights_only=True)
    (root / VICUNA / "pytorch_model.bin").unlink()
    for number, keys in enumerate((list(weights)[:9], list(weights)[9:]), start=1):
        path = root / VICUNA / f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({key: weights[key] for key in keys}, path)
    edit_weights(root / STAGE1, _add_row)
    edit_weights(
        root / "blip2_pretrained_flant5xxl.pth",
        lambda w: w.update(query_tokens=w["query_tokens"][:, :8].clone()),
    )


def _add_row(weights: dict) -> None:
    for key in ("model.llama_model.model.embed_tokens.weight", "model.llama_model.lm_head.weight"):
        rows = weights[key]
        weights[key] = torch.cat([rows[:1000], torch.zeros(1, rows.shape[1]), rows[1000:]])


def test_sizes_and_ids_are_taken_from_the_files(files: Path, out: Path) -> None:
    make_other_set(files)
    config = convert(sources("stage1", files), out, dtype=torch.float32)
    assert (config.language["vocab_size"], config.num_query_tokens) == (1010, 8)
    assert (config.language["bos_token_id"], config.language["eos_token_id"]) == (0, 1)
    engine = minigpt5.load(out, device="cpu", dtype="float32")
    assert engine.tokenizer.convert_tokens_to_ids(["[PAD]", "[IMG0]", "<ImageHere>"]) == [1000, 1001, 1009]
    case = Expected("stage1").cases["gen_natural_img0"]
    ids = engine.generate_ids(case["prompt"], options=options_of(case)).ids
    assert ids == [index + (index >= 1000) for index in case["sequence"][1:]]
    with torch.inference_mode():
        assert engine.model.vision(torch.zeros(2, 3, 56, 56)).shape == (2, 8, 64)
