"""OpenING's scores by a judge behind an OpenAI-compatible address, kept apart from the answers and under the judge's name.

    OUT/judged/JUDGE/scores.json    [{"data_id", "model": {"id", "name"}, "score": {criterion: {"Score", ...}}}]
    OUT/judged/JUDGE/summary.json   who judged by which prompt, the mean of each criterion, how many could not be judged

The form is that of the benchmark's own `gpt-score_results.json`. The judge is told what the benchmark tells it: its system
prompt is read from the benchmark's files. Scores of two judges, or by two prompts, are never mixed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from PIL import Image

from minigpt5.errors import DataError, OptionError
from minigpt5.evaluation.answers import slug
from minigpt5.evaluation.benchmarks import read_json, write_json
from minigpt5.evaluation.origins import keep_apart

CRITERIA = (
    "Correctness",
    "Image-Text Coherency",
    "Multi-step Consistency",
    "Content Quality",
    "Human Preference Alignment",
    "Completeness",
    "Content Richness",
)
HIGHEST = 10
SIDE = 512  # pixels of the pictures that the judge sees, as the benchmark's script sends them
TRIES = 5
PROMPT = Path("prompts/detailed_score_system.txt")  # in the benchmark's repository, its data beside or in it
SCORES, SUMMARY = "scores.json", "summary.json"
LAST_WORDS = "\nPlease only output the json result: "


@dataclass(frozen=True)
class Judge:
    """`address` is that before `/chat/completions`; `wait` are the seconds before a second try, then doubled."""

    address: str
    model: str
    prompt: str
    key: str = ""
    timeout: float = 300.0
    wait: float = 1.0

    @property
    def facts(self) -> dict[str, str]:
        """Who judges, and by which prompt."""
        digest = hashlib.sha256(self.prompt.encode()).hexdigest()[:12]
        return {"judge": self.model, "address": self.address, "prompt": digest}

    def scores(self, content: list[dict[str, Any]]) -> dict[str, Any] | None:
        """What it gives for `content`, None when it gives nothing that can be read. Raises `OptionError` for an
        address that refuses."""
        for number in range(TRIES):
            if number:
                time.sleep(self.wait * 2 ** (number - 1))
            if (said := self._ask(content)) is not None and (scores := parse(said)) is not None:
                return scores
        return None

    def _ask(self, content: list[dict[str, Any]]) -> str | None:
        messages = [{"role": "system", "content": self.prompt}, {"role": "user", "content": content}]
        body = json.dumps({"model": self.model, "messages": messages}).encode()
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self.key}"} if self.key else {}
        )
        request = urllib.request.Request(f"{self.address.rstrip('/')}/chat/completions", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return str(json.load(response)["choices"][0]["message"]["content"])
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise OptionError(
                    f"judge: got {error.code} {error.reason} from {self.address}, expected a judge that answers"
                ) from error
            return None
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None


def parse(said: str) -> dict[str, Any] | None:
    """The scores in a judge's words, if all criteria have one from 0 to 10."""
    found = re.search(r"\{.*\}", said, re.DOTALL)
    try:
        values = json.loads(found.group() if found else "")
        values = values.get("scores", values)
        scores = {name: values[name] for name in CRITERIA}
        if all(0 <= float(score["Score"]) <= HIGHEST for score in scores.values()):
            return scores
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def prompt_of(data: Path) -> str:
    """The benchmark's system prompt for a judge, beside its data; raises `OptionError`."""
    root = data if data.is_dir() else data.parent
    for place in (root, root.parent):
        if (place / PROMPT).is_file():
            return (place / PROMPT).read_text(encoding="utf-8")
    raise OptionError(f"judge: got no {PROMPT} in {root} or above it, expected OpenING's prompt for a judge")


def judge_opening(judge: Judge, answers: Path, data: Path, out: Path) -> dict[str, Any]:
    """Score all answers in the folder `answers` (`MODEL_output`) that the judge has not scored yet; the summary.

    Raises `OptionError`, also when `out` holds scores of another judge under this name, and `DataError`.
    """
    model = answers.name.removesuffix("_output")
    folder = out / "judged" / slug(judge.model)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SCORES
    known: list[dict[str, Any]] = read_json(path) if path.exists() else []
    keep_apart(folder, model, judge.facts, any(entry["model"]["name"] == model for entry in known))
    seen = {entry["data_id"] for entry in known if entry["model"]["name"] == model}
    root = data if data.is_dir() else data.parent
    unjudged = []
    files = sorted(answers.glob("*.json"))
    if not files:
        raise DataError(f"{answers}: got no answers, expected those that `--bench` writes")
    for file in files:
        if file.stem in seen:
            continue
        score = judge.scores(list(content_of(read_json(file), root, answers)))
        if score is None:
            unjudged.append(file.stem)
            continue
        known.append({"data_id": file.stem, "model": {"id": model, "name": model}, "score": score})
        write_json(path, known)
    summary = summarize([entry for entry in known if entry["model"]["name"] == model], unjudged)
    write_json(folder / SUMMARY, {**judge.facts, "model": model, **summary})
    return summary


def summarize(entries: list[dict[str, Any]], unjudged: list[str]) -> dict[str, Any]:
    """The mean of each criterion and of all."""
    means = {
        name: mean(float(entry["score"][name]["Score"]) for entry in entries) for name in CRITERIA if entries
    }
    overall = {"Overall": mean(means.values())} if means else {}
    return {"scored": len(entries), "unjudged": unjudged, **means, **overall}


def content_of(record: dict[str, Any], data: Path, answers: Path) -> Iterator[dict[str, Any]]:
    """Question and answer as the benchmark's script sends them: words, each followed by its picture, counted through."""
    question, answer = record["conversations"][0]["input"], record["conversations"][1]["output"]
    count = 0
    for side, root, said in (("INPUT: ", data, question), ("\nOUTPUT: ", answers, answer)):
        for number, one in enumerate(said or [{"text": "None", "image": None}]):
            words = str(one["text"] or "").replace("<BEGIN>", "").replace("<image>", "")
            picture = _encoded(root / one["image"]) if one["image"] else None
            mark = f" <IMG_{count}></IMG_{count}>" if picture else ""
            yield {"type": "text", "text": ("" if number else side) + words + mark}
            if picture:
                count += 1
                yield {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
    yield {"type": "text", "text": LAST_WORDS}


def _encoded(path: Path) -> str:
    """A picture as JPEG in base64; raises `DataError`."""
    buffer = io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.convert("RGB").resize((SIDE, SIDE)).save(buffer, format="JPEG")
    except OSError as error:
        raise DataError(f"{path}: got {error}, expected a picture") from error
    return base64.b64encode(buffer.getvalue()).decode()
