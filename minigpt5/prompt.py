"""The one template, for chat and training alike: the official (MiniGPT-4, Vicuna v0) form.

    SYSTEM###Human: <Img><ImageHere></Img> words ###Assistant: reply ###Human: words ###Assistant:

A picture that the model sees, its own earlier ones included, is `<Img><ImageHere></Img>`; a picture that it
is to draw is `[IMG0]..[IMG7]` (of eight vokens). Text is cut at these control tokens only and each stretch is encoded on its
own, stripped of white space at the cuts, as the official tokenizer does. Control ids are put in by this
module alone: whatever a user types (`[IMG3]`, `</s>`, `###Human:`) is encoded as ordinary letters. Pictures
are never opened here; they are handed back in the order of their slots.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase as Tokenizer

from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.errors import PromptError
from minigpt5.vokens import IMAGE_PLACEHOLDER, NUM_VOKENS, voken_names

SYSTEM = "You answer with words and pictures."
STOP = "###"
NAMES = {"user": "Human", "assistant": "Assistant"}
IGNORED = -100  # label of a position that is not trained


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is handed: `input_ids` with one placeholder id for each of `images`."""

    input_ids: list[int]
    images: tuple[Any, ...]  # PIL.Image.Image in a chat
    dropped_turns: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """Messages as ids. `labels` are `input_ids` where trained and -100 elsewhere, not shifted.

    `images` belong to the placeholders and `drawn` to the voken groups, each in order of appearance.
    """

    input_ids: list[int]
    labels: list[int]
    images: tuple[Any, ...]
    drawn: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    trained: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    image: Any


@dataclass(frozen=True, slots=True)
class _Drawn:
    image: Any


_Piece = _Words | _Seen | _Drawn


def assemble(
    conversation: Conversation,
    tokenizer: Tokenizer,
    max_tokens: int,
    tokens_per_image: int,
    *,
    system: str = SYSTEM,
) -> Prompt:
    """The prompt for the next reply. `max_tokens` counts each picture as `tokens_per_image`.

    The oldest messages are dropped, whole and as few as needed, until the rest fits; the rest begins with a
    user's turn. Raises `PromptError` when the conversation does not end with a user's message that says or
    shows something, or when that last message alone is too long.
    """
    messages = conversation.messages
    _verify_turns(messages)
    last = len(messages) - 1
    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    # a run of user's messages belongs together; its last one may still have to stand alone
    starts = [0, *starts] if starts[0] else starts
    nearest = _first_that_may_fit(messages, starts, tokenizer, max_tokens, tokens_per_image)
    for start in starts[nearest:]:
        encoded = encode(messages[start:], tokenizer, target=False, system=system)
        length = len(encoded.input_ids) + len(encoded.images) * (tokens_per_image - 1)
        if length <= max_tokens:
            return Prompt(encoded.input_ids, encoded.images, dropped_turns=start)
    shown = len(messages[last].images)
    raise PromptError(
        f"the last message is too long: got {length} tokens ({shown} pictures), expected <= {max_tokens}"
    )


def _first_that_may_fit(
    messages: tuple[Message, ...],
    starts: list[int],
    tokenizer: Tokenizer,
    max_tokens: int,
    tokens_per_image: int,
) -> int:
    """Which of `starts` to try first: a little before the one from which the rest seems to fit.

    Reads from the end and stops where the rest is surely too long, so that a prompt costs what the model can hold and
    not what the history has. Messages encoded alone may come out some tokens shorter or longer than in their prompt.
    """
    limit, length = max_tokens + max_tokens // 10 + 64, 0
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        said = f"{_header(message)} {message.text}"
        words = tokenizer.encode(said, add_special_tokens=False, split_special_tokens=True)
        length += len(words) + len(message.images) * tokens_per_image
        if length > limit:
            later = [place for place, start in enumerate(starts) if start > index]
            return max(0, later[0] - 1) if later else len(starts) - 1
    return 0


def encode(
    messages: tuple[Message, ...],
    tokenizer: Tokenizer,
    target: bool,
    *,
    system: str = SYSTEM,
    num_vokens: int = NUM_VOKENS,
) -> Encoded:
    """`messages` in the template, `num_vokens` for each picture to draw.

    With `target` the last message, the assistant's, is what is to be learned: its words, the first and last
    voken of its pictures (the official labels) and the closing `###` are labelled. Without, the result ends
    with `###Assistant:` and nothing is labelled. Raises `PromptError` when the last message is of the wrong
    side.
    """
    _verify_last(messages, "assistant" if target else "user")
    pieces: list[_Piece] = [_Words(system)]
    history = messages[:-1] if target else messages
    for message in history:
        pieces += [_Words(_header(message)), *_history_pieces(message)]
    pieces.append(_Words(f"{STOP}{NAMES['assistant']}:"))
    if target:
        pieces += [*_target_pieces(messages[-1]), _Words(STOP, trained=True)]
    return _to_ids(_joined(pieces), tokenizer, num_vokens)


def encode_caption(
    caption: str, image: Any, tokenizer: Tokenizer, *, num_vokens: int = NUM_VOKENS
) -> Encoded:
    """The bare form of the first training stage (UAS): caption, vokens, `###`, without system or names."""
    pieces: list[_Piece] = [_Words(_plain(caption)), _Drawn(image), _Words(STOP, trained=True)]
    return _to_ids(pieces, tokenizer, num_vokens)


