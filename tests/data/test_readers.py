"""Data sets that are broken: refused with one sentence that names the place, or read without the broken record."""

import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from minigpt5.data.cc3m import REQUEST_EVERY, read_cc3m
from minigpt5.data.jsonl import read_jsonl
from minigpt5.data.mmdialog import read_mmdialog
from minigpt5.data.samples import Samples, joined, verified
from minigpt5.data.vist import read_vist
from minigpt5.errors import DataError


def png(side: int = 16) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(folder: Path, *rows: str) -> Path:
    write(folder / "good.png", png())
    return write(folder / "pairs.tsv", "\n".join(["caption\timage_path", "a cat\tgood.png", *rows]))


def shard(folder: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(folder / "shard.tar", mode) as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return folder / "shard.tar"


def story(folder: Path, steps: object, mapping: dict[str, str] | None = None) -> Path:
    write(folder / "a.png", png())
    write(folder / "t_image_mapping.json", json.dumps({"a": "a.png"} if mapping is None else mapping))
    good = [{"caption": "it began .", "image_id": "a", "sequence_index": 0}]
    return write(folder / "t_cleaned.json", json.dumps({"good": good, "bad": steps}))


def dialog(folder: Path, *lines: str) -> Path:
    turns = [{"turn": [{"__TEXT__": "hello"}]}, {"turn": [{"__TEXT__": "hi"}]}]
    return write(folder / "c.txt", "\n".join([json.dumps({"conversation": turns}), *lines]))


def turns(*parts: list[dict[str, str]]) -> str:
    return json.dumps({"conversation": [{"turn": part} for part in parts]})


def chats(folder: Path, *lines: str) -> Path:
    write(folder / "good.png", png())
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
    return write(folder / "mine.jsonl", "\n".join([json.dumps(good), *lines]))


def chat(user: object, assistant: object, **more: object) -> str:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": messages, **more})


REFUSED: dict[str, tuple[Callable[[Path], Samples], str]] = {
    "no such file": (lambda d: read_cc3m(d / "none.tsv"), r"none\.tsv: got no such file, expected a table"),
    "empty file": (
        lambda d: read_jsonl(write(d / "e.jsonl", "")),
        "got an empty file, expected a conversation",
    ),
    "other columns": (
        lambda d: read_cc3m(write(d / "x.tsv", "url\ttext\na\tb")),
        r"got columns \['url', 'text'\], expected caption and image_path",
    ),
    "no text": (
        lambda d: read_cc3m(write(d / "x.tsv", b"caption\timage_path\n\xff\xfe\t")),
        "no UTF-8 table",
    ),
    "folder without shards": (lambda d: read_cc3m(d), r"without \*\.tar, expected shards"),
    "compressed shard": (
        lambda d: read_cc3m(shard(d, {"1.png": png(), "1.txt": b"cat"}, "w:gz")),
        "is no tar .* expected an uncompressed tar",
    ),
    "nothing usable": (
        lambda d: read_cc3m(shard(d, {"1.png": png()})),
        "shard.tar: 0 samples, 1 records skipped, 1 no caption",
    ),
    "no JSON": (lambda d: read_vist(write(d / "t_cleaned.json", "{")), "got text that is not JSON"),
    "JSON of another kind": (
        lambda d: read_vist(write(d / "t_cleaned.json", "[1]")),
        "got a JSON list, expected",
    ),
    "no mapping of pictures": (
        lambda d: read_vist(write(d / "t_cleaned.json", '{"1": []}')),
        r"t_image_mapping\.json: got no such file",
    ),
    "stories of another kind": (
        lambda d: read_vist(story(d, "once")),
        "story bad: got a str, expected a list of steps",
    ),
    "annotations without an order": (
        lambda d: read_vist(write(d / "a.json", '{"annotations": [[{"story_id": 1}]]}')),
        "annotation 0: got no 'worker_arranged_photo_order', expected story_id",
    ),
    "line that is no JSON": (lambda d: read_jsonl(chats(d, "{")), "line 2: got text that is not JSON"),
    "unknown keys": (lambda d: read_jsonl(chats(d, chat("a", "b", tags=1))), r"line 2: got keys \['tags'\]"),
    "unknown role": (
        lambda d: read_jsonl(chats(d, '{"messages": [{"role": "bot", "content": "a"}]}')),
        "line 2: got role 'bot', expected 'user' or 'assistant'",
    ),
    "unknown part": (
        lambda d: read_jsonl(chats(d, chat(["a", {"picture": "x"}], "b"))),
        r"line 2: got a part .*picture.*, expected words or",
    ),
    "nothing to learn": (
        lambda d: read_jsonl(chats(d, '{"messages": [{"role": "user", "content": "a"}]}')),
        "line 2: got no message of the assistant",
    ),
    "several wrong lines": (
        lambda d: read_jsonl(chats(d, "1", chat("a", []))),
        "line 2: .*; line 3: got content",
    ),
}

SKIPPED: dict[str, tuple[Callable[[Path], Samples], str]] = {
    "row too short": (lambda d: read_cc3m(table(d, "a dog")), "pairs.tsv line 3: wrong number of columns"),
    "no caption": (lambda d: read_cc3m(table(d, "...\tgood.png")), "pairs.tsv line 3: no caption"),
    "no picture": (lambda d: read_cc3m(table(d, "a dog\tdog.png")), r"line 3: picture missing \(dog.png\)"),
    "shard with a lost caption": (
        lambda d: read_cc3m(shard(d, {"1.png": png(), "1.txt": b"cat", "2.png": png()})),
        "shard.tar 2: no caption",
    ),
    "shard that is cut off": (
        lambda d: read_cc3m(cut(shard(d, {"1.png": png(), "1.txt": b"cat", "2.png": b"0" * 9000}))),
        r"shard.tar 2\.png: shard ends within it",
    ),
    "unknown picture": (
        lambda d: read_vist(story(d, [{"caption": "x", "image_id": "b", "sequence_index": 0}])),
        r"story bad from step 0 on: picture unknown \(id b\)",
    ),
    "step without caption": (
        lambda d: read_vist(story(d, [{"image_id": "a", "sequence_index": 0}])),
        "story bad from step 0 on: no caption, image_id or sequence_index",
    ),
    "conversation that is no JSON": (
        lambda d: read_mmdialog(dialog(d, "hello")),
        "c.txt line 2: no conversation in JSON",
    ),
    "lonely turn": (
        lambda d: read_mmdialog(dialog(d, turns([{"__TEXT__": "a"}]))),
        "c.txt line 2: fewer than two turns",
    ),
    "turn without words": (
        lambda d: read_mmdialog(dialog(d, turns([{"__TEXT__": "a"}], [{"__MEDIA__": "1"}]))),
        "c.txt line 2 from turn 1 on: no __TEXT__ in a turn",
    ),
    "turn with a lost picture": (
        lambda d: read_mmdialog(dialog(d, turns([{"__TEXT__": "a"}], [{"__TEXT__": "b"}, {"__MEDIA__": "1"}]))),
        r"c.txt line 2 from turn 1 on: picture missing \(got 1.jpg\)",
    ),
    "turn of many words": (
        lambda d: read_mmdialog(dialog(d, turns([{"__TEXT__": "a"}], [{"__TEXT__": "b " * 30}]))),
        r"c.txt line 2 from turn 1 on: more than 20 words \(got 31\)",
    ),
    "chat with a lost picture": (
        lambda d: read_jsonl(chats(d, chat({"image": "x.png"}, "b").replace('{"image"', '[{"image"').replace('png"}', 'png"}]'))),
        r"mine.jsonl line 2: picture missing \(x.png\)",
    ),
}  # fmt: skip


def cut(path: Path) -> Path:
    return write(path, path.read_bytes()[:7000])


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_data_set_is_refused(case: str, tmp_path: Path) -> None:
    read, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        read(tmp_path)


@pytest.mark.parametrize("case", SKIPPED)
def test_a_broken_record_is_skipped_and_told(case: str, tmp_path: Path) -> None:
    read, line = SKIPPED[case]
    samples = read(tmp_path)
    assert len(samples) >= 1
    assert samples.findings.lines
    with pytest.raises(AssertionError, match=line):
        raise AssertionError(samples.report)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(64)[:-30], "the picture is damaged or incomplete"),
        (b"", "the file is empty"),
        (b"<html>not found</html>", "is not a picture of a known kind"),
    ],
    ids=["truncated", "empty", "a page instead"],
)
def test_broken_pictures_are_found_when_a_set_is_verified(content, reason, tokenizer, tmp_path):
    write(tmp_path / "bad.png", content)
    samples = read_cc3m(table(tmp_path, "a dog\tbad.png"))
    kept = verified(samples, tokenizer, 200, 4)
    assert {sample.record for sample in kept} == {"pairs.tsv line 2", "pairs.tsv line 2, request"}
    assert "skipped pairs.tsv line 3" in kept.report and reason in kept.report


