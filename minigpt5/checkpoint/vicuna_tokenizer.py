"""A LLaMA tokenizer folder -> our `tokenizer.json`, with the control tokens behind its vocabulary.

`tokenizer.model` is read as it is (its format is a protocol buffer of pieces and scores), because the ids of
the official model are those of the slow tokenizer: each stretch of text between control tokens is encoded on
its own, with a space in front of it (transformers 4.31 `LlamaTokenizer`, `legacy=True`).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.weight_files import read_json
from minigpt5.errors import CheckpointError
from minigpt5.vokens import control_tokens

UNKNOWN, CONTROL, BYTE = 2, 3, 6  # kinds of pieces that no merge may make
PIECES, PIECE, SCORE, KIND = 1, 1, 2, 3  # field numbers of sentencepiece_model.proto
SPACE = "▁"


def convert_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of an LLM folder with our control tokens; raises `CheckpointError`."""
    path = folder / "tokenizer.model"
    if path.is_file():
        tokenizer = _byte_pair_tokenizer(_pieces(path), path)
    elif (folder / "tokenizer.json").is_file():
        tokenizer = _read_tokenizer(folder / "tokenizer.json")
    else:
        raise CheckpointError(f"{path}: got no such file, expected the tokenizer of the LLM")
    for token in [*_added_tokens(folder, tokenizer), *control_tokens()]:
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_str(path.read_text())
    except Exception as error:  # the library raises nothing narrower
        raise CheckpointError(f"{path}: got a damaged file ({error}), expected a tokenizer") from error


def _byte_pair_tokenizer(pieces: list[tuple[str, float, int]], path: Path) -> Tokenizer:
    vocabulary = {piece: index for index, (piece, _, _) in enumerate(pieces)}
    if len(vocabulary) != len(pieces) or not {"<unk>", "<s>", "</s>"} <= set(vocabulary):
        raise CheckpointError(f"{path}: got pieces without <unk>, <s>, </s>, expected a LLaMA tokenizer")
    merges = _merges({piece: score for piece, score, kind in pieces if kind not in (UNKNOWN, CONTROL, BYTE)})
    tokenizer = Tokenizer(
        models.BPE(
            vocabulary, _by_rank(merges, vocabulary), unk_token="<unk>", fuse_unk=True, byte_fallback=True
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = [piece for piece, _, kind in pieces if kind in (UNKNOWN, CONTROL)]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _merges(scores: dict[str, float]) -> list[tuple[float, str, str]]:
    """Every way to make a piece of two others, with the score of the piece."""
    return [
        (score, piece[:cut], piece[cut:])
        for piece, score in scores.items()
        for cut in range(1, len(piece))
        if piece[:cut] in scores and piece[cut:] in scores
    ]


def _by_rank(merges: list[tuple[float, str, str]], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """The likeliest piece first; several ways to make one piece have neighbouring ranks."""
    ordered = sorted(merges, key=lambda merge: (-merge[0], vocabulary[merge[1]], vocabulary[merge[2]]))
    return [(left, right) for _, left, right in ordered]


def _added_tokens(folder: Path, tokenizer: Tokenizer) -> list[str]:
    """Tokens that the folder puts behind its vocabulary, Vicuna's `[PAD]` for one, in the order of their ids."""
    added: dict[str, int] = {}
    if (folder / "added_tokens.json").is_file():
        added |= read_json(folder / "added_tokens.json")
    settings = read_json(path) if (path := folder / "tokenizer_config.json").is_file() else {}
    for index, token in settings.get("added_tokens_decoder", {}).items():
        added[token["content"]] = int(index)
    ordered = [*sorted(added, key=lambda token: added[token]), _content(settings.get("pad_token"))]
    if (path := folder / "special_tokens_map.json").is_file():
        ordered += [_content(token) for token in read_json(path).values()]
    known = tokenizer.get_vocab()
    return list(dict.fromkeys(token for token in ordered if token and token not in known))


def _content(token: Any) -> str:
    if isinstance(token, dict):
        return str(token.get("content", ""))
    return token if isinstance(token, str) else ""


def _pieces(path: Path) -> list[tuple[str, float, int]]:
    """(text, score, kind) of every piece, in the order of the ids."""
    try:
        messages = [value for number, value in _fields(path.read_bytes()) if number == PIECES]
        return [_piece(dict(_fields(message))) for message in messages]
    except (IndexError, ValueError, KeyError, struct.error, TypeError, OSError) as error:
        raise CheckpointError(
            f"{path}: got a damaged file ({error}), expected a sentencepiece model"
        ) from error


def _piece(values: dict[int, Any]) -> tuple[str, float, int]:
    score = struct.unpack("<f", values[SCORE])[0] if SCORE in values else 0.0
    return values[PIECE].decode(), score, values.get(KIND, 1)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field of a protocol buffer message."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        match tag & 7:
            case 0:
                value, place = _varint(message, place)
                yield tag >> 3, value
            case 2:
                length, place = _varint(message, place)
                yield tag >> 3, _taken(message, place, length)
                place += length
            case 1 | 5 as kind:
                width = 8 if kind == 1 else 4
                yield tag >> 3, _taken(message, place, width)
                place += width
            case kind:
                raise ValueError(f"a field of kind {kind}")


def _taken(message: bytes, place: int, length: int) -> bytes:
    if place + length > len(message):
        raise ValueError("the file ends too early")
    return message[place : place + length]


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
