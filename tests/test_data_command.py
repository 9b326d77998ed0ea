"""`data check`: the kind, the counts, the first faults and one sample, before anything is trained."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from minigpt5.__main__ import main
from minigpt5.checkpoint.build import save_model


@pytest.fixture
def folder(tmp_path: Path, model: Any, config: Any, tokenizer: Any) -> Path:
    save_model(tmp_path / "tiny", model, config, tokenizer)
    return tmp_path / "tiny"


def chats(folder: Path, *lines: Any) -> Path:
    Image.new("RGB", (20, 10)).save(folder / "cat.png")
    (folder / "mine.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return folder / "mine.jsonl"


def chat(**more: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": "Draw."}, {"role": "assistant", "content": [{"image": "cat.png"}]}]
    return {"messages": said, **more}


def test_a_sample_is_shown_as_the_model_reads_it(folder: Path, tmp_path: Path, capsys: Any) -> None:
    main(["data", "check", str(chats(tmp_path, chat(caption="a cat"))), "--model", str(folder)])
    told = capsys.readouterr().out
    assert "mine.jsonl: taken for jsonl, chats in JSON" in told
    assert "1 chats, 1 in the form 'own'" in told
    assert "mine.jsonl: 1 samples, 0 records skipped" in told
    assert "###Human: Draw. ###Assistant:" in told
    assert "learned  [IMG0]..[IMG7]" in told
    assert "cat.png 20x10" in told
    assert "of at most 256 tokens" in told


def test_faults_are_told_after_what_is_good(folder: Path, tmp_path: Path, capsys: Any) -> None:
    path = chats(tmp_path, {"text": "a"}, chat(), {"text": "b"})
    with pytest.raises(SystemExit, match=r"line 1: got no list of messages.*\(and 1 more like it\)"):
        main(["data", "check", f"jsonl:{path}", "--model", str(folder)])
    assert "mine.jsonl line 2, as the model reads it" in capsys.readouterr().out


def test_a_file_of_faults_alone_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="line 1: got no list of messages"):
        main(["data", "check", str(chats(tmp_path, {"text": "a"})), "--model", str(folder)])


def test_a_set_without_a_usable_sample_says_why(folder: Path, tmp_path: Path, capsys: Any) -> None:
    path = chats(tmp_path, chat())
    (tmp_path / "cat.png").write_bytes(b"<html>")
    main(["data", "check", str(path), "--model", str(folder)])
    assert "no sample can be used, the last: mine.jsonl line 1: the picture cannot be read" in (
        capsys.readouterr().out
    )