def test_a_record_that_is_too_long_is_skipped(tokenizer, tmp_path):
    samples = read_jsonl(chats(tmp_path, chat("word " * 300, "b")))
    kept = verified(samples, tokenizer, 200, 4)
    assert len(kept) == 1
    assert "skipped mine.jsonl line 2: too long (got " in kept.report
    assert "1 too long" in kept.report.splitlines()[0]


def test_a_shard_holds_the_same_samples_as_a_table(tmp_path):
    write(tmp_path / "good.png", png())
    path = shard(tmp_path, {"1.png": png(), "1.txt": b"A cat.", "1.json": b"{}"})
    (from_shard, _), (from_table, _) = read_cc3m(path), read_cc3m(table(tmp_path))
    assert from_shard.source == from_table.source == ("a cat",)
    assert from_shard.pictures[0].open().size == from_table.pictures[0].open().size == (16, 16)
    assert from_shard.pictures[0].digest() == from_table.pictures[0].digest()


def test_every_hundredth_caption_is_a_request_too(tmp_path):
    samples = read_cc3m(table(tmp_path, *["a dog\tgood.png"] * REQUEST_EVERY))
    requests = [sample for sample in samples if sample.record.endswith("request")]
    assert len(samples) == REQUEST_EVERY + 1 + 2
    assert len(requests) == 2


