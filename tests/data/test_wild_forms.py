"""Chats and captions in the forms that people have: read as what they say, or refused with the line in one sentence."""

import base64
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.cc3m import read_cc3m
from minigpt5.data.jsonl import read_jsonl
from minigpt5.data.mmdialog import read_mmdialog
from minigpt5.data.readers import READERS, kind_of
from minigpt5.data.samples import ChatSample, Samples
from minigpt5.data.vist import read_vist
from minigpt5.data.webdataset import read_webdataset
from minigpt5.errors import DataError


def png(colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, "PNG")
    return buffer.getvalue()


def url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def chats(folder: Path, *records: Any, name: str = "mine.jsonl") -> Path:
    for picture in ("cat.png", "dog.png"):
        (folder / picture).write_bytes(png())
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    (folder / name).write_text("\n".join(lines))
    return folder / name


def typed(user: Any, assistant: Any = "A cat.", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return {"messages": messages, **more}


def llava(human: Any, gpt: Any = "A cat.", **more: Any) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": human}, {"from": "gpt", "value": gpt}], **more}


def shard(folder: Path, members: dict[str, bytes], name: str = "train-0.tar") -> Path:
    with tarfile.open(folder / name, "w") as file:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return folder / name


def shape(messages: tuple[Message, ...]) -> list[list[str]]:
    """Words as they are, pictures as `*`."""
    return [[part.text if isinstance(part, TextPart) else "*" for part in m.parts] for m in messages]


TEXT, IMAGE = {"type": "text", "text": "What?"}, {"type": "image"}
ANSWER = ["A cat."]

READ: dict[str, tuple[Any, list[list[str]]]] = {
    "OpenAI's, a path": (
        typed([TEXT, {"type": "image_url", "image_url": {"url": "cat.png"}}]),
        [["What?", "*"], ANSWER],
    ),
    "OpenAI's, a data URL": (
        typed([{"type": "image_url", "image_url": {"url": url(png())}}, TEXT]),
        [["*", "What?"], ANSWER],
    ),
    "OpenAI's newer names": (
        typed(
            [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": "cat.png"}],
            [{"type": "output_text", "text": "A cat."}],
        ),
        [["What?", "*"], ANSWER],
    ),
    "Hugging Face's, pictures beside": (typed([IMAGE, TEXT], images=["cat.png"]), [["*", "What?"], ANSWER]),
    "Hugging Face's, pictures in place": (
        typed([TEXT], [{"type": "image", "path": "cat.png"}, {"type": "image", "image": "dog.png"}]),
        [["What?"], ["*", "*"]],
    ),
    "words with places": (
        typed("<image>What?", images=["cat.png"], id=7, source="web"),
        [["*", "What?"], ANSWER],
    ),
    "pictures without a place": (typed("What?", images=["cat.png"]), [["*", "What?"], ANSWER]),
    "LLaVA's": (llava("<image>\nWhat?", image="cat.png", id="7"), [["*", "\nWhat?"], ANSWER]),
    "LLaVA's of several pictures": (
        llava("<image> or <image>?", "Both: <image>", image=["cat.png", "dog.png", "cat.png"]),
        [["*", " or ", "*", "?"], ["Both: ", "*"]],
    ),
    "LLaVA's of words alone": (llava("Is <image> a tag?"), [["Is <image> a tag?"], ANSWER]),
    "The Cauldron's": (
        {"images": ["cat.png"], "texts": [{"user": "What?", "assistant": "A cat.", "source": "x"}]},
        [["*", "What?"], ANSWER],
    ),
}


@pytest.mark.parametrize("form", READ)
def test_a_chat_is_read_in_each_form(form: str, tmp_path: Path, tokenizer: Any) -> None:
    record, expected = READ[form]
    (sample,) = read_jsonl(chats(tmp_path, record))
    assert isinstance(sample, ChatSample)
    assert shape(sample.messages) == expected
    assert all(picture.open().size == (16, 16) for picture in sample.pictures)
    assert len(sample.encode(tokenizer).drawn) == expected[1].count("*")


def test_a_system_message_is_the_instruction(tmp_path: Path) -> None:
    record = typed([TEXT])
    record["messages"].insert(0, {"role": "system", "content": "Be kind."})
    (sample,) = read_jsonl(chats(tmp_path, record))
    assert isinstance(sample, ChatSample)
    assert sample.system == "Be kind."
    assert [message.role for message in sample.messages] == ["user", "assistant"]


def test_one_list_of_all_is_read_with_the_lines_of_its_members(tmp_path: Path) -> None:
    text = json.dumps([llava("<image>\nWhat?", image="cat.png"), llava("Hello")], indent=1)
    samples = read_jsonl(chats(tmp_path, text, name="llava.json"))
    assert [sample.record for sample in samples] == ["llava.json line 2", "llava.json line 15"]


def test_a_picture_of_a_data_url_has_the_digest_of_its_file(tmp_path: Path) -> None:
    records = [typed([{"type": "image_url", "image_url": {"url": name}}]) for name in ("cat.png", url(png()))]
    one, other = (sample.pictures[0] for sample in read_jsonl(chats(tmp_path, *records)))
    assert one.digest() == other.digest()
    assert one.read() == other.read()


def test_a_line_separator_in_words_does_not_end_a_line(tmp_path: Path) -> None:
    path = chats(tmp_path)
    path.write_text(json.dumps(typed("one\u2028two"), ensure_ascii=False), encoding="utf-8")
    assert len(read_jsonl(path)) == 1


OUTSIDE = "expected a path below the folder of the data"
REFUSED: dict[str, tuple[list[Any], str]] = {
    "a path upwards": ([typed([{"image": "../cat.png"}])], f"line 1: got a picture at '../cat.png', {OUTSIDE}"),
    "an absolute path": ([llava("<image>", image="/etc/passwd")], f"line 1: got a picture at '/etc/passwd', {OUTSIDE}"),
    "an address of the network": (
        [typed([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}])],
        f"line 1: got a picture at 'https://example.org/a.png', {OUTSIDE}",
    ),
    "a file URL": ([llava("<image>", image="file:///etc/passwd")], OUTSIDE),
    "a damaged data URL": ([llava("<image>", image="data:image/png;base64,!!")], "got a data URL that is damaged"),
    "a data URL of text": ([llava("<image>", image="data:text/plain,hi")], "got a data URL of 'text/plain'"),
    "fewer pictures than places": (
        [llava("Hi"), llava("<image> <image>", image="cat.png")],
        "line 2: got 1 pictures for 2 places, expected as many pictures as places",
    ),
    "more pictures than places": ([typed([IMAGE], images=["cat.png", "dog.png"])], "got 2 pictures for 1 places"),
    "an unknown speaker": (
        [{"conversations": [{"from": "bard", "value": "Hi"}]}],
        "line 1: got role 'bard', expected 'user' or 'assistant'",
    ),
    "a tool": ([{"messages": [{"role": "tool", "content": "3"}]}], "got role 'tool'"),
    "a call of a tool": (
        [{"messages": [{"role": "assistant", "content": None, "tool_calls": [{}]}]}],
        r"got a message with \['tool_calls'\]",
    ),
    "sound": ([typed([{"type": "input_audio", "input_audio": {}}])], "line 1: got a part .*input_audio"),
    "a reply of nothing": ([typed([TEXT], [{"type": "text", "text": " "}])], "got an empty message of the assistant"),
    "an empty list of turns": ([{"conversations": []}], r"got conversations '\[\]', expected a list of messages"),
    "a table of something else": ([{"prompt": "a", "completion": "b"}], "line 1: got no list of messages"),
    "a list that breaks off": (
        ["[" + json.dumps(llava("Hi")) + ","],
        "line 1: got the end of the file within a list, expected a closing ]",
    ),
    "a list with a broken member": (["[\n" + json.dumps(llava("Hi")) + ",\n{,}]"], "line 3: got text that is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_faulty_file_is_refused_with_the_line(case: str, tmp_path: Path) -> None:
    records, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as refused:
        read_jsonl(chats(tmp_path, *records))
    assert "\n" not in str(refused.value)


def test_faults_of_one_kind_are_told_once_and_counted(tmp_path: Path) -> None:
    records = [{"prompt": str(number)} for number in range(6)] + [typed(["a", {"b": 1}])]
    with pytest.raises(DataError, match=r"line 1: got no list .* \(and 5 more like it\); line 7: got a part"):
        read_jsonl(chats(tmp_path, *records))


def test_faults_of_many_kinds_are_counted_at_the_end(tmp_path: Path) -> None:
    records = ["{", {}, typed(["a", {"b": 1}]), llava("Hi", None), {"conversations": []}]
    with pytest.raises(DataError, match=r"line 1: .*; line 2: .*; line 3: .*; and 2 other faults$"):
        read_jsonl(chats(tmp_path, *records))


SHARDS: dict[str, tuple[dict[str, bytes], int, str]] = {
    "captions": ({"1.jpg": png(), "1.txt": b"A cat.", "1.json": b'{"url": "x"}'}, 2, "2 samples"),
    "captions in the json": ({"1.jpg": png(), "1.json": b'{"caption": "A cat."}'}, 2, "0 records skipped"),
    "chats": ({"1.jpg": png(), "1.json": json.dumps(llava("<image> What?", image="coco/1.jpg")).encode()}, 1, ""),
    "chats that name no picture": ({"1.png": png(), "1.json": json.dumps(typed([IMAGE, TEXT])).encode()}, 1, ""),
    "several pictures": (
        {"x/1.a.png": png(), "x/1.b.png": png("red"), "x/1.json": json.dumps(typed([{"image": "1.b.png"}])).encode()},
        1,
        "",
    ),
    "a chat whose picture is another record's": (
        {"1.json": json.dumps(typed([{"image": "2.png"}])).encode(), "2.png": png(), "2.txt": b"cat"},
        2,
        "skipped train-0.tar 1: got a picture '2.png'",
    ),
    "a picture without words": ({"1.png": png(), "2.png": png(), "2.txt": b"cat"}, 2, "skipped train-0.tar 1: no caption"),
    "a broken json": ({"1.png": png(), "1.json": b"{", "2.png": png(), "2.txt": b"cat"}, 2, "got text that is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHARDS)
def test_shards_are_read_whole_and_told_of(case: str, tmp_path: Path) -> None:
    members, count, line = SHARDS[case]
    shard(tmp_path, members)
    samples = read_webdataset(tmp_path / "train-*.tar")
    assert len(samples) == count
    assert all(picture.open().size == (16, 16) for sample in samples for picture in sample.pictures)
    assert line in samples.report


def test_a_pattern_means_all_shards_in_order(tmp_path: Path) -> None:
    for number in (1, 0):
        shard(tmp_path, {"1.png": png(), "1.txt": b"cat"}, f"train-{number}.tar")
    shard(tmp_path, {"1.png": png(), "1.txt": b"dog"}, "test-0.tar")
    samples = read_webdataset(tmp_path / "train-*.tar")
    captions = [sample.record for sample in samples if "request" not in sample.record]
    assert captions == ["train-0.tar 1", "train-1.tar 1"]
    assert len(READERS["webdataset"](tmp_path, "")) > len(samples)


@pytest.mark.parametrize(
    ("read", "name", "content"),
    [
        (read_cc3m, "x.tsv", "caption\timage_path\ncat\t../cat.png\ndog\tdog.png"),
        (read_vist, "t_cleaned.json", '{"1": []}'),
        (
            read_mmdialog,
            "c.txt",
            '{"conversation": [{"turn": [{"__TEXT__": "a"}]}, {"turn": [{"__TEXT__": "b"}]},'
            ' {"turn": [{"__TEXT__": "c"}, {"__MEDIA__": "../cat"}]}]}',
        ),
    ],
    ids=["cc3m", "vist", "mmdialog"],
)
def test_no_reader_leaves_the_folder_of_its_data(
    read: Callable[[Path], Samples], name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / "cat.jpg").write_bytes(png())
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dog.png").write_bytes(png())
    (folder / "t_image_mapping.json").write_text('{"a": "../cat.png"}')
    (folder / name).write_text(content)
    try:
        told = read(folder / name).report
    except DataError as error:
        told = str(error)
    assert "expected a path below the folder of the data" in told


def test_the_kind_of_a_data_set_is_seen(tmp_path: Path) -> None:
    story, listed = tmp_path / "t_cleaned.json", tmp_path / "llava.json"
    story.write_text('{"1": []}')
    listed.write_text("[{}]")
    dialogue = tmp_path / "test_conversations.txt"
    dialogue.write_text('{"conversation": [{"turn": []}]}')
    (tmp_path / "x.tsv").touch()
    found = [kind_of(path) for path in (story, listed, dialogue, tmp_path / "x.tsv", chats(tmp_path, "{}"))]
    assert found == ["vist", "jsonl", "mmdialog", "cc3m", "jsonl"]
    shard(tmp_path, {"1.png": b""})
    assert kind_of(tmp_path) == kind_of(tmp_path / "*.tar") == "webdataset"
    for path, message in ((tmp_path / "none.csv", "no such file"), (dialogue.parent / "a.csv", "no such")):
        with pytest.raises(DataError, match=message):
            kind_of(path)


def test_parts_of_a_message_keep_their_order(tmp_path: Path) -> None:
    parts = ["one", {"image": "cat.png"}, "two", {"image": "dog.png"}]
    (sample,) = read_jsonl(chats(tmp_path, typed(parts)))
    assert isinstance(sample, ChatSample)
    names = [
        part.image.path.name if isinstance(part, ImagePart) else part.text
        for part in sample.messages[0].parts
    ]
    assert names == ["one", "cat.png", "two", "dog.png"]
