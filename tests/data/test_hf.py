"""Tables in parquet and arrow as Hugging Face writes them: rows become samples, pictures stay in the file until asked for."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from minigpt5.data import hf
from minigpt5.data.hf import read_hf
from minigpt5.data.readers import kind_of
from minigpt5.data.samples import ChatSample
from minigpt5.errors import DataError


def png(colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, "PNG")
    return buffer.getvalue()


def cell(colour: str = "teal") -> dict[str, Any]:
    return {"bytes": png(colour), "path": None}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.Table.from_pylist(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(table, path, row_group_size=2)
    else:
        with pyarrow.ipc.new_stream(path, table.schema) as stream:
            for batch in table.to_batches(max_chunksize=2):
                stream.write_batch(batch)
    return path


KINDS = ("parquet", "arrow")


@pytest.mark.parametrize("kind", KINDS)
def test_captioned_pictures_are_read_as_cc3m(kind: str, tmp_path: Path) -> None:
    colours = ("red", "green", "blue")
    rows = [{"image": cell(colour), "text": f"A {colour} square."} for colour in colours]
    samples = read_hf(write(tmp_path / f"train.{kind}", rows))
    plain = [sample for sample in samples if "request" not in sample.record]
    assert [sample.record for sample in plain] == [f"train.{kind} row {number}" for number in (1, 2, 3)]
    for sample, colour in zip(plain, colours, strict=True):
        assert sample.caption == f"a {colour} square"
        assert sample.pictures[0].read() == png(colour)
        assert sample.pictures[0].open().getpixel((0, 0)) == Image.new("RGB", (1, 1), colour).getpixel((0, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_chats_take_the_pictures_of_their_row(kind: str, tmp_path: Path, tokenizer: Any) -> None:
    parts = [
        {"type": "image", "text": None},
        {"type": "text", "text": "And this?"},
        {"type": "image", "text": None},
    ]
    answer = [{"type": "text", "text": "A cat."}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": answer}]
    rows = [{"images": [cell("red"), cell("blue")], "messages": messages, "score": 3}] * 3
    samples = read_hf(write(tmp_path / f"train.{kind}", rows))
    assert len(samples) == 3
    assert isinstance(samples[2], ChatSample)
    assert [picture.read() for picture in samples[2].pictures] == [png("red"), png("blue")]
    assert len(samples[2].encode(tokenizer).images) == 2


def test_llava_and_cauldron_rows_are_chats(tmp_path: Path) -> None:
    turns = {
        "from": ["human", "gpt"],
        "value": ["<image> What?", "A cat."],
    }  # as older `datasets` store a list
    write(tmp_path / "a/train-0.parquet", [{"image": cell(), "conversations": turns, "id": "7"}])
    texts = [{"user": "What?", "assistant": "A cat.", "source": "x"}]
    write(tmp_path / "b/train-0.parquet", [{"images": [cell()], "texts": texts}])
    samples = read_hf(tmp_path)
    assert [len(sample.pictures) for sample in samples] == [1, 1]


def test_of_several_splits_the_training_one_is_read(tmp_path: Path) -> None:
    row = {"image": cell(), "caption": "a cat"}
    for name in ("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"):
        write(tmp_path / name, [row])
    assert kind_of(tmp_path) == "hf"
    assert {sample.record.split()[0] for sample in read_hf(tmp_path)} == {"train-00000-of-00001.parquet"}
    saved = tmp_path / "saved"
    write(saved / "train/data-00000-of-00001.arrow", [row])
    write(saved / "test/data-00000-of-00001.arrow", [row, row])
    write(saved / "train/cache-1.arrow", [row, row, row])
    assert len([s for s in read_hf(saved) if "request" not in s.record]) == 1


def test_faulty_rows_are_skipped_and_told(tmp_path: Path) -> None:
    rows = [
        {"image": cell(), "caption": "a cat"},
        {"image": None, "caption": "a dog"},
        {"image": cell(), "caption": "..."},
        {"image": {"bytes": None, "path": "../cat.png"}, "caption": "a cow"},
    ]
    samples = read_hf(write(tmp_path / "train.parquet", rows))
    assert "skipped train.parquet row 2: picture missing" in samples.report
    assert "skipped train.parquet row 3: no caption" in samples.report
    outside = next(sample for sample in samples if sample.record.endswith("row 4"))
    with pytest.raises(DataError, match="expected a path below the folder of the data"):
        outside.pictures[0].open()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"a": 1}], "no messages, conversations or caption"),
        ([{"messages": [{"role": "bot", "content": "a"}]}], "got role 'bot'"),
    ],
    ids=["other columns", "another role"],
)
def test_a_table_of_something_else_is_refused(rows: list[dict], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_hf(write(tmp_path / "train.parquet", rows))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_table_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / f"train.{kind}").write_bytes(b"PAR1" + b"0" * 100)
    with pytest.raises(DataError, match=f"train.{kind}: got a damaged file") as refused:
        read_hf(tmp_path / f"train.{kind}")
    assert "\n" not in str(refused.value)


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=r"got no \*.parquet and no \*.arrow"):
        read_hf(tmp_path)


def test_without_the_library_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hf, "pyarrow", None)
    with pytest.raises(DataError, match="expected pyarrow"):
        read_hf(tmp_path / json.dumps("x"))
