"""No request costs more than its size allows: long histories, many messages, what a prompt reads of them."""

import pytest
from tiny_model import make_tokenizer

from demo.api.requests import MAX_HISTORY_LETTERS, MAX_HISTORY_PICTURES, MAX_TURNS, read_history
from minigpt5 import Conversation, Message, MiniGPT5Error, TextPart
from minigpt5.prompt import assemble, encode


class CountingTokenizer:
    """A tokenizer that counts the letters it is given."""

    def __init__(self) -> None:
        self._inner = make_tokenizer()
        self.letters = 0

    def encode(self, text: str, **options: object) -> list[int]:
        self.letters += len(text)
        return list(self._inner.encode(text, **options))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def long_chat(turns: int) -> Conversation:
    words = ("draw a blue bear", "here is a blue bear")
    said = tuple(Message(("user", "assistant")[i % 2], (TextPart(words[i % 2]),)) for i in range(2 * turns))
    return Conversation((*said, Message("user", (TextPart("and now a red one"),))))


def letters_read(turns: int) -> int:
    tokenizer = CountingTokenizer()
    assemble(long_chat(turns), tokenizer, 200, 4)
    return tokenizer.letters


def test_a_prompt_costs_what_the_model_can_hold_and_not_what_the_history_has() -> None:
    assert letters_read(20_000) == letters_read(500)


@pytest.mark.parametrize("room", [40, 57, 90, 140, 200, 333])
def test_the_prompt_is_the_one_that_trying_each_turn_gives(room: int) -> None:
    chat, tokenizer = long_chat(25), make_tokenizer()
    prompt = assemble(chat, tokenizer, room, 4)
    fits = [
        start
        for start in range(0, len(chat.messages), 2)
        if len(encode(chat.messages[start:], tokenizer, target=False).input_ids) <= room
    ]
    assert prompt.dropped_turns == fits[0]
    assert prompt.input_ids == encode(chat.messages[fits[0] :], tokenizer, target=False).input_ids


def message(text: str = "hello", pictures: int = 0) -> dict[str, object]:
    shown = [{"type": "image", "image": {"path": "nowhere.png"}}] * pictures
    return {"role": "user", "content": [{"type": "text", "text": text}, *shown]}


@pytest.mark.parametrize(
    ("history", "limit"),
    [
        ([message()] * (MAX_TURNS + 1), MAX_TURNS),
        ([message("x" * 1000)] * (MAX_HISTORY_LETTERS // 1000 + 1), MAX_HISTORY_LETTERS),
        ([message(pictures=MAX_HISTORY_PICTURES + 1)], MAX_HISTORY_PICTURES),
    ],
)
def test_a_history_beyond_any_memory_is_refused_before_it_is_read(
    history: list[dict[str, object]], limit: int
) -> None:
    with pytest.raises(MiniGPT5Error, match=rf"history: got \d+ .*expected at most {limit}"):
        read_history(history)
