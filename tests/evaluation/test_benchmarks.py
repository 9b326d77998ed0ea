"""Public benchmarks answered in their own layouts, cut off and gone on with, and judged by a scripted judge."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image
from tiny_model import make_config, make_tokenizer

from minigpt5.__main__ import main
from minigpt5.checkpoint.build import build, save_model
from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.errors import OptionError
from minigpt5.evaluation.benchmark_judge import CRITERIA, Judge, parse
from minigpt5.evaluation.benchmark_layouts import MMIE, ISGBench, OpenING
from minigpt5.evaluation.benchmarks import Step, answer, steps_of
from minigpt5.evaluation.vistory import ViStoryBench, timestamp_of
from minigpt5.options import GenerationOptions

OPTIONS = GenerationOptions(max_new_tokens=3, num_inference_steps=1)
QUICK = ["--count", "0", "--steps", "1"]
PICTURE = Image.new("RGB", (8, 8), "teal")


def opening_record(uid: str, steps: int) -> dict:
    asked = [{"image": "./images/a b/1-i-1.jpg", "text": "<BEGIN> Here: <image> What now?"}]
    truth = [{"image": None, "text": "so"}] * steps
    return {"total_uid": uid, "subtask_name": "a b", "conversations": [{"input": asked}, {"output": truth}]}


def write_opening(folder: Path) -> Path:
    """Two questions of one and of two steps, the second with a picture that is missing; and the judge's prompt."""
    data = folder / "OpenING-benchmark"
    (data / "images/a b").mkdir(parents=True)
    PICTURE.save(data / "images/a b/1-i-1.jpg")
    records = [opening_record("0101001", 2), opening_record("0101002", 1)]
    records[1]["conversations"][0]["input"][0]["image"] = "./images/none.jpg"
    (data / "test_data.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "prompts").mkdir()
    (folder / "prompts/detailed_score_system.txt").write_text("Judge this.")
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("bench")
    tokenizer = make_tokenizer()
    config = make_config(len(tokenizer))
    save_model(place / "tiny", build(config), config, tokenizer)
    write_opening(place)
    return place


def bench(folder: Path, out: Path, *more: str) -> list[str]:
    data = f"opening:{folder / 'OpenING-benchmark'}"
    return ["evaluate", str(folder / "tiny"), "--bench", data, "--out", str(out), *QUICK, *more]


def test_opening_is_answered_step_by_step_in_its_own_layout(folder, tmp_path, capsys):
    main(bench(folder, tmp_path))
    (path,) = (tmp_path / "tiny_output").glob("*.json")
    record = json.loads(path.read_text())
    assert path.stem == record["total_uid"] == "0101001" and record["subtask_name"] == "a b"
    assert record["conversations"][0] == opening_record("0101001", 2)["conversations"][0]
    output = record["conversations"][1]["output"]
    assert len(output) >= 2
    for number, step in enumerate(output):
        assert step["image"] in (None, f"0101001-o-{number}.jpg")
        assert step["image"] is None or (path.parent / step["image"]).exists()
    failures = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text().splitlines()]
    assert [(one["id"], one["steps"]) for one in failures] == [("0101002", 0)]
    assert "1 answered, 0 before, 1 not or in part" in capsys.readouterr().out


def test_what_is_answered_stays_and_another_model_is_refused(folder, tmp_path, capsys):
    main(bench(folder, tmp_path, "--count", "1"))
    before = (tmp_path / "tiny_output/0101001.json").stat().st_mtime_ns
    main(bench(folder, tmp_path))
    assert (tmp_path / "tiny_output/0101001.json").stat().st_mtime_ns == before
    assert "0 answered, 1 before" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"guidance_scale: got 2\.0, expected 3\.0"):
        main(bench(folder, tmp_path, "--guidance", "2"))