def encode_written(
    source: Sequence[str | ImagePart],
    target: Sequence[str | ImagePart],
    tokenizer: Tokenizer,
    *,
    num_vokens: int = NUM_VOKENS,
) -> Encoded:
    """A training sample whose template is written out, as the official data sets' are: `source`, then
    `target`, which alone is labelled. Words stay as they are, but for white space around pictures.

    A picture in `source` is one that is seen (its `<Img>` and `</Img>` are words), one in `target` is to be
    drawn.
    """
    pieces: list[_Piece] = [_Seen(p.image) if isinstance(p, ImagePart) else _Words(p) for p in source]
    pieces += [_Drawn(p.image) if isinstance(p, ImagePart) else _Words(p, trained=True) for p in target]
    return _to_ids(_stripped(pieces), tokenizer, num_vokens)


def encode_raw(text: str, tokenizer: Tokenizer) -> list[int]:
    """Ids of a prompt that is written out in the official template, BOS in front. Not for what users type:
    control tokens in `text` are control tokens.

    Cut at them, each stretch is encoded on its own; white space falls away on both sides of those behind the
    base vocabulary and stays around `<s>`, `</s>`, `<unk>` (the slow tokenizer of transformers 4.31). Raises
    `PromptError` when there is no text.
    """
    if not text:
        raise PromptError("the prompt is empty, expected text in the official template")
    added = tokenizer.get_added_vocab()
    spaced = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token}
    pieces = re.split("(" + "|".join(re.escape(token) for token in added) + ")", text)
    ids = [tokenizer.bos_token_id]
    for before, piece, after in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        if piece in added:
            ids.append(added[piece])
            continue
        words = piece.lstrip() if before in added and before not in spaced else piece
        words = words.rstrip() if after in added and after not in spaced else words
        if words:
            ids += tokenizer.encode(words, add_special_tokens=False, split_special_tokens=True)
    return ids


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of one token of the vocabulary, which must have it."""
    found = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(found, int), token
    assert found != tokenizer.unk_token_id, f"the tokenizer has no {token}"
    return found


def _verify_turns(messages: tuple[Message, ...]) -> None:
    _verify_last(messages, "user")
    if not messages[-1].text and not messages[-1].images:
        raise PromptError("the last message is empty, expected words or a picture")


def _verify_last(messages: tuple[Message, ...], role: str) -> None:
    if not messages:
        raise PromptError("the conversation is empty, expected at least one message")
    if messages[-1].role != role:
        raise PromptError(f"the last message is by {messages[-1].role!r}, expected one by {role!r}")


def _header(message: Message) -> str:
    return f"{STOP}{NAMES[message.role]}:"


def _history_pieces(message: Message) -> list[_Piece]:
    pieces: list[_Piece] = []
    for part in message.parts:
        match part:
            case TextPart():
                pieces.append(_Words(_plain(part.text)))
            case ImagePart():
                pieces += [_Words("<Img>"), _Seen(part.image), _Words("</Img>")]
    return pieces


def _target_pieces(message: Message) -> list[_Piece]:
    return [
        _Words(_plain(part.text), trained=True) if isinstance(part, TextPart) else _Drawn(part.image)
        for part in message.parts
    ]


def _plain(text: str) -> str:
    """`text` on one line's edges and with runs of `#` broken up, so that it holds neither a stop nor a
    name."""
    return re.sub(r"#(?=#)", "# ", text.strip())


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Neighbouring words of one kind as one stretch, a space between them where one is wanted."""
    joined: list[_Piece] = []
    for piece in pieces:
        if isinstance(piece, _Words) and not piece.text:
            continue
        before = joined[-1] if joined else None
        if isinstance(piece, _Words) and isinstance(before, _Words) and piece.trained == before.trained:
            joined[-1] = _Words(f"{before.text} {piece.text}", piece.trained)
        else:
            joined.append(piece)
    return joined


def _stripped(pieces: list[_Piece]) -> list[_Piece]:
    """Neighbouring words of one kind as one stretch, without white space where it meets a picture."""
    stretches: list[_Piece] = []
    for piece in pieces:
        before = stretches[-1] if stretches else None
        if isinstance(piece, _Words) and isinstance(before, _Words) and piece.trained == before.trained:
            stretches[-1] = _Words(before.text + piece.text, piece.trained)
        else:
            stretches.append(piece)
    neighbours = zip([None, *stretches], stretches, [*stretches[1:], None], strict=False)
    return [
        _between(before, piece, after) if isinstance(piece, _Words) else piece
        for before, piece, after in neighbours
    ]


def _between(before: _Piece | None, words: _Words, after: _Piece | None) -> _Words:
    text = words.text.lstrip() if isinstance(before, _Seen | _Drawn) else words.text
    return _Words(text.rstrip() if isinstance(after, _Seen | _Drawn) else text, words.trained)


def _to_ids(pieces: list[_Piece], tokenizer: Tokenizer, num_vokens: int) -> Encoded:
    ids, labels = [tokenizer.bos_token_id], [IGNORED]
    seen: list[Any] = []
    drawn: list[Any] = []
    for piece in pieces:
        match piece:
            case _Words():
                new = tokenizer.encode(piece.text, add_special_tokens=False, split_special_tokens=True)
                new_labels = new if piece.trained else [IGNORED] * len(new)
            case _Seen():
                seen.append(piece.image)
                new, new_labels = [token_id(tokenizer, IMAGE_PLACEHOLDER)], [IGNORED]
            case _Drawn():
                drawn.append(piece.image)
                new = [token_id(tokenizer, voken) for voken in voken_names(num_vokens)]
                new_labels = [new[0], *[IGNORED] * (len(new) - 2), new[-1]]
        ids += new
        labels += new_labels
    return Encoded(ids, labels, tuple(seen), tuple(drawn))