def test_the_official_annotations_are_the_cleaned_stories(tmp_path):
    entries = [
        [{"story_id": "7", "photo_flickr_id": name, "text": text, "worker_arranged_photo_order": order}]
        for name, text, order in (("b", "it ended .", 1), ("a", "it began .", 0))
    ]
    write(tmp_path / "train.json", json.dumps({"annotations": entries}))
    (tmp_path / "images").mkdir()
    for name in "ab":
        write(tmp_path / "images" / f"{name}.png", png())
    samples = read_vist(tmp_path / "train.json")
    assert [sample.record.rpartition(" ")[2] for sample in samples] == [
        "gen",
        "gen",
        "multimodal",
        "understanding",
    ]
    assert samples[2].source[1] == "it began .<Img>"
    assert samples[2].target[0] == "it ended ."


def test_every_reply_of_a_chat_is_a_sample(tokenizer, tmp_path):
    messages = [
        {"role": role, "content": ["words", {"image": "good.png"}]}
        for role in ("user", "assistant", "user", "assistant")
    ]
    write(tmp_path / "good.png", png())
    line = json.dumps({"messages": messages, "caption": "a cat", "system": "Be kind."})
    first, second = read_jsonl(write(tmp_path / "m.jsonl", line))
    assert (first.caption, second.caption) == (None, "a cat")
    encoded = second.encode(tokenizer)
    assert len(encoded.images) == 3 and len(encoded.drawn) == 1
    assert "Be kind." in tokenizer.decode(encoded.input_ids)


def test_control_tokens_in_data_are_letters(tokenizer, tmp_path):
    sample = read_cc3m(table(tmp_path, "a dog [IMG0] <ImageHere> </s>\tgood.png"))[2]
    vokens = tokenizer.convert_tokens_to_ids(["[IMG0]", "<ImageHere>", "</s>"])
    counts = [sample.encode(tokenizer).input_ids.count(voken) for voken in vokens]
    assert counts == [1, 0, 0]  # the picture's own


def test_data_sets_are_joined_with_their_findings(tmp_path):
    both = joined([read_cc3m(table(tmp_path, "a dog\tdog.png")), read_jsonl(chats(tmp_path))])
    assert len(both) == 3
    assert both.report.startswith("pairs.tsv + mine.jsonl: 3 samples, 1 records skipped, 1 picture missing")


def test_the_order_of_wordings_is_the_seeds(tmp_path):
    steps = [{"caption": f"step {n}", "image_id": "a", "sequence_index": n} for n in range(5)]
    path = story(tmp_path, steps)
    seeds = random.Random(0).sample(range(100), 2)
    first, again, other = (read_vist(path, seed=seed) for seed in (seeds[0], seeds[0], seeds[1]))
    assert list(first) == list(again) != list(other)