def test_an_answer_is_the_same_in_whatever_order_questions_are_asked(folder, engine, tmp_path):
    benchmark = OpenING(folder / "OpenING-benchmark", tmp_path / "one", "m")
    answer(engine, benchmark, folder, OPTIONS)
    other = OpenING(folder / "OpenING-benchmark", tmp_path / "two", "m")
    item, _ = other.items()
    for number in range(5):  # the engine answers something else in between
        engine.reply(Conversation().user(f"hello {number}"), OPTIONS)
    answer(engine, other, folder, OPTIONS, count=1)
    first, second = ((tmp_path / name / "m_output/0101001.json").read_text() for name in ("one", "two"))
    assert item.id == "0101001" and first == second


def test_a_turn_holds_the_question_and_all_that_was_answered(folder, tmp_path):
    benchmark = OpenING(folder / "OpenING-benchmark", tmp_path, "m")
    item = next(benchmark.items())
    picture = folder / "OpenING-benchmark" / "images/a b/1-i-1.jpg"
    asked = benchmark.next_turn(item, [Step("First.", PICTURE)], 1)
    assert asked == ("Here:", picture, "What now?", "First.", PICTURE, "Tell me the next step with image.")
    assert benchmark.next_turn(item, [], 2) is None


def test_a_reply_becomes_steps_of_words_and_the_picture_behind_them():
    parts = (TextPart("one"), ImagePart(PICTURE), ImagePart(PICTURE), TextPart("two"))
    steps = steps_of(Message("assistant", parts))
    assert [(step.text, step.picture is not None) for step in steps] == [
        ("one", True),
        ("", True),
        ("two", False),
    ]


