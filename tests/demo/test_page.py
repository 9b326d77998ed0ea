"""The page's parts: settings, examples, header, theme, the command line and the public endpoint."""

import gc
import json
import warnings
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image
from running_app import SCRIPTED, running

import app
from demo.chat.examples import FOLDER, load_examples
from demo.chat.settings import CONTROLS, default_values, read_settings
from demo.chat.views.header import header_html, placeholder_html
from demo.web.theme import STATIC
from minigpt5 import GenerationOptions


def test_every_option_has_a_control_and_the_defaults_are_the_engines() -> None:
    assert set(CONTROLS) == {field.name for field in fields(GenerationOptions)}
    assert read_settings(*default_values()) == GenerationOptions()


@pytest.mark.parametrize("typed", ["", "-1", None, " -1 "])
def test_an_empty_seed_or_minus_one_is_random(typed: object) -> None:
    values = [
        typed if name == "seed" else value for name, value in zip(CONTROLS, default_values(), strict=True)
    ]
    assert read_settings(*values).seed is None


def test_the_shipped_examples_are_complete() -> None:
    records = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))
    examples = load_examples()
    assert len(examples) == len(records) >= 4
    assert all("icon" in example for example in examples)


def test_an_example_without_its_picture_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_text('[{"text": "a", "files": ["gone.png"]}, {"text": "b"}]')
    assert [example["text"] for example in load_examples(tmp_path)] == ["b"]
    assert load_examples(tmp_path / "nowhere") == []


def test_the_header_says_what_runs_on_what_and_escapes_it() -> None:
    html = header_html(
        "x", {"model": "<b>m</b>", "device": "cuda:0", "dtype": "bfloat16", "quantization": "4bit"}
    )
    for fact in ("&lt;b&gt;m&lt;/b&gt;", "on cuda:0", "bfloat16", "4-bit weights"):
        assert fact in html
    assert "knows rabbits &amp; more." in placeholder_html({"knows": "rabbits & more"})


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}, {}]
    blocks = (STATIC / "shared/style.css").read_text(encoding="utf-8").split("}")[:2]
    for palette, block in zip(found, blocks, strict=True):
        for line in block.split(";"):
            name, _, value = line.rpartition("--")[2].partition(":")
            if value.strip().startswith("#"):
                palette[name.strip()] = value.strip()
    return found


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_every_pair_of_text_and_ground_has_the_contrast_of_wcag_aa(palette: dict[str, str]) -> None:
    for ink in ("ink", "ink-soft", "accent"):
        for ground in ("paper", "sheet", "accent-wash"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    assert contrast(palette["on-accent"], palette["accent"]) >= 4.5
    assert contrast(palette["on-accent"], palette["accent-strong"]) >= 4.5


def test_the_command_line_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        app.build_parser().parse_args(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    for flag in (
        "model device dtype quantize host port share max-users queue max-file-mb "
        "data database ephemeral keep-days keep-gb"
    ).split():
        assert f"--{flag}" in told


@pytest.mark.parametrize(
    "wrong", [["--port", "99999"], ["--max-users", "0"], ["--quantize", "2bit"], ["--keep-days", "0"]]
)
def test_the_command_line_refuses_what_cannot_be(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        app.build_parser().parse_args(wrong)
    assert stop.value.code == 2


def test_a_model_that_is_not_there_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["--model", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_chats_are_kept_where_the_flags_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(*flags: str) -> str:
        store = app.open_store(app.build_parser().parse_args(flags))
        url = store.engine.url.render_as_string()
        store.engine.dispose()
        return url

    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder, other = tmp_path / "chats", f"sqlite:///{tmp_path / 'other.db'}"
    assert kept("--data", str(folder)) == f"sqlite:///{folder / 'chats.db'}"
    assert {path.name for path in folder.iterdir()} >= {"chats.db", "key", "pictures", "vokens"}
    assert kept("--data", str(folder), "--database", other) == other
    monkeypatch.setenv("DATABASE_URL", other)
    assert kept("--data", str(folder)) == other
    assert kept("--ephemeral", "--data", str(tmp_path / "nothing")) == "sqlite://"
    assert not (tmp_path / "nothing").exists()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running(SCRIPTED) as address:
        client = Client(address, verbose=False)
        yield client
        client.close()
    with warnings.catch_warnings():  # the client leaves sockets behind
        warnings.simplefilter("ignore")
        del client
        gc.collect()


def test_the_endpoint_streams_words_and_brings_pictures_as_files(client: Client) -> None:
    job = client.submit(message="draw a bear", seed=7, guidance_scale=5.0, api_name="/chat")
    last = job.result()
    outputs = job.outputs()
    assert len(outputs) > 3
    assert all(last["text"].startswith(output["text"]) for output in outputs)
    assert last["seeds"] == [7]
    (image,) = last["images"]
    with Image.open(image if isinstance(image, str) else image["path"]) as picture:
        assert picture.size == (128, 128)


def test_the_endpoint_takes_pictures(client: Client) -> None:
    picture = handle_file(str(FOLDER / "beach.png"))
    result = client.predict(message="who is this?", images=[picture], api_name="/chat")
    assert "(1 pictures" in result["text"]


def test_the_endpoint_takes_no_path_that_was_not_uploaded(client: Client) -> None:
    with pytest.raises(Exception, match="uploaded"):
        client.predict(message="hi", images=[{"path": str(FOLDER / "beach.png")}], api_name="/chat")


def test_the_endpoint_refuses_wrong_options_with_a_sentence(client: Client) -> None:
    with pytest.raises(Exception, match="guidance_scale"):
        client.predict(message="hi", guidance_scale=99, api_name="/chat")
