"""`python -m minigpt5 data check`: what a data set is taken for, what is wrong with it, and how a model will read it."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from PIL import Image
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import ModelConfig
from minigpt5.data.chat_forms import Chat
from minigpt5.data.jsonl import read_records, replies
from minigpt5.data.readers import KINDS, READERS, kind_of
from minigpt5.data.samples import Findings, Picture, Sample, Samples, verify_length
from minigpt5.errors import DataError
from minigpt5.prompt import IGNORED, SYSTEM, Encoded
from minigpt5.train_command import WEIGHTS

CHECK = "Say what a data set is taken for, count it, name its first faults, and show a sample as the model reads it."


def add_data(parser: argparse.ArgumentParser) -> None:
    """The flags of `data check`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="look at a data set before training", description=CHECK)
    check.add_argument("data", help=f"PATH, or KIND:PATH with one of {', '.join(KINDS)}")
    check.add_argument("--model", type=Path, default=WEIGHTS, help="whose tokenizer and length are used")
    check.set_defaults(command=run_check)


def run_check(arguments: argparse.Namespace) -> None:
    """`data check`: raises `DataError` where the data set would be refused, after all has been told."""
    kind, path = _data_set(arguments.data)
    config = ModelConfig.load(arguments.model)
    tokenizer = load_tokenizer(arguments.model, config.mapper.num_vokens)
    print(f"{path}: taken for {kind}, {KINDS[kind]}")
    if kind == "jsonl":
        samples, refusal = _chats(path, config.system_prompt or SYSTEM)
    else:
        samples, refusal = READERS[kind](path, config.system_prompt or SYSTEM), ""
    if samples:
        print(samples.report)
        print(told(samples, tokenizer, config))
    if refusal:
        raise DataError(refusal)


def _data_set(value: str) -> tuple[str, Path]:
    kind, colon, path = value.partition(":")
    return (kind, Path(path)) if colon and kind in KINDS else (kind_of(Path(value)), Path(value))


def _chats(path: Path, system: str) -> tuple[Samples | None, str]:
    """The samples of the chats without fault, and why the file would be refused."""
    findings = Findings(path.name)
    chats = list(read_records(path, findings))
    print(_forms([chat for _, chat in chats]))
    refusal = f"{path}: {findings.refusal()}" if findings.faults else ""
    samples = [reply for where, chat in chats for reply in replies(where, chat, system)]
    if not samples and refusal:
        return None, refusal
    return Samples(samples, findings), refusal


def _forms(chats: list[Chat]) -> str:
    counts = Counter(chat.form for chat in chats)
    return f"{len(chats)} chats" + "".join(
        f", {count} in the form {form!r}" for form, count in counts.items()
    )


def told(samples: Samples, tokenizer: PreTrainedTokenizerFast, config: ModelConfig) -> str:
    """The first sample that can be used: what is read, what is learned, its pictures and its length."""
    for sample in samples:
        try:
            encoded = sample.encode(tokenizer, config.mapper.num_vokens)
            verify_length(encoded, config.context_length, config.num_query_tokens)
            pictures = [_sized(one.open(), one) for one in sample.pictures]
        except DataError as error:
            reason = f"{sample.record}: {error}"
            continue
        return "\n".join(_lines(sample, encoded, pictures, tokenizer, config))
    return f"no sample can be used, the last: {reason}"


def _lines(
    sample: Sample,
    encoded: Encoded,
    pictures: list[str],
    tokenizer: PreTrainedTokenizerFast,
    config: ModelConfig,
) -> list[str]:
    ids = encoded.input_ids
    first = next(place for place, label in enumerate(encoded.labels) if label != IGNORED)
    length = len(ids) + len(encoded.images) * (config.num_query_tokens - 1)
    return [
        f"{sample.record}, as the model reads it:",
        f"  read     {_text(ids[:first], tokenizer)}",
        f"  learned  {_text(ids[first:], tokenizer)}",
        *([f"  caption  {sample.caption}"] if sample.caption else []),
        *([f"  pictures {', '.join(pictures)}"] if pictures else []),
        f"  length   {length} of at most {config.context_length} tokens",
    ]


def _text(ids: list[int], tokenizer: PreTrainedTokenizerFast) -> str:
    """The ids as words on one line, a run of vokens as its first and last."""
    words = tokenizer.decode(ids)
    return re.sub(r"(\[IMG0\]) ?(?:\[IMG\d+\] ?)*(\[IMG\d+\])", r"\1..\2", words).replace("\n", "\\n")


def _sized(image: Image.Image, picture: Picture) -> str:
    path = getattr(picture, "path", None)
    return f"{path.name if path else 'in the data itself'} {image.width}x{image.height}"