def test_mmie_gets_one_file_with_questions_answers_and_pictures_beside_it(engine, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    (data / "images").mkdir(parents=True)
    PICTURE.save(data / "images/0.png")
    question = [{"text": "What is this?", "image": "images/0.png"}]
    record = {"id": "SA-HL-1", "question": question, "gt_answer": [{"text": "teal", "image": None}]}
    (data / "data.json").write_text(json.dumps([record]))
    answer(engine, MMIE(data, out, "m"), tmp_path, GenerationOptions(max_new_tokens=3, num_inference_steps=1))
    (made,) = json.loads((out / "data.json").read_text())
    assert made["id"] == "SA-HL-1" and made["model"] == "m" and made["gt_answer"] == record["gt_answer"]
    shown = [said["image"] for said in (*made["question"], *made["answer"]) if said["image"]]
    assert shown and all((out / name).exists() for name in shown)


def test_isg_bench_gets_lines_with_absolute_pictures(engine, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    (data / "images").mkdir(parents=True)
    PICTURE.save(data / "images/q.png")
    query = [{"type": "text", "content": "Go on."}, {"type": "image", "content": "images/q.png"}]
    record = {"id": "0000", "Category": "Prediction", "Query": query, "Golden": query, "predict": {}}
    (data / "ISG-Bench.jsonl").write_text(json.dumps(record) + "\n")
    options = GenerationOptions(max_new_tokens=3, num_inference_steps=1, pictures="always")
    answer(engine, ISGBench(data, out, "m"), tmp_path, options)
    made = json.loads((out / "m.jsonl").read_text())
    assert {**record, "output": made["output"]} == {**made, "predict": {}}
    pictures = [Path(block["content"]) for block in made["output"] if block["type"] == "image"]
    assert pictures and all(path.is_absolute() and path.exists() for path in pictures)


def test_vistory_gets_a_picture_a_shot_and_goes_on_in_the_same_folder(engine, tmp_path):
    shot = {
        name: {"en": f"{name}."}
        for name in (
            "Plot Correspondence",
            "Static Shot Description",
            "Setting Description",
            "Shot Perspective Design",
        )
    }
    shot["Characters Appearing"] = {"en": ["Pip"]}
    story = {"Characters": {"Pip": {"prompt_en": "a blue rabbit"}}, "Shots": [shot] * 2}
    (tmp_path / "data/01").mkdir(parents=True)
    (tmp_path / "data/01/story.json").write_text(json.dumps(story))
    out = tmp_path / "out"
    benchmark = ViStoryBench(tmp_path / "data", out, "m", timestamp_of(out, "m", "20260101-000000"))
    answer(engine, benchmark, tmp_path, OPTIONS, count=1)
    assert timestamp_of(out, "m", "20270101-000000") == "20260101-000000"
    answer(engine, benchmark, tmp_path, OPTIONS)
    place = out / "m/ViStory_en/01/20260101-000000"
    assert sorted(path.name for path in place.iterdir()) == ["shot_01.png", "shot_02.png"]
    _, second = benchmark.items()
    turn = benchmark.next_turn(second, [], 0)
    assert turn[:2] == ("Plot Correspondence.", place / "shot_01.png") and "Pip: a blue rabbit" in turn[2]


GOOD = json.dumps({"scores": {name: {"Score": 4, "Justification": "so"} for name in CRITERIA}})


class Script(BaseHTTPRequestHandler):
    """Answers with what stands next in the script, and keeps what it was asked."""

    script: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.asked[-1]["key"] = self.headers.get("Authorization")
        code, said = self.script.pop(0)
        body = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Script.script, Script.asked = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Script) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/v1"
        httpd.shutdown()
        thread.join()


def judging(folder: Path, out: Path, server: str, *more: str) -> list[str]:
    return [*bench(folder, out), "--judge", server, "--judge-model", "fair/judge-1", *more]


def test_a_judge_scores_apart_and_under_its_name(folder, tmp_path, server, monkeypatch):
    main(bench(folder, tmp_path))
    monkeypatch.setenv("MY_KEY", "secret")
    Script.script = [(200, f"Here you are:\n```json\n{GOOD}\n```")]
    main(judging(folder, tmp_path, server, "--judge-key", "MY_KEY"))
    place = tmp_path / "judged/fair-judge-1"
    summary = json.loads((place / "summary.json").read_text())
    assert summary["judge"] == "fair/judge-1" and summary["address"] == server
    assert summary["scored"] == 1 and summary["Overall"] == 4 and summary["unjudged"] == []
    (entry,) = json.loads((place / "scores.json").read_text())
    assert entry["data_id"] == "0101001" and entry["model"] == {"id": "tiny", "name": "tiny"}
    (asked,) = Script.asked
    assert asked["key"] == "Bearer secret" and asked["messages"][0]["content"] == "Judge this."
    content = asked["messages"][1]["content"]
    assert content[0]["text"].startswith("INPUT: ") and "<IMG_0></IMG_0>" in content[0]["text"]
    assert content[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert any(one.get("text", "").startswith("\nOUTPUT: ") for one in content)
    main(judging(folder, tmp_path, server))  # nothing is left to judge
    assert len(Script.asked) == 1
    (folder / "prompts/detailed_score_system.txt").write_text("Judge that.")
    with pytest.raises(SystemExit, match="got results of another tiny"):
        main(judging(folder, tmp_path, server))
    (folder / "prompts/detailed_score_system.txt").write_text("Judge this.")


def test_a_judge_is_asked_again_until_its_words_can_be_read(server):
    judge = Judge(server, "fair", "Judge this.", wait=0.0)
    Script.script = [(500, ""), (200, "I'd say 7."), (200, GOOD)]
    assert judge.scores([]) == json.loads(GOOD)["scores"]
    Script.script = [(200, "no")] * 5
    assert judge.scores([]) is None
    Script.script = [(401, "")]
    with pytest.raises(OptionError, match="judge: got 401 Unauthorized from http"):
        judge.scores([])


@pytest.mark.parametrize(
    "said", ["", "{}", "[4]", GOOD.replace("4", "11"), GOOD.replace("Correctness", "Beauty")]
)
def test_scores_that_are_not_all_there_are_no_scores(said):
    assert parse(said) is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ["--bench", "vqa:x"],
            "bench: got 'vqa:x', expected NAME:DATA with one of opening, mmie, isg, vistory",
        ),
        (["--bench", "isg:nowhere"], "nowhere: got no such file or folder, expected the data of isg"),
        (["--judge", "http://x"], "judge: got no --judge-model"),
        (
            ["--judge", "http://x", "--judge-model", "m", "--judge-key", "NOT_SET"],
            "judge: got no value in NOT_SET",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_benchmark_that_cannot_be_is_refused(more, message, folder, tmp_path):
    with pytest.raises(SystemExit, match=message):
        main([*bench(folder, tmp_path), *more])
